"""What several commands that write folders tell in the same words: objections, files, wrapped lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Self

from nines.model.design import Choice, Objection
from nines.model.record import Record
from nines.reports import harmless
from nines.verbs.handover import Comparison

_WIDTH = 100
_SHOWN_MAX = 10
"""Files and warnings that are listed; more are counted."""


class Option(Record, omit_defaults=False):
    name: str
    gains: str
    costs: str
    when: str


class Reason(Record, omit_defaults=False):
    """An objection, as a machine wants it."""

    code: str
    where: str
    path: str
    says: str
    options: tuple[Option, ...]


class Files(Record, omit_defaults=False):
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: int = 0
    edited: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Of an earlier run and edited since: they stay, and are no longer the dossier's."""

    @classmethod
    def of(cls, found: Comparison) -> Self:
        return cls(
            new=found.new,
            changed=found.changed,
            unchanged=len(found.unchanged),
            edited=found.edited,
            removed=found.stale,
            kept=found.orphaned,
        )


def headline(name: str, noun: str, folder: str, files: Files, *, is_check: bool, is_current: bool) -> Iterator[str]:
    """How the folder stands, or what was written."""
    total = len(files.new) + len(files.changed) + len(files.edited) + files.unchanged
    if is_check:
        state = "is up to date" if is_current else "is out of date"
        yield f"{name}: the {noun} of {total} files in {folder} {state}"
        yield from _differences(files)
    else:
        counts = (
            (len(files.new), "new"),
            (len(files.changed), "changed"),
            (len(files.edited), "overwritten"),
            (files.unchanged, "unchanged"),
            (len(files.removed), "removed"),
        )
        parts = ", ".join(f"{count} {word}" for count, word in counts if count)
        yield f"{name}: {total} files in {folder}" + (f" ({parts})" if parts else "")
    yield from (f"  kept, for it was edited: {path}" for path in files.kept[:_SHOWN_MAX])


def _differences(files: Files) -> Iterator[str]:
    found = [f"  missing: {path}" for path in files.new]
    found += [f"  out of date: {path}" for path in files.changed]
    found += [f"  edited by hand: {path}" for path in files.edited]
    found += [f"  no longer made: {path}" for path in files.removed]
    yield from found[: 2 * _SHOWN_MAX]
    if len(found) > 2 * _SHOWN_MAX:
        yield f"  ... and {len(found) - 2 * _SHOWN_MAX} more"


def warnings(warnings: Sequence[Reason]) -> Iterator[str]:
    if warnings:
        yield f"warnings: {len(warnings)}"
    for each in warnings[:_SHOWN_MAX]:
        yield from wrapped(f"{each.where} {each.code}: {each.says}", "  - ", "    ")
    if len(warnings) > _SHOWN_MAX:
        yield f"  ... and {len(warnings) - _SHOWN_MAX} more"


def wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def reason(objection: Objection) -> Reason:
    return Reason(
        code=objection.code,
        where=objection.where,
        path=objection.path,
        says=objection.says,
        options=tuple(map(_option, objection.options)),
    )


def _option(choice: Choice) -> Option:
    return Option(name=choice.name, gains=choice.gains, costs=choice.costs, when=choice.when)


def told_in(lines: Sequence[str]) -> str:
    text: str = harmless("\n".join(lines))
    return text
