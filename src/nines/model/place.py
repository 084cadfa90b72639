"""Where something is in the source, and how an entry point gets there."""

from __future__ import annotations

from nines.model.record import Record


class Place(Record, order=True):
    """A position in a source file; `file` is relative to the project's root, lines and columns count from 1."""

    file: str
    line: int
    column: int = 1
    end_line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Step(Record):
    """One call on the way from an entry point to an effect: who is called, and where the call stands."""

    function: str
    place: Place
