"""What has changed between two states of a module: which functions, and where everything else now stands."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from nines.effects.packing import Packed
from nines.model.place import Place
from nines.model.record import Record
from nines.model.schema import Table
from nines.model.trace import Blind


class Marks(Record, array_like=True):
    """Where the parts of a module stand."""

    positions: tuple[int, ...] = ()
    """The lines of all that is not a function's body, node by node."""
    functions: tuple[tuple[int, int, bytes], ...] = ()
    """First and last line and the content of each function, by number."""


class Lost(Exception):  # noqa: N818
    """It cannot be said where something stands now."""


class Shift:
    """From the lines of one state of a module to those of another; `back` leads the other way."""

    def __init__(self, before: Marks, after: Marks) -> None:
        self._lines: dict[int, int] = {}
        self._bodies: list[tuple[int, int, int | None]] = []
        """First and last line of each function, and how far it has moved; None where its body is another one."""
        for old, new in zip(before.positions, after.positions, strict=True):
            # One line that has become two leads nowhere, and a place without a line was never more than a guess.
            self._lines[old] = new if self._lines.get(old, new) == new else 0
        for (first, last, content), (moved, _, other) in zip(before.functions, after.functions, strict=True):
            self._bodies.append((first, last, moved - first if content == other else None))
        self._bodies.sort(key=lambda body: body[0])
        self.is_still = all(old == new for old, new in self._lines.items()) and not any(d for *_, d in self._bodies)

    def line(self, line: int) -> int:
        """Where this line stands now; raises Lost."""
        index = bisect_left(self._bodies, line, key=lambda body: body[0]) - 1
        if index >= 0:
            _, last, distance = self._bodies[index]
            if line <= last and distance is not None:
                return line + distance
        found = self._lines.get(line, 0)
        if line <= 1 or not found:
            raise Lost
        return found


class Moves:
    """All modules that have moved, by file."""

    def __init__(self, forward: Mapping[str, Shift], back: Mapping[str, Shift]) -> None:
        self._forward = forward
        self._back = back
        self._names = [file.encode() for file in forward]
        any_of = "|".join(map(re.escape, forward))
        self._site = re.compile(rf"(?P<file>{any_of}):(?P<line>\d+)")
        self._written = re.compile(rf"(?P<file>{any_of})(?P<between>', line=|:)(?P<line>\d+)")
        self._turned = re.compile(rf"line=(?P<line>\d+), file='(?P<file>{any_of})'")
        self._ends = re.compile(rf"(?P<start>file='(?P<file>{any_of})', [^()]*?end_line=)(?P<line>\d+)")

    def __bool__(self) -> bool:
        return bool(self._forward)

    def concerns(self, packed: bytes) -> bool:
        return any(name in packed for name in self._names)

    def earlier(self, text: str) -> str:
        """The text as it was written of the earlier state: its places and sites lead to the lines of then."""
        if not self._forward:
            return text
        text = self._turned.sub(lambda m: f"line={self._earlier(m['file'], m['line'])}, file='{m['file']}'", text)
        text = self._ends.sub(lambda m: f"{m['start']}{self._earlier(m['file'], m['line'])}", text)
        return self._written.sub(lambda m: f"{m['file']}{m['between']}{self._earlier(m['file'], m['line'])}", text)

    def _earlier(self, file: str, line: str) -> str:
        if line in ("0", "1"):
            return line
        try:
            return str(self._back[file].line(int(line)))
        except Lost:
            return "?"

    def moved(self, raw: bytes, told: tuple[Packed, ...]) -> tuple[Packed, ...]:
        """What was told of entry points, at today's places; `raw` is the same, encoded. Raises Lost."""
        connections = [each.connection for packed in told for each in packed.trace.transactions]
        named = sum(len(self._site.findall(connection)) for connection in connections)
        if named != len(self._site.findall(raw.decode("utf-8", "replace"))):
            # A line stands where none is expected.
            raise Lost
        return tuple([self._moved(packed) for packed in told])

    def _moved(self, packed: Packed) -> Packed:
        trace = packed.trace
        transactions = tuple(
            replace(each, place=self._place(each.place), connection=self._site.sub(self._now, each.connection))
            for each in trace.transactions
        )
        effects = tuple(
            replace(each, place=self._place(each.place), retries=self._all(each.retries)) for each in trace.effects
        )
        endpoint = packed.endpoint
        return replace(
            packed,
            endpoint=replace(
                endpoint,
                place=self._place(endpoint.place),
                parameters=self._all(endpoint.parameters),
                guards=self._all(endpoint.guards),
            ),
            trace=replace(trace, effects=effects, transactions=transactions, blind=self.blind(trace.blind)),
            conditions=self._all(packed.conditions),
            path=self._all(packed.path),
            loops=self._all(packed.loops),
            handlers=self._all(packed.handlers),
        )

    def blind(self, blind: tuple[Blind, ...]) -> tuple[Blind, ...]:
        return tuple([replace(each, place=self._place(each.place), path=self._all(each.path)) for each in blind])

    def tables(self, tables: tuple[Table, ...]) -> tuple[Table, ...]:
        if not self._forward:
            return tables
        return tuple(
            replace(
                each,
                place=self._place(each.place),
                columns=self._all(each.columns),
                relationships=self._all(each.relationships),
            )
            for each in tables
        )

    def _now(self, site: re.Match[str]) -> str:
        return f"{site['file']}:{self._forward[site['file']].line(int(site['line']))}"

    def _all(self, things: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple([replace(each, place=self._place(each.place)) for each in things]) if things else things

    def _place(self, place: Place | None) -> Place | None:
        if place is None:
            return None
        shift = self._forward.get(place.file)
        if shift is None:
            return place
        end = shift.line(place.end_line) if place.end_line else 0
        return replace(place, line=shift.line(place.line), end_line=end)
