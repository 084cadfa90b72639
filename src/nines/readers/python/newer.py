"""Writes the grammar of newer Pythons in older words, so that nines reads code that is newer than its interpreter.

Only what changes no fact is rewritten, and every line stays where it is: type parameters are blanked out (PEP 695), a
`type` statement becomes an assignment, `except A, B` gets its brackets (PEP 758), and strings within f-strings get
other quotes (PEP 701)."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from typing import TypeAlias

from nines.readers.python.fstrings import with_older_fstrings

Edit: TypeAlias = tuple[int, int, str]
"""From, to, and what stands there instead."""
_OPENING = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_LAYOUT = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT})


def rewritten(source: bytes) -> bytes | None:
    """The source in older words; None where there is nothing to rewrite, or no way to."""
    try:
        text = source.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
    older = with_older_fstrings(text)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(older).readline))
    except (tokenize.TokenError, SyntaxError):
        return None
    older = _edited(older, list(_Edits(older, tokens).all()))
    return older.encode() if older != text else None


def _edited(text: str, edits: list[Edit]) -> str:
    pieces = []
    position = 0
    for start, end, replacement in sorted(edits):
        if start >= position:
            pieces += [text[position:start], replacement]
            position = end
    return "".join([*pieces, text[position:]])


class _Edits:
    def __init__(self, text: str, tokens: list[tokenize.TokenInfo]) -> None:
        self._text = text
        self._tokens = [token for token in tokens if token.type not in (tokenize.NL, tokenize.COMMENT)]
        self._done = 0
        """Tokens before this one lie in brackets that have been dealt with."""
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def all(self) -> Iterator[Edit]:
        starts_statement = starts_line = True
        for index, token in enumerate(self._tokens):
            if token.type == tokenize.NAME and index >= self._done:
                if token.string in ("def", "class") and self._is(index + 2, "["):
                    yield self._blanked(index + 2)
                elif token.string == "type" and starts_statement and self._names_type(index):
                    yield from self._type_statement(index)
                elif token.string == "except" and starts_line:
                    yield from self._except(index)
            starts_line = token.type in _LAYOUT
            starts_statement = starts_line or (token.type == tokenize.OP and token.string in (";", ":"))

    def _is(self, index: int, text: str) -> bool:
        return index < len(self._tokens) and self._tokens[index].string == text

    def _names_type(self, index: int) -> bool:
        follows = index + 1 < len(self._tokens) and self._tokens[index + 1].type == tokenize.NAME
        return follows and (self._is(index + 2, "=") or self._is(index + 2, "["))

    def _offset(self, position: tuple[int, int]) -> int:
        return self._starts[position[0] - 1] + position[1]

    def _closing(self, index: int) -> int:
        """The index of the bracket that closes the one at index; the last token where none does."""
        depth = 0
        for inner in range(index, len(self._tokens)):
            token = self._tokens[inner]
            if token.type == tokenize.OP:
                depth += _OPENING.get(token.string, 0)
                if depth == 0:
                    return inner
        return len(self._tokens) - 1

    def _blanked(self, index: int) -> Edit:
        start = self._offset(self._tokens[index].start)
        self._done = self._closing(index)
        end = self._offset(self._tokens[self._done].end)
        blank = "".join("\\\n" if char == "\n" else " " for char in self._text[start:end])
        return start, end, blank

    def _type_statement(self, index: int) -> Iterator[Edit]:
        name = self._tokens[index + 1]
        start = self._offset(self._tokens[index].start)
        end = self._offset(name.end)
        yield start, end, name.string.ljust(end - start)
        if self._is(index + 2, "["):
            yield self._blanked(index + 2)

    def _except(self, index: int) -> Iterator[Edit]:
        """Brackets in place of the blank after `except` and before its colon, if its types stand without."""
        first = index + (2 if self._is(index + 1, "*") else 1)
        depth = 0
        has_comma = False
        for inner in range(first, len(self._tokens)):
            token = self._tokens[inner]
            if token.type == tokenize.NEWLINE or (depth == 0 and token.string in (":", "as")):
                break
            depth += _OPENING.get(token.string, 0) if token.type == tokenize.OP else 0
            has_comma = has_comma or (depth == 0 and token.string == ",")
        else:
            return
        if has_comma and token.string == ":":
            before = self._offset(self._tokens[first - 1].end)
            yield before, self._offset(self._tokens[first].start), "("
            colon = self._offset(token.start)
            yield colon, colon, ")"
