"""What was told of an entry point is told again, while nothing that it looked at has changed.

The memory is worth as much as whoever keeps it: hand in only bytes that came from here, under the same `stamp`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from nines.effects.entries.boot import registering
from nines.effects.entries.entry import Entry
from nines.effects.interpret.state.world import World
from nines.effects.link import FunctionInfo, ModuleInfo
from nines.effects.outlines import Outline, digest, marks_of, outlines
from nines.effects.packing import Packed, Told, pack, unpack
from nines.effects.shifts import Lost, Moves, Shift
from nines.effects.unfold import unfold
from nines.effects.unfold.relocate import relocated
from nines.model.code import Module, Program
from nines.model.record import Record
from nines.model.schema import Table
from nines.model.service import Service
from nines.model.trace import Blind


class _Unit(Record):
    key: bytes
    touched: bytes
    """The functions whose bodies were read for it, one bit for each in the order of those remembered."""
    calls: int
    unresolved: int
    told: msgspec.Raw


class _Apart(Record):
    """A unit that was told in another process, which numbers the functions in its own way."""

    touched: tuple[tuple[str, int], ...]
    calls: int
    unresolved: int
    told: msgspec.Raw


class _Remembered(Record):
    settings: bytes
    modules: tuple[Outline, ...]
    functions: tuple[tuple[str, int], ...]
    units: tuple[_Unit, ...]
    words: bytes
    order: tuple[tuple[int, int], ...]
    """The entry points of the service: the number of the unit, and that within the unit."""
    blind: tuple[Blind, ...]
    tables: msgspec.Raw


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Remembered)
_APART = msgspec.msgpack.Decoder(_Apart)
_TABLES = msgspec.msgpack.Decoder(tuple[Table, ...])
_TOLD = msgspec.msgpack.Decoder(tuple[Packed, ...])


STALE_MIN = 32
"""Remembered units that must be told anew before it pays to ask which they are."""
Make = Callable[[], Iterable[Entry]]
Share = Callable[[int, Callable[[int], bytes]], dict[int, bytes]]
"""Does a number of pieces of work in several processes, and gives what was done: perhaps not all, perhaps nothing."""


class Memory:
    """What an earlier analysis remembered, and what this one will."""

    def __init__(self, program: Program, remembered: bytes, stamp: bytes, signatures: Mapping[str, Any] | None) -> None:
        self._remembers = bool(stamp)
        self.calls = self.unresolved = 0
        self.reused = 0
        self._ready: dict[bytes, _Unit] = {}
        """Told in another process."""
        settings = (stamp, msgspec.json.encode(signatures or {}, order="deterministic"), program.statements)
        self._settings = digest(_ENCODER.encode(settings))
        before = _decoded(remembered) if remembered else None
        if before is not None and before.settings != self._settings:
            before = None
        self._found: dict[str, tuple[int, ...]] = {}
        self._whole = before
        self._program = program
        self._words = b""
        self._modules = outlines(program, before.modules if before is not None else ())
        remembered_before = set(map(id, before.modules)) if before is not None else set()
        self._known = {each.name: each.registering for each in self._modules if id(each) in remembered_before}
        self._changed: set[tuple[str, int]] = set()
        self._changed_bits = 0
        self._moves = Moves({}, {})
        self._before = self._usable(before)
        self._units: dict[bytes, _Unit] = {}
        self._made: dict[int, tuple[int, int]] = {}
        self._common = self._earlier_common = b""
        self._waiting: list[tuple[bytes, Make]] | None = None

    def whole(self, name: str) -> Service | None:
        """The service of the earlier analysis at today's places, if none of the functions that it read is another."""
        before = self._whole
        if before is None or not self._before or self._changed & set(before.functions):
            return None
        words = re.compile(before.words)
        for module in self._program.modules:
            if any(module.name == changed for changed, _ in self._changed) and self._registers_anew(module, words):
                return None
        try:
            units = [self._retold(unit) for unit in before.units]
            blind = self._moves.blind(before.blind)
            tables = self._moves.tables(_TABLES.decode(before.tables))
            told = [units[unit][number] for unit, number in before.order]
        except (msgspec.DecodeError, IndexError, Lost):
            return None
        self.reused = len(units)
        return Service(
            name=name,
            root=self._program.root,
            endpoints=tuple([each.endpoint for each in told]),
            traces=tuple([each.trace for each in told]),
            tables=tables,
            blind=blind,
        )

    def _registers_anew(self, module: Module, words: re.Pattern[bytes]) -> bool:
        before = next((each for each in self._whole.modules if each.name == module.name), None) if self._whole else None
        return before is None or registering(words, ModuleInfo(module)) != before.registering

    def _retold(self, unit: _Unit) -> list[Told]:
        raw = bytes(unit.told)
        packed = _TOLD.decode(raw)
        if self._moves and self._moves.concerns(raw):
            packed = self._moves.moved(raw, packed)
        return [unpack(each) for each in packed]

    def enter(self, world: World) -> None:
        """The world of this analysis, in which nothing has been read yet: its functions get the bits that they had."""
        self._world = world
        if self._whole is not None and self._before:
            world.marks.update((each, 1 << bit) for bit, each in enumerate(self._whole.functions))
        self._changed_bits = sum(world.marks.get(each, 0) for each in self._changed)

    def registering(self, module: ModuleInfo, words: re.Pattern[bytes]) -> tuple[int, ...]:
        """Which functions of a module may register something: as remembered, or as found now."""
        self._words = words.pattern
        known = self._known.get(module.name)
        if known is not None:
            return known
        found = self._found[module.name] = registering(words, module)
        return found

    def begin(self, common: str) -> None:
        """Everything is registered now; `common` tells what every entry point depends on."""
        self._common = digest(common.encode("utf-8", "replace"))
        self._earlier_common = digest(self._moves.earlier(common).encode("utf-8", "replace"))
        if self._changed_bits & self._world.always:
            self._before = {}

    def share(self, share: Share, everything: Callable[[], object]) -> None:
        """Tells the units that `everything` asks for in several processes, where many are not remembered."""
        stale = sum(bool(int.from_bytes(unit.touched) & self._changed_bits) for unit in self._before.values())
        if self._before and stale < STALE_MIN:
            return
        waiting = self._waiting = []
        try:
            everything()
        finally:
            self._waiting = None
        for number, done in share(len(waiting), lambda number: self._apart(*waiting[number])).items():
            found = _APART.decode(done)
            touched = sum({self._world.mark_of(each) for each in found.touched})
            key = waiting[number][0]
            self._ready[key] = _unit(key, touched, found.calls, found.unresolved, found.told)

    def _apart(self, key: bytes, make: Make) -> bytes:
        unit, _ = self._make(key, make)
        names = list(self._world.marks)
        bits = enumerate(reversed(f"{int.from_bytes(unit.touched):b}"))
        touched = tuple(names[bit] for bit, is_set in bits if is_set == "1")
        return _ENCODER.encode(_Apart(touched=touched, calls=unit.calls, unresolved=unit.unresolved, told=unit.told))

    def tell(self, what: str, make: Make) -> list[Told]:
        """The endpoints and traces of one unit, remembered or made."""
        key = digest(self._common + what.encode("utf-8", "replace"))
        ready = self._ready.get(key)
        if ready is not None:
            return self._note(ready, [unpack(each) for each in _TOLD.decode(ready.told)])
        valid = self._valid(key, what)
        if self._waiting is not None:
            if valid is None:
                self._waiting.append((key, make))
            return []
        known = self._remembered(key, valid) if valid is not None else None
        if known is not None:
            self.reused += 1
            return self._note(*known)
        return self._note(*self._make(key, make))

    def _make(self, key: bytes, make: Make) -> tuple[_Unit, list[Told]]:
        world = self._world
        world.start_unit()
        told = []
        for entry in make():
            trace = unfold(entry.endpoint.id, entry.nodes, mode=entry.mode, returned=entry.returned)
            told.append(Told(endpoint=entry.endpoint, trace=relocated(trace, entry.endpoint.place)))
            for found in world.linked.dotted(entry.endpoint.function):
                if isinstance(found, FunctionInfo):
                    # What an endpoint is called, and whether its decorators were understood, is said outside its body.
                    world.look(found)
                    world.standing.recall(found)
        calls, unresolved = world.calls + world.calls_below, world.unresolved + world.unresolved_below
        return _unit(key, world.standing.touched, calls, unresolved, _encoded(map(pack, told))), told

    def _valid(self, key: bytes, what: str) -> _Unit | None:
        """The unit as it was told before, if nothing that was read for it is another."""
        moves = self._moves
        earlier = digest(self._earlier_common + moves.earlier(what).encode("utf-8", "replace")) if moves else key
        known = self._before.get(earlier)
        return None if known is None or int.from_bytes(known.touched) & self._changed_bits else known

    def _remembered(self, key: bytes, known: _Unit) -> tuple[_Unit, list[Told]] | None:
        moves = self._moves
        raw = bytes(known.told)
        try:
            told = self._retold(known)
        except (msgspec.DecodeError, IndexError, Lost):
            return None
        if moves and moves.concerns(raw):
            known = msgspec.structs.replace(known, told=_encoded(map(pack, told)))
        return (known if known.key == key else msgspec.structs.replace(known, key=key)), told

    def _note(self, unit: _Unit, told: list[Told]) -> list[Told]:
        self._made.update((id(each), (len(self._units), number)) for number, each in enumerate(told))
        self._units[unit.key] = unit
        self.calls += unit.calls
        self.unresolved += unit.unresolved
        return told

    def encoded(self, told: list[Told], service: Service) -> bytes:
        """What the next analysis may use; `told` are the entry points of the service."""
        if not self._remembers:
            return b""
        return _ENCODER.encode(
            _Remembered(
                settings=self._settings,
                modules=tuple(
                    msgspec.structs.replace(each, registering=self._found[each.name])
                    if each.name in self._found
                    else each
                    for each in self._modules
                ),
                functions=tuple(self._world.marks),
                units=tuple(self._units.values()),
                words=self._words,
                order=tuple(self._made[id(each)] for each in told),
                blind=service.blind,
                tables=msgspec.Raw(_ENCODER.encode(service.tables)),
            )
        )

    def _usable(self, before: _Remembered | None) -> dict[bytes, _Unit]:
        """The former units, if all that changed are functions' bodies and where things stand; notes both."""
        if before is None or len(before.modules) != len(self._modules):
            return {}
        forward: dict[str, Shift] = {}
        back: dict[str, Shift] = {}
        for old, new in zip(before.modules, self._modules, strict=True):
            if old.content == new.content:
                continue
            if (old.name, old.file, old.outline) != (new.name, new.file, new.outline):
                return {}
            was, now = marks_of(old), marks_of(new)
            if was is None or now is None or len(was.positions) != len(now.positions):
                return {}
            pairs = zip(was.functions, now.functions, strict=True)
            self._changed |= {(new.name, number) for number, (one, two) in enumerate(pairs) if one[2] != two[2]}
            shift = Shift(was, now)
            if not shift.is_still:
                forward[new.file], back[new.file] = shift, Shift(now, was)
        self._moves = Moves(forward, back)
        return {unit.key: unit for unit in before.units}


def _unit(key: bytes, touched: int, calls: int, unresolved: int, told: msgspec.Raw) -> _Unit:
    bits = touched.to_bytes((touched.bit_length() + 7) // 8)
    return _Unit(key=key, touched=bits, calls=calls, unresolved=unresolved, told=told)


def _decoded(remembered: bytes) -> _Remembered | None:
    try:
        return _DECODER.decode(remembered)
    except msgspec.DecodeError:
        return None


def _encoded(told: Iterable[Packed]) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(list(told)))
