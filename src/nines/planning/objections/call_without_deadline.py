"""A call that may take for ever."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import REMOTE, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    calls = {call.partition(".")[0] for each in blueprint.operations for call in each.calls}
    calls |= {call.partition(".")[0] for each in blueprint.jobs for call in each.calls}
    for dependency in blueprint.dependencies:
        if dependency.timeout_s is not None or dependency.kind not in REMOTE or dependency.name not in calls:
            continue
        yield objection(
            __name__,
            blueprint,
            f"dependencies.{dependency.name}",
            f"{dependency.name} is called and has no timeout: when it hangs, every caller hangs with it, until no "
            "process has a free slot",
            (
                option("timeout: 2s", "a hang is over after two seconds", "what would have succeeded later fails"),
                option(
                    "timeout: three times its measured p99",
                    "one call in a hundred is given up at most",
                    "has to be measured first, and again",
                    "it was measured",
                ),
            ),
        )
