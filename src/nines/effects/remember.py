"""What was told of an entry point is told again, while nothing that it looked at has changed.

The memory is worth as much as whoever keeps it: hand in only bytes that came from here, under the same `stamp`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from nines.effects.entries.entry import Entry
from nines.effects.interpret.state.world import World
from nines.effects.link import FunctionInfo, ModuleInfo
from nines.effects.packing import Packed, Told, pack, unpack
from nines.effects.shifts import Lost, Marks, Moves, Shift
from nines.effects.unfold import unfold
from nines.effects.unfold.relocate import relocated
from nines.model.code import Function, Module, Program
from nines.model.record import Record

_DIGEST_BYTES = 16
_POSITIONS = ("line", "end_line")
_APART = ("digest", "body", "summary")
"""What a function is compared by for itself."""


class _Module(Record):
    name: str
    file: str
    content: bytes
    outline: bytes
    """Everything but positions and the bodies of functions."""
    marks: msgspec.Raw
    registering: tuple[int, ...] = ()
    """Its functions that may register something when the project is imported, by number."""


class _Unit(Record):
    key: bytes
    touched: bytes
    """The functions whose bodies were read for it, one bit for each in the order of those remembered."""
    calls: int
    unresolved: int
    told: msgspec.Raw


class _Remembered(Record):
    settings: bytes
    modules: tuple[_Module, ...]
    functions: tuple[tuple[str, int], ...]
    units: tuple[_Unit, ...]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Remembered)
_MARKS = msgspec.msgpack.Decoder(Marks)
_TOLD = msgspec.msgpack.Decoder(tuple[Packed, ...])


class Memory:
    """What an earlier analysis remembered, and what this one will; made before the world has read anything."""

    def __init__(
        self, world: World, program: Program, remembered: bytes, stamp: bytes, signatures: Mapping[str, Any] | None
    ) -> None:
        self._world = world
        self.calls = self.unresolved = 0
        self.reused = 0
        settings = (stamp, msgspec.json.encode(signatures or {}, order="deterministic"), program.statements)
        self._settings = _digest(_ENCODER.encode(settings))
        before = _decoded(remembered) if remembered else None
        if before is not None and before.settings != self._settings:
            before = None
        self._found: dict[str, tuple[int, ...]] = {}
        self._modules = _modules(world, program, before)
        remembered_before = set(map(id, before.modules)) if before is not None else set()
        self._known = {each.name: each.registering for each in self._modules if id(each) in remembered_before}
        self._changed = 0
        self._moves = Moves({}, {})
        self._before = self._usable(before)
        self._units: dict[bytes, _Unit] = {}
        self._common = self._earlier_common = b""

    def registering(self, module: ModuleInfo, find: Callable[[ModuleInfo], tuple[int, ...]]) -> tuple[int, ...]:
        """Which functions of a module may register something: as remembered, or as found now."""
        known = self._known.get(module.name)
        if known is not None:
            return known
        found = self._found[module.name] = find(module)
        return found

    def begin(self, common: str) -> None:
        """Everything is registered now; `common` tells what every entry point depends on."""
        self._common = _digest(common.encode("utf-8", "replace"))
        self._earlier_common = _digest(self._moves.earlier(common).encode("utf-8", "replace"))
        if self._changed & self._world.always:
            self._before = {}

    def tell(self, what: str, make: Callable[[], Iterable[Entry]]) -> list[Told]:
        """The endpoints and traces of one unit, remembered or made."""
        key = _digest(self._common + what.encode("utf-8", "replace"))
        known = self._remembered(key, what)
        if known is not None:
            self.reused += 1
            return self._note(*known)
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
        touched = world.standing.touched
        unit = _Unit(
            key=key,
            touched=touched.to_bytes((touched.bit_length() + 7) // 8),
            calls=world.calls + world.calls_below,
            unresolved=world.unresolved + world.unresolved_below,
            told=_encoded(map(pack, told)),
        )
        return self._note(unit, told)

    def _remembered(self, key: bytes, what: str) -> tuple[_Unit, list[Told]] | None:
        moves = self._moves
        earlier = _digest(self._earlier_common + moves.earlier(what).encode("utf-8", "replace")) if moves else key
        known = self._before.get(earlier)
        if known is None or int.from_bytes(known.touched) & self._changed:
            return None
        raw = bytes(known.told)
        try:
            packed = _TOLD.decode(raw)
            if moves and moves.concerns(raw):
                packed = moves.moved(raw, packed)
                known = msgspec.structs.replace(known, key=key, told=_encoded(packed))
            elif known.key != key:
                known = msgspec.structs.replace(known, key=key)
            return known, [unpack(each) for each in packed]
        except (msgspec.DecodeError, IndexError, Lost):
            return None

    def _note(self, unit: _Unit, told: list[Told]) -> list[Told]:
        self._units[unit.key] = unit
        self.calls += unit.calls
        self.unresolved += unit.unresolved
        return told

    def encoded(self) -> bytes:
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
            )
        )

    def _usable(self, before: _Remembered | None) -> dict[bytes, _Unit]:
        """The former units, if all that changed are functions' bodies and where things stand; notes both."""
        if before is None or len(before.modules) != len(self._modules):
            return {}
        forward: dict[str, Shift] = {}
        back: dict[str, Shift] = {}
        changed: set[tuple[str, int]] = set()
        for old, new in zip(before.modules, self._modules, strict=True):
            if old.content == new.content:
                continue
            if (old.name, old.file, old.outline) != (new.name, new.file, new.outline):
                return {}
            was, now = _marks(old), _marks(new)
            if was is None or now is None or len(was.positions) != len(now.positions):
                return {}
            pairs = zip(was.functions, now.functions, strict=True)
            changed |= {(new.name, number) for number, (one, two) in enumerate(pairs) if one[2] != two[2]}
            shift = Shift(was, now)
            if not shift.is_still:
                forward[new.file], back[new.file] = shift, Shift(now, was)
        self._moves = Moves(forward, back)
        marks = self._world.marks
        # The functions get the bits that they had: nothing has been read yet.
        marks.update((each, 1 << bit) for bit, each in enumerate(before.functions))
        self._changed = sum(marks[each] for each in changed if each in marks)
        return {unit.key: unit for unit in before.units}


