"""An entry under `mcpServers` in somebody's JSON, put in and taken out as text, so that nothing else of it changes."""

from __future__ import annotations

import json
import re

from nines.model.errors import UsageError
from nines.model.record import Record
from nines.personas.piece import Server

KEY = "mcpServers"
NAME = "nines"
_SPACE = re.compile(r"[ \t\r\n]*")
_INDENT = re.compile(r"(\r?\n)([ \t]*)\Z")
_USUAL = "  "


class _Member(Record):
    """One member of an object, by its positions in the text."""

    key: str
    begin: int
    value: int
    end: int


class _Object(Record):
    """An object: the position after its brace, its members, the position of its closing brace."""

    begin: int
    members: tuple[_Member, ...]
    end: int

    def member(self, key: str) -> _Member | None:
        return next((member for member in self.members if member.key == key), None)


def put(text: str, server: Server, where: str) -> str:
    """The text with the entry; raises UsageError for what cannot be merged without a loss."""
    if not text.strip():
        return text + json.dumps({KEY: {NAME: _plain(server)}}, indent=2) + "\n"
    root = _root(text, where)
    servers = root.member(KEY)
    if servers is None:
        return _added(text, root, KEY, {NAME: _plain(server)}, 0)
    inner = _object(text, servers.value, where, f"{KEY} is no object")
    own = inner.member(NAME)
    if own is None:
        return _added(text, inner, NAME, _plain(server), 1)
    if json.loads(text[own.value : own.end]) == _plain(server):
        return text
    return text[: own.value] + _value(text, inner, _plain(server), 1) + text[own.end :]


def take(text: str, where: str) -> str:
    """The text without the entry, and without the objects that held nothing else."""
    if not text.strip():
        return text
    root = _root(text, where)
    servers = root.member(KEY)
    if servers is None:
        return text
    inner = _object(text, servers.value, where, f"{KEY} is no object")
    if inner.member(NAME) is None:
        return text
    if len(inner.members) > 1:
        return _removed(text, inner, NAME)
    return "" if len(root.members) == 1 else _removed(text, root, KEY)


def has(text: str, where: str) -> bool:
    if not text.strip():
        return False
    servers = _root(text, where).member(KEY)
    found = _object(text, servers.value, where, f"{KEY} is no object") if servers else None
    return found is not None and found.member(NAME) is not None


def _plain(server: Server) -> dict[str, object]:
    return {"command": server.command, "args": list(server.args)}


def _root(text: str, where: str) -> _Object:
    begin = text.index("\ufeff") + 1 if text.startswith("\ufeff") else 0
    try:
        json.loads(text[begin:], parse_constant=_strange)
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        hint = "Comments and trailing commas are no JSON: take them out, or add the server by hand."
        raise UsageError(f"this is not plain JSON, and is left alone: {said}", where=where, hint=hint) from None
    return _object(text, _skipped(text, begin), where, "its outermost value is no object")


def _strange(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _object(text: str, begin: int, where: str, otherwise: str) -> _Object:
    """The members of the object that begins here; the text was parsed before, so that its grammar is right."""
    if text[begin] != "{":
        raise UsageError(f"this cannot be merged: {otherwise}", where=where, hint="Add the server by hand.")
    members: list[_Member] = []
    position = _skipped(text, begin + 1)
    while text[position] != "}":
        key, after = json.JSONDecoder().raw_decode(text, position)
        value = _skipped(text, _skipped(text, after) + 1)
        _, end = json.JSONDecoder().raw_decode(text, value)
        if any(member.key == key for member in members):
            raise UsageError(
                f"this cannot be merged: {key!r} stands there twice", where=where, hint="Keep one of them."
            )
        members.append(_Member(key=key, begin=position, value=value, end=end))
        position = _skipped(text, end)
        if text[position] == ",":
            position = _skipped(text, position + 1)
    return _Object(begin=begin + 1, members=tuple(members), end=position)


def _skipped(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _added(text: str, holder: _Object, key: str, value: object, depth: int) -> str:
    """After the last member, in the style of the others."""
    written = f"{json.dumps(key)}: {_value(text, holder, value, depth)}"
    if holder.members:
        last = holder.members[-1]
        return text[: last.end] + "," + _lead(text, holder) + written + text[last.end :]
    newline, unit = _style(text)
    lead, tail = (newline + unit * (depth + 1), newline + unit * depth) if newline else ("", "")
    return text[: holder.begin] + lead + written + tail + text[holder.end :]


def _removed(text: str, holder: _Object, key: str) -> str:
    """Without the member and the comma that belonged to it."""
    at = next(index for index, member in enumerate(holder.members) if member.key == key)
    if at > 0:
        return text[: holder.members[at - 1].end] + text[holder.members[at].end :]
    return text[: holder.members[0].begin] + text[holder.members[1].begin :]


def _lead(text: str, holder: _Object) -> str:
    """What stands before the last member: a new line and its indentation, or a space."""
    found = _INDENT.search(text, 0, holder.members[-1].begin)
    return found[1] + found[2] if found else " "


def _value(text: str, holder: _Object, value: object, depth: int) -> str:
    """As others of the file are written: over several lines, or in one."""
    newline, unit = _style(text)
    is_inline = bool(holder.members) and not _INDENT.search(text, 0, holder.members[-1].begin)
    if not newline or is_inline:
        return json.dumps(value, ensure_ascii=False)
    own = _lead(text, holder).lstrip("\r\n") if holder.members else unit * (depth + 1)
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", newline + own)


def _style(text: str) -> tuple[str, str]:
    """The file's line end and unit of indentation; "" where it is written in one line."""
    found = re.search(r"(\r?\n)([ \t]+)\"", text)
    if found:
        return found[1], found[2]
    stripped = text.strip()
    return ("", "") if "\n" not in stripped and stripped != "{}" else ("\r\n" if "\r\n" in text else "\n", _USUAL)
