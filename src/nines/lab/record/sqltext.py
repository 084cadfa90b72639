"""The little that a wire must know of SQL's text: where one statement ends, and whether it changes anything."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_TOKEN = re.compile(
    r"""
    (?P<quoted> [eE]'(?:[^'\\]|\\.|'')*'? | '(?:[^']|'')*'? | "(?:[^"]|"")*"? )
  | (?P<dollar> \$(?:[A-Za-z_][A-Za-z_0-9]*)?\$ )
  | (?P<word> [A-Za-z_][\w$]* )
  | (?P<line> --[^\n]* )
  | (?P<block> /\* )
  | (?P<end> ; )
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK_OR_END = " \t\r\n;"
REMEMBERED_CHARS_MAX = 2000
"""Statements up to this length are remembered, for most come again and again."""
_BLOCK = re.compile(r"/\*|\*/")
_WRITES = re.compile(
    r"\b(insert|update|delete|merge|truncate|create|alter|drop|copy|grant|revoke|refresh|call|do)\b", re.IGNORECASE
)
_NOT_A_WRITE = re.compile(r"\bfor\s+(?:no\s+key\s+)?update\b|\bcopy\b.*?\bto\s+stdout\b", re.IGNORECASE | re.DOTALL)
_CHAIN = re.compile(r"\band\s+chain\b", re.IGNORECASE)
_TO_SAVEPOINT = re.compile(r"\s*rollback\s+(?:work\s+|transaction\s+)?to\b", re.IGNORECASE)


def split_statements(text: str) -> tuple[str, ...]:
    """The statements of a simple query, in order, without empty ones; quotes and comments are respected."""
    alone = text.strip(_BLANK_OR_END)
    if ";" not in alone:
        # The usual case: one statement, with or without a semicolon after it.
        return (alone,) if _bare(alone) else ()
    edges = [0]
    position = 0
    while (match := _TOKEN.search(text, position)) is not None:
        position = match.end()
        if match["dollar"]:
            closing = text.find(match["dollar"], position)
            position = len(text) if closing < 0 else closing + len(match["dollar"])
        elif match["block"]:
            position = _after_comment(text, position)
        elif match["end"]:
            edges.append(position)
    edges.append(len(text))
    parts = (text[start:end].strip().removesuffix(";").strip() for start, end in pairwise(edges))
    return tuple(part for part in parts if _bare(part))


def changes_data(text: str) -> bool:
    """Whether the statement may change the database; words inside quotes may make it say yes too often."""
    return _changes(text) if len(text) <= REMEMBERED_CHARS_MAX else _changes.__wrapped__(text)


@lru_cache(maxsize=4096)
def _changes(text: str) -> bool:
    return _WRITES.search(_NOT_A_WRITE.sub("", text)) is not None


def is_to_savepoint(text: str) -> bool:
    """ROLLBACK TO SAVEPOINT, whose tag is the same as that of a whole ROLLBACK."""
    return _TO_SAVEPOINT.match(text) is not None


def is_chained(text: str) -> bool:
    """COMMIT or ROLLBACK AND CHAIN, which opens the next transaction at once."""
    return _CHAIN.search(text) is not None


def without_comments(text: str) -> str:
    """The text with comments taken out, and nothing else changed; quotes are respected."""
    if "--" not in text and "/*" not in text:
        return text
    pieces: list[str] = []
    position = kept = 0
    while (match := _TOKEN.search(text, position)) is not None:
        position = match.end()
        if match["dollar"]:
            closing = text.find(match["dollar"], position)
            position = len(text) if closing < 0 else closing + len(match["dollar"])
        elif match["block"] or match["line"] is not None:
            pieces.append(text[kept : match.start()])
            kept = position = _after_comment(text, position) if match["block"] else position
    pieces.append(text[kept:])
    return " ".join(pieces)


def _bare(text: str) -> str:
    return without_comments(text).strip(_BLANK_OR_END)


def _after_comment(text: str, position: int) -> int:
    depth = 1
    while depth and (match := _BLOCK.search(text, position)) is not None:
        depth += 1 if match.group() == "/*" else -1
        position = match.end()
    return len(text) if depth else position
