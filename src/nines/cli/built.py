"""What `nines build` tells: what was written, and what it means for callers and for data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nines.cli.telling import Files, Reason, headline, reason, told_in, warnings, wrapped
from nines.model.record import Record
from nines.verbs.announcing import PATH as CHANGES
from nines.verbs.build import Built, Wish

_SHOWN_MAX = 10


class Callers(Record, omit_defaults=False):
    """A change of the contract."""

    operation: str
    where: str
    says: str
    impact: str


class Step(Record, omit_defaults=False):
    """A new migration."""

    name: str
    phase: str
    says: str
    is_blocking: bool


class Summary(Record, omit_defaults=False):
    """The JSON of `nines build --format json`."""

    name: str
    is_refused: bool
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    folder: str = ""
    is_check: bool = False
    is_current: bool = False
    is_first: bool = True
    files: Files = Files()
    yours: int = 0
    """Files that were there already and are the owner's."""
    unused: tuple[str, ...] = ()
    """Files of the owner's that nothing asks for any more."""
    callers: tuple[Callers, ...] = ()
    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, built: Built, folder: Path, wish: Wish) -> Summary:
        planned, found = built.planned, built.comparison
        told = tuple(map(reason, planned.warnings))
        if found is None:
            return cls(name=planned.name, is_refused=True, reasons=tuple(map(reason, planned.reasons)), warnings=told)
        return cls(
            name=planned.name,
            is_refused=False,
            warnings=told,
            folder=str(folder),
            is_check=wish.check,
            is_current=found.is_current,
            is_first=built.is_first,
            files=Files.of(found),
            yours=len(found.kept),
            unused=found.unused,
            callers=tuple(
                Callers(operation=each.operation, where=each.where, says=each.says, impact=each.impact.value)
                for each in built.changes
            ),
            steps=tuple(
                Step(name=each.name, phase=each.phase, says=each.says, is_blocking=each.is_blocking)
                for each in built.migrations
            ),
        )


def summary(told: Summary) -> str:
    lines = [
        *headline(told.name, "service", told.folder, told.files, is_check=told.is_check, is_current=told.is_current)
    ]
    if told.yours:
        lines.append(f"yours, untouched: {told.yours} files")
    if told.unused:
        shown = ", ".join(told.unused[:_SHOWN_MAX]) + (", ..." if told.unused[_SHOWN_MAX:] else "")
        lines += wrapped(f"yours, and no longer asked for: {shown}", "", "  ")
    if not told.is_first:
        lines += _callers(told.callers)
        lines += _data(told.steps)
    lines += warnings(told.warnings)
    if told.is_first and not told.is_check:
        lines.append(f"next: cd {told.folder} && make && make run; read README.md")
    return told_in(lines)


def _callers(changes: tuple[Callers, ...]) -> Iterator[str]:
    if not changes:
        yield "callers: nothing changes for them"
        return
    breaking = sum(each.impact == "breaking" for each in changes)
    many = f"{len(changes)} change{'s' if len(changes) > 1 else ''}"
    yield f"callers: {many}, {f'{breaking} of them breaking: see {CHANGES}' if breaking else 'none of them breaking'}"
    for each in changes[:_SHOWN_MAX]:
        yield from wrapped(f"{each.impact}: {each.operation} {each.where} {each.says}", "  - ", "    ")
    if len(changes) > _SHOWN_MAX:
        yield f"  ... and {len(changes) - _SHOWN_MAX} more"


def _data(steps: tuple[Step, ...]) -> Iterator[str]:
    if not steps:
        yield "data: nothing changes"
        return
    yield f"data: {len(steps)} new migration step{'s' if len(steps) > 1 else ''}"
    for each in steps[:_SHOWN_MAX]:
        mark = " BLOCKING" if each.is_blocking else ""
        yield from wrapped(f"{each.name} ({each.phase}){mark}: {each.says}", "  - ", "    ")
    if len(steps) > _SHOWN_MAX:
        yield f"  ... and {len(steps) - _SHOWN_MAX} more"
