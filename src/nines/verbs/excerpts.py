"""The source lines that a report shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from nines.model.finding import Finding
from nines.model.place import Place
from nines.model.report import Excerpt

_AROUND = 3
"""Lines shown before and after a place."""
_LINE_MAX = 240
"""Characters of a line that are kept."""


def around(findings: Iterable[Finding], root: Path) -> tuple[Excerpt, ...]:
    """One excerpt for each stretch of lines that a finding, its path or its related places name."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for finding in findings:
        for place in _places(finding):
            wanted[place.file].update(range(max(1, place.line - _AROUND), place.line + _AROUND + 1))
    return tuple(
        excerpt for file, numbers in sorted(wanted.items()) for excerpt in _stretches(root, file, sorted(numbers))
    )


def _places(finding: Finding) -> Iterable[Place]:
    if finding.place is not None:
        yield finding.place
    yield from (step.place for step in finding.path)
    yield from (place for _, place in finding.related)


def _stretches(root: Path, file: str, numbers: list[int]) -> Iterable[Excerpt]:
    path = (root / file).resolve()
    if not path.is_relative_to(root.resolve()):
        return
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    start = previous = 0
    for number in [*numbers, 0]:
        if start and number != previous + 1:
            kept = tuple(line[:_LINE_MAX] for line in lines[start - 1 : previous])
            if kept:
                yield Excerpt(file=file, first=start, lines=kept)
            start = 0
        start = start or number
        previous = number
