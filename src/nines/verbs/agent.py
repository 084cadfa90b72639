"""`nines agent`: what makes a coding agent this engineer is written, merged with what is there, and can be undone."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nines.model.errors import UsageError
from nines.model.record import Record
from nines.personas.merging import section, servers, whole
from nines.personas.piece import Kind, Piece, Scope
from nines.personas.targets import Target, discover
from nines.verbs import agent_files as files
from nines.verbs.agent_files import Ledger

ALL = "all"


class Change(Record):
    """One file, as it stands and as it shall stand; None: it is not there."""

    path: str
    before: str | None
    after: str | None
    kind: Kind = Kind.FILE

    @property
    def is_change(self) -> bool:
        return self.before != self.after

    @property
    def difference(self) -> str:
        """A unified diff."""
        old, new = (text.splitlines(keepends=True) if text is not None else [] for text in (self.before, self.after))
        names = (
            "/dev/null" if self.before is None else f"a/{self.path}",
            "/dev/null" if self.after is None else f"b/{self.path}",
        )
        told = difflib.unified_diff(old, new, *names)
        lines = [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in told]
        return "".join(lines)


class Plan(Record):
    """Everything that would be changed, in one folder."""

    folder: Path
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def real(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.is_change)


class State(Record):
    """How one piece stands."""

    target: str
    path: str
    says: str
    """installed, out of date, edited by hand, not installed, or what is in the way."""


def targets() -> tuple[Target, ...]:
    return discover()


def chosen(names: Sequence[str]) -> tuple[Target, ...]:
    """Raises UsageError for a name that no target has; nothing, or `all`, chooses every one."""
    there = discover()
    known = [target.name for target in there]
    strange = [name for name in names if name not in (*known, ALL)]
    if strange:
        raise UsageError(f"nothing can be installed for {strange[0]!r}", hint=f"There are: {', '.join((*known, ALL))}.")
    return tuple(target for target in there if not names or ALL in names or target.name in names)


def plan_install(folder: Path, wanted: Sequence[Target], scope: Scope, *, command: str, force: bool = False) -> Plan:
    """Raises UsageError, before anything is written, for what cannot be merged without a loss."""
    notes: list[str] = []
    changes: list[Change] = []
    for target in wanted:
        pieces = target.pieces(scope, command)
        if not pieces:
            notes.append(f"{target.title} has no place for all of a person's projects; install it in a project.")
        for piece in pieces:
            before = files.read(folder, piece.path)
            after = _with(piece, before, force=force)
            changes.append(Change(path=piece.path, before=before, after=after, kind=piece.kind))
    return Plan(folder=folder, changes=tuple(changes), notes=tuple(notes))


def _with(piece: Piece, before: str | None, *, force: bool) -> str:
    if piece.kind is Kind.SECTION:
        return section.put(before or "", piece.text, piece.path)
    if piece.kind is Kind.SERVER:
        assert piece.server is not None
        return servers.put(before or "", piece.server, piece.path)
    if before is not None and before != piece.text and not force and not whole.is_own(before):
        what = "it was edited by hand" if whole.was_own(before) else "another file stands here"
        hint = "Keep it under another name, or replace it with --force (uninstall brings it back)."
        raise UsageError(f"{what}, and is left alone", where=piece.path, hint=hint)
    return piece.text


def plan_uninstall(folder: Path, wanted: Sequence[Target], scope: Scope) -> Plan:
    """What was there before, byte for byte, where nothing else was changed since; else only our part is taken out."""
    ledger = Ledger.of(folder)
    changes: list[Change] = []
    notes: list[str] = []
    for piece in _pieces(wanted, scope):
        before = files.read(folder, piece.path)
        if before is None:
            continue
        known = ledger.entry(piece.path)
        if known is not None and known.keeps and known.is_as_left(before):
            changes.append(Change(path=piece.path, before=before, after=known.before))
        elif piece.kind is Kind.FILE and not whole.is_own(before):
            if whole.was_own(before):
                notes.append(f"{piece.path} was edited by hand and stays; delete it if you do not want it.")
        else:
            changes.append(Change(path=piece.path, before=before, after=_without(piece.kind, piece.path, before)))
    return Plan(folder=folder, changes=tuple(changes), notes=tuple(notes))


def _without(kind: Kind, path: str, text: str) -> str | None:
    """The text without our part; None where nothing else was in it."""
    if kind is Kind.FILE:
        return None
    taken = section.take(text, path) if kind is Kind.SECTION else servers.take(text, path)
    return taken if taken.strip() or taken == text else None


def carry_out(plan: Plan, *, is_install: bool) -> None:
    """Writes all of it or nothing; raises UsageError where that is not possible."""
    ledger = Ledger.of(plan.folder)
    for change in plan.real:
        if is_install:
            original = _original(change, ledger)
            keeps = original != _without(change.kind, change.path, change.after or "")
            ledger = ledger.with_entry(plan.folder, change.path, original, change.after or "", keeps=keeps)
        else:
            ledger = ledger.without(change.path)
    files.write(plan.folder, [(change.path, change.before, change.after) for change in plan.real])
    if not is_install:
        gone = {change.path for change in plan.real if change.after is None}
        files.prune(plan.folder, ledger, gone)
    ledger.save(plan.folder)


def _original(change: Change, ledger: Ledger) -> str | None:
    """What was there without us: an earlier installation is taken out first, as the ledger or the text tells."""
    text, earlier = change.before, ledger.entry(change.path)
    if text is None:
        return None
    if earlier is not None and earlier.keeps and earlier.is_as_left(text):
        return earlier.before
    if change.kind is Kind.FILE:
        return None if whole.was_own(text) else text
    return _without(change.kind, change.path, text)


def status(folder: Path, wanted: Sequence[Target], scope: Scope, *, command: str) -> tuple[State, ...]:
    return tuple(
        State(target=target.name, path=piece.path, says=_standing(folder, piece))
        for target in wanted
        for piece in target.pieces(scope, command)
    )


def _standing(folder: Path, piece: Piece) -> str:
    try:
        text = files.read(folder, piece.path)
        if text is None or not _is_in(piece, text):
            return "not installed"
        if piece.kind is Kind.FILE and not whole.is_own(text):
            return "edited by hand"
        return "installed" if _with(piece, text, force=True) == text else "out of date"
    except UsageError as error:
        return error.what


def _is_in(piece: Piece, text: str) -> bool:
    if piece.kind is Kind.FILE:
        return whole.was_own(text)
    return section.has(text) if piece.kind is Kind.SECTION else servers.has(text, piece.path)


def _pieces(wanted: Iterable[Target], scope: Scope) -> Iterator[Piece]:
    for target in wanted:
        yield from target.pieces(scope, "")
