"""Reads the configuration: `[tool.nines]` in pyproject.toml, or nines.toml."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec

from nines.model.errors import SettingsError
from nines.model.record import StrictRecord
from nines.model.settings import Settings, seconds, share
from nines.readers.toml import dump

__all__ = ["dump", "load"]

OWN_FILE = "nines.toml"
SHARED_FILE = "pyproject.toml"
BYTES_MAX = 1_000_000
_HINT = "`nines init` writes a configuration that can be read."
_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>[^`]*)`")

_BUDGETS: tuple[tuple[str, Callable[[str], float], str], ...] = (
    ("availability", share, 'a share such as "99.9%"'),
    ("errors", share, 'a share such as "0.1%"'),
    ("p95", seconds, 'a duration such as "200ms"'),
    ("recovery", seconds, 'a duration such as "5m"'),
)
_POSITIVE = (
    *("load.rate_hz", "load.rate_hz_max", "load.duration_s_max", "load.connections_max"),
    *("service.ready_timeout_s", "service.workers"),
)
_NOT_NEGATIVE = ("load.duration_s",)


def load(project: Path, explicit: Path | None = None) -> Settings:
    """The project's settings, the defaults where it has none; raises SettingsError for anything that is wrong."""
    if explicit is not None:
        table = _read(explicit)
        if explicit.name == SHARED_FILE:
            table = _own_table(table, str(explicit))
        return _settings(table, str(explicit))
    own, shared = project / OWN_FILE, project / SHARED_FILE
    own_table = _read(own) if own.is_file() else {}
    shared_table: dict[str, Any] = {}
    if shared.is_file():
        try:
            shared_table = _own_table(_read(shared), str(shared))
        except SettingsError:
            if not own_table:
                raise
    if own_table and shared_table:
        raise SettingsError(
            f"both {OWN_FILE} and [tool.nines] in {SHARED_FILE} configure nines",
            where=str(project),
            hint="Keep one of the two.",
        )
    return _settings(own_table, str(own)) if own_table else _settings(shared_table, f"{shared} [tool.nines]")


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            content = stream.read(BYTES_MAX + 1)
    except OSError as error:
        raise SettingsError(f"it cannot be read: {error.strerror}", where=str(path), hint=_HINT) from None
    if len(content) > BYTES_MAX:
        raise SettingsError(f"it has more than {BYTES_MAX:,} bytes", where=str(path), hint=_HINT)
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise SettingsError(f"this is not valid TOML: {error}", where=str(path), hint=_HINT) from None


def _own_table(document: dict[str, Any], where: str) -> dict[str, Any]:
    tool = document.get("tool", {})
    table = tool.get("nines", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError("`tool.nines` must be a table", where=where, hint=_HINT)
    return table


def _settings(table: dict[str, Any], where: str) -> Settings:
    try:
        settings = msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        raise _explained(str(error), where) from None
    _check(settings, where)
    return settings


def _explained(message: str, where: str) -> SettingsError:
    """msgspec's complaint with the key's path in words, and the nearest key that there is."""
    match = _PATH.match(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    key = path.strip(".")
    unknown = _UNKNOWN.search(what)
    if unknown is None:
        subject = f"`{key}`: " if key else ""
        plain = what.replace("`object`", "a table").replace("`array`", "a list")
        options = _options_at(key)
        hint = f"It is one of {', '.join(options)}." if options else _HINT
        return SettingsError(f"{subject}{plain[:1].lower()}{plain[1:]}", where=where, hint=hint)
    known = _keys_at(key)
    nearest = difflib.get_close_matches(unknown["key"], known, n=1, cutoff=0.5)
    full = f"{key}.{unknown['key']}" if key else unknown["key"]
    hint = f"Did you mean `{nearest[0]}`? " if nearest else ""
    return SettingsError(f"there is no setting `{full}`", where=where, hint=f"{hint}Known here: {', '.join(known)}.")


def _keys_at(path: str) -> list[str]:
    kind = _kind_at(path)
    return list(kind.__struct_fields__) if isinstance(kind, type) and issubclass(kind, StrictRecord) else []


def _options_at(path: str) -> list[str]:
    """The values that a setting can take, where they are few."""
    kind = _kind_at(path)
    return [str(option.value) for option in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []


def _kind_at(path: str) -> Any:
    """The type of what is at a path such as "upstreams[...].answers[0]"; None where nothing is known."""
    kind: Any = Settings
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        if part.startswith("["):
            kind = _inner(kind)
        else:
            kind = get_type_hints(kind).get(part) if isinstance(kind, type) else None
        if not isinstance(kind, type) and not get_args(kind):
            return None
    return kind


def _inner(kind: Any) -> Any:
    """What a mapping or a tuple holds."""
    return next((item for item in reversed(get_args(kind)) if item is not Ellipsis), None)


def _check(settings: Settings, where: str) -> None:
    """What types alone cannot say."""
    for key, read, expected in _BUDGETS:
        text = getattr(settings.budgets, key)
        try:
            is_right = math.isfinite(read(text))
        except (ValueError, OverflowError):
            is_right = False
        if not is_right:
            raise SettingsError(f"`budgets.{key}` is {text!r}; expected {expected}", where=where, hint=_HINT)
    for key in _POSITIVE + _NOT_NEGATIVE:
        section, _, name = key.partition(".")
        value = getattr(getattr(settings, section), name)
        if not math.isfinite(value) or value < 0 or (value == 0 and key in _POSITIVE):
            expected = "more than 0" if key in _POSITIVE else "0 or more"
            raise SettingsError(f"`{key}` is {value}; expected {expected}", where=where, hint=_HINT)
    for key, url in (("database.url", settings.database.url), ("redis.url", settings.redis.url)):
        if url and not _is_address(url):
            example = (
                "postgresql://user:password@127.0.0.1:5432/postgres" if key == "database.url" else "redis://127.0.0.1"
            )
            raise SettingsError(f"`{key}` is no address of a server", where=where, hint=f"Write it as {example}")
    names = [identity.name for identity in settings.identities]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"two identities are called {name!r}", where=where, hint="Give each a name of its own.")


def _is_address(url: str) -> bool:
    """Whether a host stands in a URL, and a number where its port belongs."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
