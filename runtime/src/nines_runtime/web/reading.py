"""From the bytes of a body, a form or a query string to the Struct that an operation takes; strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin
from urllib.parse import unquote_plus

import msgspec

from nines_runtime.web.faults import bare, faults, is_optional_of
from nines_runtime.web.problem import Problem

DEPTH_MAX = 32
"""Of a JSON document: objects and arrays within one another."""
PARAMETERS_MAX = 64
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})\Z")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,15})?\Z")
_TRUTHS = {"true": True, "false": False}
_read_any = msgspec.json.Decoder().decode


def json_reader(shape: Any) -> Callable[[bytes], Any]:
    """Reads one JSON document as a Struct; raises Problem("malformed-request") and Problem("invalid-request")."""
    decode = msgspec.json.Decoder(shape).decode

    def read(body: bytes) -> Any:
        if body.count(b"{") + body.count(b"[") > DEPTH_MAX and _depth(body) > DEPTH_MAX:
            raise Problem("malformed-request", f"The body is nested more than {DEPTH_MAX} deep.")
        try:
            found = decode(body)
        except msgspec.ValidationError as error:
            # It stopped at the first fault; what comes behind it may be no JSON at all.
            raise Problem("invalid-request", errors=faults(_document(body), shape, str(error))) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Problem("malformed-request") from None
        if b"\\u0000" in body and (wrong := _nul(_read_any(body))):
            raise Problem("invalid-request", errors=tuple((each, "Must not hold U+0000.") for each in wrong))
        return found

    return read


def _document(body: bytes) -> Any:
    try:
        return _read_any(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem("malformed-request") from None


def form_reader(shape: Any) -> Callable[[bytes], Any]:
    """Reads application/x-www-form-urlencoded; its pointers are those of an object with the fields as members."""
    coerce = _coercions(shape)

    def read(body: bytes) -> Any:
        try:
            values = pairs(body.decode("ascii"))
        except ValueError:
            raise Problem("malformed-request", "The body is not a form.") from None
        return _convert(values, shape, coerce, "invalid-request", "/")

    return read


def query_reader(shape: Any) -> Callable[[Mapping[str, list[str]]], Any]:
    """Takes what `pairs` made of the query string."""
    coerce = _coercions(shape)

    def read(values: Mapping[str, list[str]]) -> Any:
        return _convert(values, shape, coerce, "invalid-parameter", "")

    return read


def pairs(text: str) -> dict[str, list[str]]:
    """Every name with its values; raises ValueError for what is not UTF-8, holds U+0000, or is too much."""
    found: dict[str, list[str]] = {}
    if not text:
        return found
    parts = text.split("&")
    if len(parts) > PARAMETERS_MAX:
        raise ValueError(f"There are more than {PARAMETERS_MAX} parameters.")
    for part in parts:
        name, _, value = part.partition("=")
        if part:
            found.setdefault(_plain(name), []).append(_plain(value))
    return found


def _plain(text: str) -> str:
    plain = unquote_plus(text, errors="strict") if "%" in text or "+" in text else text
    if "\0" in plain:
        raise ValueError("A parameter holds U+0000.")
    return plain


def _convert(
    values: Mapping[str, list[str]], shape: Any, coerce: Mapping[str, Callable[[str], Any]], code: str, root: str
) -> Any:
    flat: dict[str, Any] = {}
    for name, given in values.items():
        if len(given) > 1:
            raise Problem(code, errors=((root + name, "Is given more than once."),))
        flat[name] = coerce[name](given[0]) if name in coerce else given[0]
    try:
        return msgspec.convert(flat, shape)
    except msgspec.ValidationError as error:
        found = faults(flat, shape, str(error))
        raise Problem(code, errors=tuple((root + pointer[1:], detail) for pointer, detail in found)) from None


def _coercions(shape: Any) -> dict[str, Callable[[str], Any]]:
    """A form and a query string hold text alone: what else a member wants is read from it, or left to be refused."""
    found: dict[str, Callable[[str], Any]] = {}
    for field in msgspec.structs.fields(shape):
        plain = bare(is_optional_of(field.type))
        if plain is int:
            found[field.encode_name] = _integer
        elif plain is float:
            found[field.encode_name] = _number
        elif plain is bool:
            found[field.encode_name] = lambda text: _TRUTHS.get(text, text)
        elif get_origin(plain) in (list, tuple, set, frozenset):
            inner = bare((get_args(plain) or (str,))[0])
            found[field.encode_name] = _integers if inner is int else _texts
    return found


def _integer(text: str) -> Any:
    return int(text) if _INTEGER.match(text) else text


def _number(text: str) -> Any:
    return float(text) if _NUMBER.match(text) else text


def _texts(text: str) -> list[str]:
    return text.split(",") if text else []


def _integers(text: str) -> list[Any]:
    return [_integer(each) for each in _texts(text)]


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", body)):
        depth += 1 if bracket in (b"[", b"{") else -1
        deepest = max(deepest, depth)
    return deepest


def _nul(value: Any, pointer: str = "") -> list[str]:
    """Pointers of texts that hold U+0000, which PostgreSQL cannot keep. Its depth is bounded: the document was read."""
    if isinstance(value, str):
        return [pointer] if "\0" in value else []
    if isinstance(value, dict):
        return [
            found for name, each in value.items() for found in _nul(each, f"{pointer}/{name}") or _nul(name, pointer)
        ]
    if isinstance(value, list):
        return [found for at, each in enumerate(value) for found in _nul(each, f"{pointer}/{at}")]
    return []
