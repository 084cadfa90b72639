"""A state that may be left, and that nothing leaves."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.moves import moves, reachable
from nines.planning.objecting import listed, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for resource in blueprint.resources:
        steps = moves(blueprint, resource)
        left, come_to = {start for start, _ in steps}, reachable(resource, steps)
        for state in resource.states:
            if not state.to or state.name in left or state.name not in come_to:
                continue
            if not come_to.issuperset(state.to):
                # What nothing comes to is refused already, with the same ways out: state-unreachable.
                continue
            yield objection(
                __name__,
                blueprint,
                f"resources.{resource.name}.states.{state.name}",
                f"a {resource.name} that is {state.name} may become {listed(state.to)}, and no operation and no job "
                f"moves it: it stays {state.name} for ever",
                (
                    option(f'an operation with do: "-> {state.to[0]}"', "callers decide", "who may has to be said"),
                    option(
                        f"a job with from: {state.name}, to: {state.to[0]}",
                        "happens by itself, and what is stuck is seen",
                        "has to be watched like any job",
                    ),
                    option(f"{state.name}: []", "is final, and says so", "what was meant to follow never does"),
                ),
            )
