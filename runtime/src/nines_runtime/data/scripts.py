"""A script of SQL as single statements: quotes, dollar quotes and comments may hold semicolons."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"""
      --[^\n]*                               # a comment to the end of its line
    | /\*                                    # one that may hold others
    | '(?:[^']|'')*'                         # a text
    | "(?:[^"]|"")*"                         # a name
    | \$(?P<tag>[A-Za-z_]\w*|)\$             # a text in dollars
    | ;
    """,
    re.VERBOSE,
)
_ESCAPED = re.compile(r"(?<![\w$])[eE]'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_BEFORE = re.compile(r"(?:\s+|--[^\n]*(?:\n|$))*")


def statements_of(script: str) -> tuple[str, ...]:
    """Each without its semicolon and the comments before it; what is only a comment is none."""
    found: list[str] = []
    begun = at = 0
    while at < len(script):
        escaped = _ESCAPED.search(script, at)
        piece = _PIECE.search(script, at)
        if piece is None:
            break
        if escaped is not None and escaped.start() <= piece.start():
            at = escaped.end()
        elif piece[0] == ";":
            found.append(script[begun : piece.start()])
            begun = at = piece.end()
        else:
            at = _end_of(script, piece)
    found.append(script[begun:])
    bare = (each[_before(each) :].strip() for each in found)
    return tuple(each for each in bare if each)


def _end_of(script: str, piece: re.Match[str]) -> int:
    if piece[0] == "/*":
        depth = 1
        for edge in _COMMENT_EDGE.finditer(script, piece.end()):
            depth += 1 if edge[0] == "/*" else -1
            if not depth:
                return edge.end()
        return len(script)
    if piece["tag"] is not None:
        end = script.find(piece[0], piece.end())
        return len(script) if end < 0 else end + len(piece[0])
    return piece.end()


def _before(statement: str) -> int:
    found = _BEFORE.match(statement)
    return found.end() if found else 0
