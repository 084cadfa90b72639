"""Tool `build`: from a blueprint to a service, and from its next version to the same service, changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from nines.mcp.call import Call
from nines.mcp.objections import Objected, objected
from nines.mcp.tool import ToolInfo
from nines.model.progress import Progress
from nines.model.record import Record, StrictRecord
from nines.verbs.build import Built, Wish, build

INFO = ToolInfo(
    title="Build the service of a blueprint",
    says=(
        "Writes the service that a blueprint describes (code, migrations, tests, deployment, dossier), or brings one "
        "up to date; files of the owner are never touched. Without write=true it only says what would be written, "
        "which callers would break and which migrations are new. Design the blueprint first."
    ),
    is_read_only=False,
)
_LISTED_MAX = 40


class Arguments(StrictRecord):
    blueprint: Annotated[str, Meta(description="Path of the blueprint inside the allowed roots.")]
    output: Annotated[str, Meta(description="The service's folder, inside the allowed roots.")]
    write: Annotated[bool, Meta(description="Write it; without this nothing is written.")] = False
    force: Annotated[bool, Meta(description="Overwrite generated files that were edited by hand.")] = False
    accept_breaking: Annotated[bool, Meta(description="Break callers knowingly.")] = False


class Migrating(Record):
    """A migration that is new."""

    name: str
    says: str
    is_blocking: bool


class Result(Record):
    says: str
    is_refused: bool = False
    reasons: tuple[Objected, ...] = ()
    is_written: bool = False
    is_current: bool = False
    """Whether the folder was up to date before."""
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    """Generated, and edited by hand since."""
    files: int = 0
    breaking: tuple[str, ...] = ()
    migrations: tuple[Migrating, ...] = ()


def work(job: Arguments, progress: Progress) -> Result:
    """Plans and writes in a process of its own."""
    wish = Wish(force=job.force, check=not job.write, accept_breaking=job.accept_breaking)
    today = datetime.now(UTC).date()
    built = build(Path(job.blueprint), Path(job.output), wish, today=today, progress=progress)
    return _told(built, job)


def _told(built: Built, job: Arguments) -> Result:
    found = built.comparison
    if found is None:
        reasons = tuple(map(objected, built.planned.reasons))
        says = f"{built.planned.name} cannot hold, and nothing was written"
        return Result(says=says, is_refused=True, reasons=reasons)
    count = len(found.new) + len(found.changed) + len(found.edited) + len(found.unchanged)
    verb = "written" if job.write else "would be written"
    breaking = tuple(f"{each.operation} {each.where} {each.says}" for each in built.changes if each.is_breaking)
    return Result(
        says=f"{built.planned.name}: {count} files in {job.output}; {len(found.new)} new, {len(found.changed)} "
        f"changed {verb}",
        is_written=job.write,
        is_current=found.is_current,
        new=found.new[:_LISTED_MAX],
        changed=found.changed[:_LISTED_MAX],
        edited=found.edited[:_LISTED_MAX],
        files=count,
        breaking=breaking[:_LISTED_MAX],
        migrations=tuple(
            Migrating(name=each.name, says=each.says, is_blocking=each.is_blocking)
            for each in built.migrations[:_LISTED_MAX]
        ),
    )


async def run(call: Call, asked: Arguments) -> Result:
    blueprint, output = call.inside(asked.blueprint), call.inside(asked.output)
    return await call.work(work, msgspec.structs.replace(asked, blueprint=blueprint, output=output))
