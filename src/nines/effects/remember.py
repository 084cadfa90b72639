"""What was told of an entry point is told again, while nothing that it looked at has changed.

The memory is worth as much as whoever keeps it: hand in only bytes that came from here, under the same `stamp`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from nines.effects.entries.entry import Entry
from nines.effects.interpret.world import World
from nines.effects.packing import Packed, Told, pack, unpack
from nines.effects.unfold import unfold
from nines.effects.unfold.relocate import relocated
from nines.model.code import Module, Program
from nines.model.record import Record

_DIGEST_BYTES = 16
_POSITIONS = ("line", "column", "end_line", "summary")


class _Module(Record):
    name: str
    file: str
    content: bytes
    outline: bytes
    """Everything but positions and the bodies of functions."""


class _Unit(Record):
    key: bytes
    touched: bytes
    """The modules that it looked at, one bit for each in their order."""
    calls: int
    unresolved: int
    told: msgspec.Raw


class _Remembered(Record):
    settings: bytes
    modules: tuple[_Module, ...]
    units: tuple[_Unit, ...]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Remembered)
_TOLD = msgspec.msgpack.Decoder(tuple[Packed, ...])


class Memory:
    """What an earlier analysis remembered, and what this one will."""

    def __init__(
        self, world: World, program: Program, remembered: bytes, stamp: bytes, signatures: Mapping[str, Any] | None
    ) -> None:
        self._world = world
        self.calls = self.unresolved = 0
        self.reused = 0
        settings = (stamp, msgspec.json.encode(signatures or {}, order="deterministic"), program.statements)
        self._settings = _digest(_ENCODER.encode(settings))
        before = _decoded(remembered) if remembered else None
        self._modules = _modules(world, program, before)
        self._changed = 0
        self._before = self._usable(before)
        self._units: dict[bytes, _Unit] = {}
        self._common = b""

    def begin(self, common: str) -> None:
        """Everything is registered now; `common` tells what every entry point depends on."""
        self._common = _digest(common.encode())
        if self._changed & self._world.always:
            self._before = {}

    def tell(self, what: str, make: Callable[[], Iterable[Entry]]) -> list[Told]:
        """The endpoints and traces of one unit, remembered or made."""
        world = self._world
        key = _digest(self._common + what.encode("utf-8", "replace"))
        known = self._before.get(key)
        if known is not None and not int.from_bytes(known.touched) & self._changed:
            try:
                told = [unpack(packed) for packed in _TOLD.decode(known.told)]
            except (msgspec.DecodeError, IndexError):
                pass
            else:
                self.reused += 1
                return self._note(known, told)
        world.start_unit()
        told = []
        for entry in make():
            trace = unfold(entry.endpoint.id, entry.nodes, mode=entry.mode, returned=entry.returned)
            told.append(Told(endpoint=entry.endpoint, trace=relocated(trace, entry.endpoint.place)))
        touched = world.standing.touched
        unit = _Unit(
            key=key,
            touched=touched.to_bytes((touched.bit_length() + 7) // 8),
            calls=world.calls + world.calls_below,
            unresolved=world.unresolved + world.unresolved_below,
            told=msgspec.Raw(_ENCODER.encode([pack(each) for each in told])),
        )
        return self._note(unit, told)

    def _note(self, unit: _Unit, told: list[Told]) -> list[Told]:
        self._units[unit.key] = unit
        self.calls += unit.calls
        self.unresolved += unit.unresolved
        return told

    def encoded(self) -> bytes:
        return _ENCODER.encode(
            _Remembered(settings=self._settings, modules=self._modules, units=tuple(self._units.values()))
        )

    def _usable(self, before: _Remembered | None) -> dict[bytes, _Unit]:
        """The former units, if all that changed are functions' bodies; notes which modules did."""
        if before is None or before.settings != self._settings or len(before.modules) != len(self._modules):
            return {}
        for old, new in zip(before.modules, self._modules, strict=True):
            if old.content == new.content:
                continue
            if (old.name, old.file, old.outline) != (new.name, new.file, new.outline):
                return {}
            self._changed |= self._world.linked.modules[new.name].bit
        return {unit.key: unit for unit in before.units}


def _decoded(remembered: bytes) -> _Remembered | None:
    try:
        return _DECODER.decode(remembered)
    except msgspec.DecodeError:
        return None


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
        if old is not None and old.content == content:
            made.append(old)
        else:
            outline = _outline(module)
            made.append(_Module(name=module.name, file=module.file, content=content, outline=outline))
    return tuple(made)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()


_KEPT: dict[type, tuple[str, ...]] = {}


def _outline(module: Module) -> bytes:
    outline = (module.name, module.file, module.is_package, module.language, module.prefix, _bare(module.body))
    return _digest(repr(outline).encode("utf-8", "replace"))


def _bare(node: Any) -> Any:
    """The node without its positions and without the bodies of functions."""
    if isinstance(node, tuple):
        return tuple([_bare(each) for each in node])
    if not isinstance(node, msgspec.Struct):
        return None if isinstance(node, msgspec.Raw) else node
    kind = type(node)
    kept = _KEPT.get(kind)
    if kept is None:
        kept = _KEPT[kind] = tuple(name for name in kind.__struct_fields__ if name not in _POSITIONS)
    return (kind.__name__, *[_bare(getattr(node, name)) for name in kept])
