"""A dependency that nothing calls."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import REMOTE, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    calls = [call for operation in blueprint.operations for call in operation.calls]
    calls += [call for job in blueprint.jobs for call in job.calls]
    calls += [name for operation in blueprint.operations for step in operation.saga for name in (step.do, step.undo)]
    used = {call.partition(".")[0] for call in calls}
    for dependency in blueprint.dependencies:
        if dependency.kind not in REMOTE or dependency.name in used:
            continue
        yield objection(
            __name__,
            blueprint,
            f"dependencies.{dependency.name}",
            f"no operation and no job calls {dependency.name}, so that nothing is planned for its being slow or away",
            (
                option(
                    f"calls: [{dependency.name}.verb] where it is called",
                    "its failures are planned for",
                    "each place where it is called has to be named",
                ),
                option("leave it out", "one thing less that can fail", "comes back with the first call"),
            ),
            is_fatal=False,
        )
