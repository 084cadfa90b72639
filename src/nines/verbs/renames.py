"""Files that were moved or renamed between two states of a project, so that old findings stay old."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from nines.model.code import Module, Program
from nines.model.finding import Finding
from nines.model.record import Record

SIMILAR_MIN = 0.5
"""The share of lines that two files must have in common to be one file, as git has it."""
FILES_MAX = 100
"""Of files that went and of files that came, how many are compared line by line."""
_BYTES_MAX = 1_000_000


class Move(Record):
    """One file under its earlier and its present name."""

    file: str
    new_file: str
    module: str
    new_module: str


def between(old_root: Path, old: Program, new_root: Path, new: Program) -> tuple[Move, ...]:
    """Pairs what went with what came: equal contents first, then the most similar."""
    before, after = _by_file(old), _by_file(new)
    gone = {file: _lines(old_root / file) for file in sorted(before.keys() - after.keys())[:FILES_MAX]}
    came = {file: _lines(new_root / file) for file in sorted(after.keys() - before.keys())[:FILES_MAX]}
    scored = sorted(
        ((-_similarity(mine, theirs), left, right) for left, mine in gone.items() for right, theirs in came.items()),
    )
    moves: list[Move] = []
    for score, left, right in scored:
        if -score < SIMILAR_MIN:
            break
        if left in gone and right in came:
            del gone[left], came[right]
            moves.append(
                Move(file=left, new_file=right, module=before[left].name, new_module=after[right].name),
            )
    return tuple(moves)


def followed(findings: Iterable[Finding], moves: tuple[Move, ...]) -> tuple[Finding, ...]:
    """The findings as they would have been under the present names."""
    by_file = {move.file: move for move in moves}
    return tuple(_moved(finding, by_file) for finding in findings)


def _moved(finding: Finding, moves: Mapping[str, Move]) -> Finding:
    move = moves.get(finding.place.file) if finding.place else None
    if move is None or finding.place is None:
        return finding
    return msgspec.structs.replace(
        finding,
        place=msgspec.structs.replace(finding.place, file=move.new_file),
        subject=finding.subject.replace(move.module, move.new_module),
        message=finding.message.replace(move.module, move.new_module),
    )


def _by_file(program: Program) -> dict[str, Module]:
    return {module.file: module for module in program.modules}


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as stream:
            return stream.read(_BYTES_MAX).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def _similarity(mine: list[str], theirs: list[str]) -> float:
    """The share of lines in common; cheap upper bounds come first, for there may be many pairs."""
    if not mine or not theirs:
        return 0.0
    matcher = difflib.SequenceMatcher(None, mine, theirs, autojunk=False)
    if matcher.real_quick_ratio() < SIMILAR_MIN:
        return 0.0
    return matcher.quick_ratio()
