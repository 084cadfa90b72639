"""Writes settings as commented TOML."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from nines.model.settings import Settings

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_HEADING = """\
# How nines examines this backend. Whatever is not named here keeps its default.
# The same keys may stand under [tool.nines] in pyproject.toml instead.
"""
_COMMENTS = {
    "fail_on": "Findings of this tier or above make the exit code 1.",
    "paths": "What is read, from the project's root.",
    "exclude": "Left out beside tests, virtual environments and build output.",
    "rules_off": "Rules that do not speak.",
    "experiments_off": "Experiments that are not run.",
    "baseline": "Findings that are known and accepted for now.",
    "contract": "The OpenAPI document: a file, or a path on the service.",
    "budgets": 'What the service may spend: "99.9%", "0.1%", "200ms", "5m".',
    "load": "How much load the experiments may put on the service.",
    "service": "How the service is started; {port}, {host} and {database.url} are filled in.",
    "database": "The PostgreSQL that the service needs; without a url nines brings its own.",
    "redis": "The Redis that the service needs.",
    "upstreams": "Remote services that the backend calls; nines answers in their place.",
    "identities": "Who can sign in: an owner and a peer at least.",
    "register": "How an identity is registered.",
    "login": "How an identity signs in, and where its token is in the answer.",
    "security": "Operations that are open, and objects that are shared, on purpose.",
    "values": "Values for parameters and fields that nines would guess wrongly.",
    "signatures": "The project's own wrappers around libraries.",
}
_INLINE_MAX = 2
"""Entries of a table that still read well on one line."""
_TIMES = (datetime.datetime, datetime.date, datetime.time)


def dump(settings: Settings) -> str:
    """A nines.toml that says what differs from the defaults, each part with a short explanation."""
    table = msgspec.to_builtins(settings, builtin_types=_TIMES)
    lines = [_HEADING]
    for key, value in table.items():
        if not _is_section(value):
            lines += [f"# {_COMMENTS[key]}"] if key in _COMMENTS else []
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in table.items():
        if _is_section(value) and value:
            lines += ["", f"# {_COMMENTS[key]}"] if key in _COMMENTS else [""]
            lines += _section(_key(key), value)
    return "\n".join(lines).rstrip() + "\n"


def _is_section(value: Any) -> bool:
    """Whether a value reads best as a table, or tables, of its own."""
    return isinstance(value, Mapping) or (
        isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )


def _section(path: str, value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        for item in value:
            yield f"[[{path}]]"
            yield from _entries(item)
        return
    inner = {
        key: item
        for key, item in value.items()
        if isinstance(item, Mapping) and (path == "upstreams" or len(item) > _INLINE_MAX)
    }
    rest = {key: item for key, item in value.items() if key not in inner}
    if rest or not inner:
        yield f"[{path}]"
        yield from _entries(rest)
    for position, (key, item) in enumerate(inner.items()):
        if position or rest or not inner:
            yield ""
        yield from _section(f"{path}.{_key(key)}", item)


def _entries(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if value is not None:
            yield f"{_key(key)} = {_value(value)}"


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, _TIMES):
        return value.isoformat()
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items() if item is not None)
        return f"{{ {inner} }}" if inner else "{}"
    return f"[{', '.join(_value(item) for item in value if item is not None)}]"


def _text(text: str) -> str:
    """JSON's escapes are TOML's as well, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
