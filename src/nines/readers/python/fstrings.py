"""Rewrites f-strings whose fields use what only Python 3.12 allows there: the same quotes, backslashes, line breaks."""

from __future__ import annotations

import re

NESTING_MAX = 20
"""F-strings within f-strings that are followed."""

_NEXT = re.compile(r"""#[^\n]*|(?:(?<!\w)(?P<prefix>[rRbBuUfF]{1,2}))?(?P<quote>\"{3}|'{3}|"|')""")
_FIELD = re.compile(r"""(?:(?<!\w)(?P<prefix>[rRbBuUfF]{1,2}))?(?P<quote>\"{3}|'{3}|"|')|[(\[{}\])]|!=|[:!#\n]""")
_UNSAFE = re.compile(r"""['"\\#{}\n]""")
_LITERAL = re.compile(r"""\\.|\{\{|\}\}|\{|\"{3}|'{3}|"|'""", re.DOTALL)


def with_older_fstrings(text: str) -> str:
    """The same text, with every f-string written so that Python 3.11 can parse it; lines stay where they are."""
    scanner = _Scanner(text)
    pieces = []
    position = 0
    while (match := _NEXT.search(text, position)) is not None:
        pieces.append(text[position : match.start()])
        if match["quote"] is None:
            pieces.append(match[0])
            position = match.end()
        else:
            written, position = scanner.string(match, "", 0)
            pieces.append(written)
    return "".join([*pieces, text[position:]])


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text

    def string(self, match: re.Match[str], outer: str, nesting: int) -> tuple[str, int]:
        """The string that opens at a match, as it may stand within f-strings of the outer quotes, and its end."""
        prefix, quote = match["prefix"] or "", match["quote"]
        is_formatted = "f" in prefix.lower() and nesting < NESTING_MAX
        wanted = quote if nesting == 0 else next((sign for sign in "'\"" if sign not in outer), "")
        inside = outer if len(wanted) == 3 else outer + wanted
        inner, end, breaks = self._body(match.end(), quote, inside, nesting, is_formatted=is_formatted)
        if not wanted:
            # A third kind of quotes does not exist in older words; the text inside is lost, its length is not.
            return "0".ljust(end - match.start()), end
        if nesting == 0 and breaks and len(quote) == 1:
            wanted = quote * 3
        plain = inner if is_formatted or nesting == 0 else _UNSAFE.sub("_", inner)
        return f"{prefix}{wanted}{plain}{wanted}", end

    def _body(self, start: int, quote: str, outer: str, nesting: int, *, is_formatted: bool) -> tuple[str, int, bool]:
        """What stands between the quotes, the position after them, and whether a field goes over a line's end."""
        pieces = []
        position = start
        breaks = False
        while (match := _LITERAL.search(self._text, position)) is not None:
            part = match[0]
            pieces.append(self._text[position : match.start()])
            position = match.end()
            if part == quote:
                return "".join(pieces), position, breaks
            if part == "{" and is_formatted:
                field, position = self._field(position, outer, nesting)
                breaks = breaks or "\n" in field
                pieces.append("{" + field)
            elif part.startswith(quote):
                # The three quotes of another kind of string: `"" "` begins with the end of this one.
                return "".join(pieces), match.start() + len(quote), breaks
            else:
                pieces.append(_literal(part, nesting))
        return "".join([*pieces, self._text[position:]]), len(self._text), breaks

    def _field(self, start: int, outer: str, nesting: int) -> tuple[str, int]:
        """A replacement field from behind its brace to behind the closing one."""
        pieces = []
        position = start
        depth = 0
        while (match := _FIELD.search(self._text, position)) is not None:
            part = match[0]
            pieces.append(self._text[position : match.start()])
            position = match.end()
            if match["quote"] is not None:
                written, position = self.string(match, outer, nesting + 1)
                pieces.append(written)
                continue
            if part == "#":
                line_end = self._text.find("\n", position)
                position = line_end if line_end >= 0 else len(self._text)
                continue
            pieces.append(part)
            if part == "}" and depth == 0:
                return "".join(pieces), position
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(part, 0)
            if part == ":" and depth == 0:
                specification, position = self._specification(position, outer, nesting)
                return "".join([*pieces, specification]), position
        return "".join([*pieces, self._text[position:]]), len(self._text)

    def _specification(self, start: int, outer: str, nesting: int) -> tuple[str, int]:
        """A format specification, with fields of its own, to behind the brace that ends the field."""
        pieces = []
        position = start
        while (match := re.compile(r"[{}]").search(self._text, position)) is not None:
            pieces.append(self._text[position : match.end()])
            position = match.end()
            if match[0] == "}":
                return "".join(pieces), position
            field, position = self._field(position, outer, nesting)
            pieces.append(field)
        return "".join([*pieces, self._text[position:]]), len(self._text)


def _literal(part: str, nesting: int) -> str:
    """A piece of an f-string's text; within another f-string neither escapes nor quotes may stand."""
    is_unsafe = nesting > 0 and (part.startswith("\\") or part[0] in "'\"")
    return "_" * len(part) if is_unsafe else part