def _decoded(remembered: bytes) -> _Remembered | None:
    try:
        return _DECODER.decode(remembered)
    except msgspec.DecodeError:
        return None


def _marks(module: _Module) -> Marks | None:
    try:
        return _MARKS.decode(module.marks)
    except msgspec.DecodeError:
        return None


def _encoded(told: Iterable[Packed]) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(list(told)))


def _modules(world: World, program: Program, before: _Remembered | None) -> tuple[_Module, ...]:
    known = {each.name: each for each in before.modules} if before is not None else {}
    made: list[_Module] = []
    seen: set[str] = set()
    for module in program.modules:
        if module.name in seen or module.name not in world.linked.modules:
            continue
        seen.add(module.name)
        content = _digest(_ENCODER.encode(module))
        old = known.get(module.name)
        made.append(old if old is not None and old.content == content else _module(world, module, content))
    return tuple(made)


def _module(world: World, module: Module, content: bytes) -> _Module:
    positions: list[int] = []
    body = _bare(module.body, positions)
    outline = (module.name, module.file, module.is_package, module.language, module.prefix, body)
    functions = tuple(
        (info.node.line, info.node.end_line, info.node.digest)
        for info in world.linked.modules[module.name].every_function()
    )
    return _Module(
        name=module.name,
        file=module.file,
        content=content,
        outline=_digest(repr(outline).encode("utf-8", "replace")),
        marks=msgspec.Raw(_ENCODER.encode(Marks(positions=tuple(positions), functions=functions))),
    )


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()


_KEPT: dict[type, tuple[tuple[str, ...], tuple[str, ...]]] = {}


def _bare(node: Any, positions: list[int]) -> Any:
    """The node without its positions, which are added to the list, and without the bodies of functions."""
    if isinstance(node, tuple):
        return tuple([_bare(each, positions) for each in node])
    if not isinstance(node, msgspec.Struct):
        return node
    kind = type(node)
    kept = _KEPT.get(kind)
    if kept is None:
        fields = kind.__struct_fields__
        apart = _APART if kind is Function else ()
        kept = _KEPT[kind] = (
            tuple(name for name in fields if name not in _POSITIONS and name not in apart),
            tuple(name for name in fields if name in _POSITIONS),
        )
    positions.extend([getattr(node, name) for name in kept[1]])
    return (kind.__name__, *[_bare(getattr(node, name), positions) for name in kept[0]])
