"""The outlines of modules: they tell whether more than the bodies of functions has changed, and where things stand."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from nines.effects.link import ModuleInfo
from nines.effects.shifts import Marks
from nines.model.code import Function, Module, Program
from nines.model.record import Record

_DIGEST_BYTES = 16
_POSITIONS = ("line", "end_line")
_APART = ("digest", "body", "summary")
"""What a function is compared by for itself."""


class Outline(Record):
    """One module."""

    name: str
    file: str
    content: bytes
    outline: bytes
    """Everything but positions and the bodies of functions."""
    marks: msgspec.Raw
    registering: tuple[int, ...] = ()
    """Its functions that may register something when the project is imported, by number."""


_ENCODER = msgspec.msgpack.Encoder()
_MARKS = msgspec.msgpack.Decoder(Marks)


def marks_of(module: Outline) -> Marks | None:
    try:
        return _MARKS.decode(module.marks)
    except msgspec.DecodeError:
        return None


def outlines(program: Program, before: tuple[Outline, ...]) -> tuple[Outline, ...]:
    """One for each module, those of before for the ones that have not changed."""
    known = {each.name: each for each in before}
    made: list[Outline] = []
    seen: set[str] = set()
    for module in program.modules:
        if module.name in seen:
            continue
        seen.add(module.name)
        content = digest(_ENCODER.encode(module))
        old = known.get(module.name)
        made.append(old if old is not None and old.content == content else _outline(module, content))
    return tuple(made)


def _outline(module: Module, content: bytes) -> Outline:
    positions: list[int] = []
    body = _bare(module.body, positions)
    outline = (module.name, module.file, module.is_package, module.language, module.prefix, body)
    functions = tuple(
        (info.node.line, info.node.end_line, info.node.digest) for info in ModuleInfo(module).every_function()
    )
    return Outline(
        name=module.name,
        file=module.file,
        content=content,
        outline=digest(repr(outline).encode("utf-8", "replace")),
        marks=msgspec.Raw(_ENCODER.encode(Marks(positions=tuple(positions), functions=functions))),
    )


def digest(content: bytes) -> bytes:
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
