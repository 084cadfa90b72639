"""Settings of a service: read once from the environment into a frozen Struct, all that is wrong told at once.

    class Settings(msgspec.Struct, frozen=True, kw_only=True):
        db_url: Url
        cursor_key: Hidden
        drain_s: Duration = Duration(10)

    settings = read_settings(Settings)

The field `db_url` is the variable DB_URL, or the content of the file that DB_URL_FILE names. No value is printed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin
from urllib.parse import urlsplit

import msgspec

from nines_runtime.web.faults import bare, is_optional_of

Shape = TypeVar("Shape", bound=msgspec.Struct)
FILE_BYTES_MAX = 65_536
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?(ms|s|m|h|d|)\Z")
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class SettingsError(Exception):
    """Names everything that is missing or wrong, and no value."""


class Hidden:
    """A secret: it is there, and printed as if it were not."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Hidden([redacted])"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)


class Url(str):
    """With a scheme and a host; what it may carry as a password is not printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        parts = urlsplit(str(self))
        return f"Url('{parts.scheme}://[redacted]')"


class Duration(float):
    """Seconds; read from 10, 10s, 500ms, 5m, 1h or 7d."""

    __slots__ = ()


class UnusableError(ValueError):
    """What was expected instead; never the value."""


def read_settings(
    shape: type[Shape],
    environment: Mapping[str, str] | None = None,
    *,
    otherwise: Mapping[str, Callable[[], str]] | None = None,
) -> Shape:
    """`otherwise` makes up, by the variable's name, what is not set: the keys of a laptop. Raises SettingsError."""
    given = os.environ if environment is None else environment
    found: dict[str, Any] = {}
    missing: list[str] = []
    wrong: list[str] = []
    for field in msgspec.structs.fields(shape):
        name = field.name.upper()
        try:
            text = _text(name, given)
            if text is None and otherwise is not None and name in otherwise:
                text = otherwise[name]()
            if text is not None:
                found[field.name] = _read(text, field.type)
            elif field.required:
                missing.append(name)
        except UnusableError as problem:
            wrong.append(f"{name} ({problem})")
    if missing or wrong:
        raise SettingsError(_told(missing, wrong))
    return shape(**found)


def names(settings: msgspec.Struct) -> tuple[str, ...]:
    """Which settings there are; what a service may tell about itself at its start."""
    return tuple(field.name.upper() for field in msgspec.structs.fields(settings) if getattr(settings, field.name))


def _text(name: str, given: Mapping[str, str]) -> str | None:
    direct, file = given.get(name), given.get(f"{name}_FILE")
    if direct is not None and file is not None:
        raise UnusableError(f"both it and {name}_FILE are set")
    if file is None:
        return direct
    try:
        with Path(file).open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise UnusableError(f"the file that {name}_FILE names is larger than {FILE_BYTES_MAX:,} bytes")
        return content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as problem:
        raise UnusableError(f"the file that {name}_FILE names cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise UnusableError(f"the file that {name}_FILE names is not UTF-8") from None


def _read(text: str, type_: Any) -> Any:
    plain = bare(is_optional_of(type_))
    if plain is Hidden:
        if not text:
            raise UnusableError("must not be empty")
        return Hidden(text)
    if plain is Url:
        return _url(text)
    if plain is Duration:
        return _duration(text)
    value: Any = text
    if plain is bool:
        value = _TRUTHS.get(text.strip().lower(), text)
    elif plain in (int, float):
        value = _number(text, plain)
    elif get_origin(plain) in (tuple, list):
        value = [part.strip() for part in text.split(",") if part.strip()]
    return _checked(value, type_, plain)


def _checked(value: Any, type_: Any, plain: Any) -> Any:
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as problem:
        if get_origin(plain) is Literal:
            raise UnusableError(f"must be one of {', '.join(map(str, get_args(plain)))}") from None
        if plain is bool:
            raise UnusableError("must be true or false") from None
        # Its words name what is expected, never what was given; only those of an enumeration do.
        raise UnusableError(re.sub(r"value '.*'", "value", str(problem), flags=re.DOTALL)) from None


def _url(text: str) -> Url:
    try:
        # A cluster has several hosts, with commas between them.
        scheme, separator, rest = text.strip().partition("://")
        cut = re.search(r"[/?#]", rest)
        hosts, after = (rest[: cut.start()], rest[cut.start() :]) if cut else (rest, "")
        parts = [urlsplit(f"{scheme}{separator}{host}{after}") for host in hosts.split(",")]
        is_whole = all(each.scheme and each.hostname and (each.port is None or each.port > 0) for each in parts)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise UnusableError("must be a URL with a scheme and a host")
    return Url(text.strip())


def _duration(text: str) -> Duration:
    matched = _DURATION.match(text.strip())
    if matched is None:
        raise UnusableError("must be a duration such as 500ms, 10s or 5m")
    return Duration(float(matched[1]) * _UNITS[matched[2]])


def _number(text: str, kind: Any) -> Any:
    try:
        return kind(text.strip())
    except ValueError:
        raise UnusableError(f"must be {'an integer' if kind is int else 'a number'}") from None


def _told(missing: list[str], wrong: list[str]) -> str:
    said = []
    if missing:
        said.append(f"These settings are missing: {', '.join(missing)}.")
    if wrong:
        said.append(f"These cannot be used: {'; '.join(wrong)}.")
    said.append("Each is the variable of that name, or the content of the file that the same name with _FILE names.")
    return " ".join(said)
