"""A state that no row ever comes to."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Resource, State
from nines.model.design import Objection
from nines.planning.moves import moves, reachable
from nines.planning.objecting import listed, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for resource in blueprint.resources:
        steps = moves(blueprint, resource)
        come_to = reachable(resource, steps)
        drawn = reachable(resource, frozenset((state.name, to) for state in resource.states for to in state.to))
        for state in resource.states:
            if state.name not in come_to:
                yield _objection(blueprint, resource, state, is_drawn=state.name in drawn)


def _objection(blueprint: Blueprint, resource: Resource, state: State, *, is_drawn: bool) -> Objection:
    before = [each.name for each in resource.states if state.name in each.to]
    if not is_drawn:
        says = f"no way leads from {resource.states[0].name} to {state.name} in {resource.name}"
    else:
        says = (
            f"nothing moves a {resource.name} from {listed(before)} to {state.name}: no operation, no job and no event "
            "does that"
        )
    start = before[0] if before else resource.states[0].name
    return objection(
        __name__,
        blueprint,
        f"resources.{resource.name}.states",
        says,
        (
            option(f'an operation with do: "-> {state.name}"', "callers decide", "who may, and when, has to be said"),
            option(
                f"a job with from: {start} and to: {state.name}", "happens by itself", "has to be watched like any job"
            ),
            option(
                f'a consumer with do: "-> {state.name}"',
                "an event of another service decides",
                "that service has to tell it, and a broker carries it",
                "it happens elsewhere",
            ),
            option(f"leave {state.name} out", "fewer states to understand", "has to be added when somebody needs it"),
        ),
    )
