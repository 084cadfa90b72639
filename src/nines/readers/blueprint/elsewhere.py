"""How the same is written elsewhere: what somebody probably meant, for the message that refuses it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TEXT_MAX = 80
"""Longer texts are no slips of the pen."""
WORDS = {
    "add": "create",
    "any": "json",
    "apikey": "api-key",
    "array": "list",
    "bigint": "int64",
    "binary": "bytes",
    "blob": "bytes",
    "char": "string",
    "cookie": "session",
    "datetime": "timestamp",
    "dict": "json",
    "double": "decimal",
    "edit": "update",
    "enum": "values",
    "fetch": "read",
    "find": "list",
    "float": "decimal",
    "foreign_key": "ref",
    "get": "read",
    "guid": "uuid",
    "insert": "create",
    "instant": "timestamp",
    "int": "int64",
    "integer": "int64",
    "jsonb": "json",
    "jwt": "oauth2-jwt",
    "length": "max",
    "login": "sign-in",
    "logout": "sign-out",
    "long": "int64",
    "maximum": "max",
    "maxlength": "max",
    "max_length": "max",
    "minimum": "min",
    "number": "decimal",
    "numeric": "decimal",
    "nullable": "optional",
    "object": "json",
    "patch": "update",
    "pg": "postgres",
    "query": "list",
    "references": "ref",
    "remove": "delete",
    "required": "optional",
    "resource": "on",
    "search": "list",
    "sensitive": "pii",
    "signup": "register",
    "str": "string",
    "timestamptz": "timestamp",
    "uri": "url",
    "varchar": "string",
}
REMARKS = {
    "array": "list: true beside the type",
    "enum": "values: [a, b] instead of a type",
    "required": "a field is required unless it says so",
}
"""What has to be known beside the word."""
_UNITS = {
    r"milliseconds?|msecs?": "ms",
    r"seconds?|secs?": "s",
    r"minutes?|mins?": "m",
    r"hours?|hrs?": "h",
    r"days?": "d",
    r"weeks?": "w",
    r"years?|yrs?": "y",
    r"k|kb|kbytes?": "kB",
    r"mb|mbytes?": "MB",
    r"gb|gbytes?": "GB",
    r"bytes?": "B",
    r"rps|qps|tps": "/s",
    r"rpm": "/m",
}
_OFTEN = re.compile(r" ?(?:req(?:uest)?s?)?(?: ?/ ?| per )(?=(?:s|m|h|d)[a-z]*\b)", re.IGNORECASE)
_MONTH_D = 30
_PER = {"user": "subject", "ip": "address", "client": "subject", "caller": "subject", "customer": "tenant"}
_WHO = {"anyone": "public", "anybody": "public", "everyone": "public", "everybody": "public", "all": "public"}
_GRANTED = ("owner", "tenant", "authenticated", "public", "nobody")


def reworded(text: str) -> Iterator[str]:
    """What it may have been meant for, the likeliest first; whoever asks takes what fits."""
    said = " ".join(text.split())
    if not said or len(said) > _TEXT_MAX:
        return
    yield from _figures(said)
    lowered = said.lower()
    length = re.fullmatch(r"(?:var)?(?:char|string|str|text) ?\((\d+)\)", lowered)
    if length:
        yield f"string <= {length[1]}"
    if said.startswith("-"):
        yield f"{said[1:]} desc"
    yield lowered
    yield " or ".join(_who(each) for each in re.split(r" or |, ?|\|", lowered))
    yield re.sub(r"[\s_]+", "-", lowered)
    yield re.sub(r"[\s-]+", "_", lowered)
    yield said[:1].upper() + said[1:]


def _figures(said: str) -> Iterator[str]:
    """Figures with their units."""
    found = re.sub(r"(?<=\d)[_,](?=\d{3})", "", said)
    found = re.sub(
        r" ?(?:req(?:uest)?s?)?(?: ?/ ?| per )(?=(?:s|m|h|d)[a-z]*\b)", "/", found, count=1, flags=re.IGNORECASE
    )
    months = re.fullmatch(r"(\d+) ?(?:months?|mo)", found, flags=re.IGNORECASE)
    if months:
        yield f"{int(months[1]) * _MONTH_D}d"
    for names, unit in _UNITS.items():
        found = re.sub(rf"(?<=[\d/]) ?(?:{names})\b", unit, found, flags=re.IGNORECASE)
    for name, other in _PER.items():
        found = re.sub(rf"\bper {name}\b", f"per {other}", found, flags=re.IGNORECASE)
    yield found
    if re.fullmatch(r"\d+x", found):
        yield f"{found}/y"
    if re.fullmatch(r"\d+/[smhd]", found):
        yield f"{found} per subject"
    if found.isdecimal():
        yield from ("0s",) if found == "0" else (f"{found}/s", f"{found}B")


def _who(word: str) -> str:
    known = _WHO.get(word, word)
    return known if known in _GRANTED or known.startswith("role:") else f"role:{known}"
