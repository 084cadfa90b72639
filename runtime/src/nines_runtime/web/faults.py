"""Everything that is wrong with a value, each as a JSON pointer and a sentence.

A decoder stops at the first fault. Only once it has, the value is gone through again by its type, for all of them."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

FAULTS_MAX = 20
_ARRAYS = (list, tuple, set, frozenset)
_AT = re.compile(r" - at `(key in )?\$(?P<path>.*)`\Z", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_KINDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "an array",
    "null": "null",
    "datetime": "a time after RFC 3339",
    "date": "a date",
    "uuid": "a UUID",
    "decimal": "a decimal number as a string",
}
_BOUND = re.compile(r"Expected `(\w+)` (>=|<=|>|<) (\S+)\Z")
_LENGTH = re.compile(r"Expected `(\w+)` of length (>=|<=|==) (\d+)\Z")
_WRONG = re.compile(r"Expected `([^`]+)`, got `(\w+)`\Z")
_PATTERN = re.compile(r"Expected `str` matching regex '(.*)'\Z", re.DOTALL)
_BOUNDS = {">=": "Must be at least", "<=": "Must be at most", ">": "Must be greater than", "<": "Must be less than"}
_FIXED = {
    "Invalid RFC3339 encoded datetime": "Must be a time after RFC 3339, such as 2030-01-31T12:00:00Z.",
    "Invalid RFC3339 encoded date": "Must be a date after RFC 3339, such as 2030-01-31.",
    "Invalid UUID": "Must be a UUID.",
    "Invalid decimal string": "Must be a decimal number as a string.",
    "Invalid base64 encoded string": "Must be base64.",
    "Expected `datetime` with a timezone component": "Must be a time with its offset, such as 2030-01-31T12:00:00Z.",
}


def faults(value: Any, shape: Any, said: str = "") -> tuple[tuple[str, str], ...]:
    """At most FAULTS_MAX; `said` is what the decoder stopped with, for what only it can see."""
    found = tuple(islice(_faults(value, shape, ""), FAULTS_MAX))
    return found or (_told(said),)


def bare(type_: Any) -> Any:
    """Without its constraints."""
    return get_args(type_)[0] if get_origin(type_) is Annotated else type_


def is_optional_of(type_: Any) -> Any:
    """What a type allows beside null and absence, where that is one thing; else the type itself."""
    plain = bare(type_)
    if get_origin(plain) not in (Union, types.UnionType):
        return type_
    members = _members(plain)
    return members[0] if len(members) == 1 else type_


def _members(union: Any) -> list[Any]:
    return [each for each in get_args(union) if each not in (types.NoneType, msgspec.UnsetType)]


def _faults(value: Any, type_: Any, pointer: str) -> Iterator[tuple[str, str]]:
    plain = bare(type_)
    origin = get_origin(plain)
    if origin in (Union, types.UnionType):
        members = _members(plain)
        if value is None and types.NoneType in get_args(plain):
            return
        if len(members) == 1:
            yield from _faults(value, members[0], pointer)
            return
    found = False
    for each in _inner(value, plain, origin, pointer):
        found = True
        yield each
    if not found:
        yield from _leaf(value, type_, pointer)


def _inner(value: Any, plain: Any, origin: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct) and isinstance(value, dict):
        yield from _of_struct(value, plain, pointer)
    elif origin in _ARRAYS and isinstance(value, list) and _is_alike(get_args(plain)):
        for at, each in enumerate(value):
            yield from _faults(each, get_args(plain)[0], f"{pointer}/{at}")
    elif origin is dict and isinstance(value, dict):
        for name, each in value.items():
            yield from _faults(each, get_args(plain)[1], f"{pointer}/{_escaped(name)}")


def _is_alike(members: tuple[Any, ...]) -> bool:
    return len(members) == 1 or (len(members) == 2 and members[1] is Ellipsis)


def _of_struct(value: dict[str, Any], shape: Any, pointer: str) -> Iterator[tuple[str, str]]:
    config = shape.__struct_config__
    if config.tag is not None or config.array_like:
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for name, field in fields.items():
        if name in value:
            yield from _faults(value[name], field.type, f"{pointer}/{_escaped(name)}")
        elif field.required:
            yield f"{pointer}/{_escaped(name)}", "This member is missing."
    if config.forbid_unknown_fields:
        for name in value:
            if name not in fields:
                yield f"{pointer}/{_escaped(name)}", "There is no such member."


def _leaf(value: Any, type_: Any, pointer: str) -> Iterator[tuple[str, str]]:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        below, detail = _told(str(error), type_)
        yield pointer + below, detail


def _told(said: str, type_: Any = None) -> tuple[str, str]:
    """What the decoder said, in words for callers."""
    matched = _AT.search(said)
    pointer = ""
    if matched:
        said = said[: matched.start()]
        pointer = "".join(f"/{_escaped(name or index)}" for name, index in _STEP.findall(matched["path"]))
    return pointer, _words(said, type_)


def _words(said: str, type_: Any) -> str:
    if said in _FIXED:
        return _FIXED[said]
    if said.startswith("Invalid enum value"):
        plain = bare(is_optional_of(type_))
        return (
            f"Must be one of {', '.join(map(str, get_args(plain)))}."
            if get_origin(plain) is Literal
            else "Is none of the values that there are."
        )
    if matched := _BOUND.match(said):
        return f"{_BOUNDS[matched[2]]} {matched[3]}."
    if matched := _LENGTH.match(said):
        unit = "character" if matched[1] == "str" else "item"
        most = {"<=": "At most", ">=": "At least", "==": "Exactly"}[matched[2]]
        return f"{most} {int(matched[3]):,} {unit}{'' if matched[3] == '1' else 's'}."
    if matched := _PATTERN.match(said):
        return f"Must match {matched[1]}."
    if matched := _WRONG.match(said):
        wanted = " or ".join(_KINDS.get(each.strip(), each.strip()) for each in matched[1].split("|"))
        return f"Must be {wanted}."
    return said if said.endswith(".") else f"{said}."


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
