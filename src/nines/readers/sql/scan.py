"""Splits a statement's text into tokens, without understanding it: tolerant of every driver's placeholders.

The result is a template, in which every value (literal or placeholder) is a numbered slot, so that texts which differ
in their values only are understood once; and the shape, in which values and the lengths of lists are gone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from nines.model.record import Record

SHAPE_MAX = 2_000
"""Characters of a shape; a longer one ends in a digest of the whole."""
LITERAL_MAX = 200
DEPTH_MAX = 60
"""Brackets within brackets that are still worth understanding."""
LIST_ITEMS_MAX = 3
"""Equal-looking items of a list that a template keeps; the rest adds nothing."""

# Whatever is opened and never closed takes the rest of the text, so that no text is gone over twice.
_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*(?:.*?\*/|.*))
  | (?P<text>[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)|(?:[uU]&|[bBxXnN])?'[^']*(?:''[^']*)*(?:'|\Z))
  | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$(?:.*?\$(?(tag)(?P=tag))\$|.*))
  | (?P<quoted>"[^"]*(?:""[^"]*)*(?:"|\Z)|`[^`]*(?:`|\Z))
  | (?P<named>%\((?P<pyname>[^)]{0,100})\)[sbt]|(?<![:\w]):(?P<name>[A-Za-z_]\w*))
  | (?P<ordinal>\$(?P<number>\d+))
  | (?P<format>%[sbt](?!\w))
  | (?P<figure>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
  | (?P<sign>::|:=|<<=|>>=|<\#>|<\+>|<->|<=>|<<|>>|&&|->>|->|\#>>|\#>|<=|>=|<>|!=|\|\||@>|<@|@@
      |!~\*|!~|~\*|%%|\?\||\?&|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_RARE_OPERATORS = frozenset({"<<=", ">>=", "<#>", "<+>"})
_NO_OPERAND = frozenset(
    {
        "all",
        "and",
        "any",
        "as",
        "between",
        "by",
        "case",
        "distinct",
        "else",
        "fetch",
        "first",
        "from",
        "ilike",
        "in",
        "is",
    }
    | {"like", "limit", "next", "not", "of", "offset", "on", "or", "returning", "select", "set", "similar", "some"}
    | {"then", "to", "using", "values", "when", "where", "with"}
)
"""After these words no operator can stand."""
_KEEPS_TEXT = frozenset({"interval", "date", "time", "timestamp", "timestamptz", "escape"})
"""After these words a text is part of the grammar, not a value."""
_KEEPS_FIGURE = frozenset(
    {"bit", "char", "character", "decimal", "float", "halfvec", "interval", "numeric", "precision", "time", "timestamp"}
    | {"timestamptz", "varbit", "varchar", "varying", "vector"}
)
"""`numeric(10, 2)`: figures in the brackets of a type belong to it."""


class Slot(Record):
    """One value of a text: a literal as it was written, or a placeholder's label."""

    parameter: str = ""
    literal: str = ""


class Scan(Record):
    """A text without its values."""

    template: str
    slots: tuple[Slot, ...]
    shape: str
    words: tuple[str, ...]
    """The first words, lower case."""
    depth: int
    statements: int
    """How many statements the text holds."""
    inserted_rows: int
    """Rows after VALUES."""


SLOT_NAME = "nines"
_SLOT_START = f":{SLOT_NAME}"
"""With a number, what stands for a value in a template."""
_FIRST_WORDS = 6


def scan(text: str) -> Scan:
    """Never fails: what is no SQL is split into single characters."""
    return _Scanner(text).result()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._slots: list[Slot] = []
        self._parts: list[str] = []
        """The template's tokens."""
        self._shape: list[str] = []
        self._words: list[str] = []
        self._ordinal = 0
        self._depth = self._depth_max = 0
        self._statements = 1
        for match in _TOKEN.finditer(text):
            self._take(match)

    def result(self) -> Scan:
        while self._parts and self._parts[-1] == ";":
            self._parts.pop()
            self._shape.pop()
            self._statements -= 1
        parts, rows = _without_rows(_without_items(self._parts))
        template, slots = self._numbered_anew(parts)
        return Scan(
            template=template,
            slots=slots,
            shape=_bounded(_tidy(" ".join(_without_rows(_without_items(self._shape, 1), 1)[0]))),
            words=tuple(self._words),
            depth=self._depth_max,
            statements=max(self._statements, 1),
            inserted_rows=rows,
        )

    def _numbered_anew(self, parts: list[str]) -> tuple[str, tuple[Slot, ...]]:
        """The template with the slots that are left counted from 0, so that lists of any length give the same one."""
        slots: list[Slot] = []
        found: list[str] = []
        for part in parts:
            if part.startswith(_SLOT_START):
                found.append(f"{_SLOT_START}{len(slots)}")
                slots.append(self._slots[int(part[len(_SLOT_START) :])])
            else:
                found.append(part)
        return " ".join(found), tuple(slots)

    def _take(self, match: re.Match[str]) -> None:
        kind = match.lastgroup
        token = match[0]
        if kind == "word":
            self._word(token)
        elif kind == "space":
            return
        elif kind == "sign":
            self._sign(token)
        elif kind in ("text", "dollar", "tag"):
            self._text(token)
        elif kind == "figure":
            self._figure(token)
        elif kind == "quoted":
            self._emit('"' + token[1:-1].replace('"', "") + '"' if token.startswith("`") else token, token)
        else:
            self._placeholder(match)

    def _word(self, token: str) -> None:
        lower = token.lower()
        if len(self._words) < _FIRST_WORDS:
            self._words.append(lower)
        self._emit(token, lower)

    def _sign(self, sign: str) -> None:
        if sign == "?" and self._is_placeholder():
            self._value(Slot(parameter=self._next_ordinal()))
            return
        if sign == "(":
            self._depth += 1
            self._depth_max = max(self._depth_max, self._depth)
        elif sign == ")":
            self._depth -= 1
        elif sign == ";":
            self._statements += 1
        elif sign == "%%":
            sign = "%"
        # Operators of extensions mean nothing here, but must not stop the parser.
        self._emit("@>" if sign in _RARE_OPERATORS else sign, sign)

    def _is_placeholder(self) -> bool:
        """Whether a question mark stands for a value: PostgreSQL's operator of that name has a value before it."""
        previous = self._shape[-1] if self._shape else ""
        return (
            not (previous in (")", "]", "?") or previous[:1] == '"' or previous[:1].isalnum())
            or previous in _NO_OPERAND
        )

    def _text(self, token: str) -> None:
        previous = self._shape[-1] if self._shape else ""
        if previous in _KEEPS_TEXT:
            self._emit(token, "?")
            return
        if token.startswith("$"):
            literal = token.split("$", 2)[2].rsplit("$", 2)[0]
        else:
            literal = token[token.index("'") + 1 : -1].replace("''", "'")
        self._value(Slot(literal=literal[:LITERAL_MAX]))

    def _figure(self, token: str) -> None:
        opening = len(self._shape) - 1
        while opening > 0 and self._shape[opening] in (",", "#"):
            opening -= 1
        if opening > 0 and self._shape[opening] == "(" and self._shape[opening - 1] in _KEEPS_FIGURE:
            self._emit(token, "#")
        else:
            self._value(Slot(literal=token[:LITERAL_MAX]))

    def _placeholder(self, match: re.Match[str]) -> None:
        label = match["pyname"] or match["name"] or match["number"]
        self._value(Slot(parameter=label if label is not None else self._next_ordinal()))

    def _next_ordinal(self) -> str:
        self._ordinal += 1
        return str(self._ordinal)

    def _value(self, slot: Slot) -> None:
        self._emit(f"{_SLOT_START}{len(self._slots)}", "?")
        self._slots.append(slot)

    def _emit(self, part: str, shape: str) -> None:
        self._parts.append(part)
        self._shape.append(shape)


def _is_value(part: str) -> bool:
    """In a template a slot, in a shape a question mark."""
    return part == "?" or part.startswith(_SLOT_START)


def _without_items(parts: list[str], keep: int = LIST_ITEMS_MAX) -> list[str]:
    """The tokens with every run of plain values `?, ?, ?, ...` after IN or in an array cut to a few."""
    if len(parts) < 2 * keep + 2:
        return parts
    found: list[str] = []
    index = 0
    while index < len(parts):
        part = parts[index]
        found.append(part)
        index += 1
        previous = found[-2].lower() if len(found) > 1 else ""
        if (part == "(" and previous == "in") or (part == "[" and previous == "array"):
            items = _run_of_values(parts, index)
            if items > keep:
                found += parts[index : index + 2 * keep - 1]
                index += 2 * items - 1
    return found


def _run_of_values(parts: list[str], start: int) -> int:
    """How many values stand in a row from here, divided by commas and ended by a bracket."""
    count = 0
    index = start
    while index < len(parts) and _is_value(parts[index]):
        count += 1
        if index + 1 >= len(parts) or parts[index + 1] != ",":
            closes = index + 1 < len(parts) and parts[index + 1] in (")", "]")
            return count if closes else 0
        index += 2
    return 0


def _without_rows(parts: list[str], keep: int = 2) -> tuple[list[str], int]:
    """The tokens with all but a few rows of VALUES removed, and how many rows there were."""
    start = next((i for i, part in enumerate(parts) if part.lower() == "values"), -1)
    if start < 0:
        return parts, 0
    rows = 0
    index = start + 1
    cut_from = cut_to = -1
    for end in _groups(parts, index):
        rows += 1
        if rows == keep:
            cut_from = end
        cut_to = end
    if cut_from >= 0 and cut_to > cut_from:
        return parts[:cut_from] + parts[cut_to:], rows
    return parts, rows


def _groups(parts: list[str], index: int) -> Iterator[int]:
    """The positions after each bracketed group of `(...), (...), (...)`."""
    while index < len(parts) and parts[index] == "(":
        depth = 0
        while index < len(parts):
            depth += {"(": 1, ")": -1}.get(parts[index], 0)
            index += 1
            if depth == 0:
                break
        yield index
        if index < len(parts) and parts[index] == ",":
            index += 1
        else:
            return


def _tidy(shape: str) -> str:
    return shape.replace(" . ", ".").replace("( ", "(").replace(" )", ")").replace(" ,", ",").replace(" ::", "::")


def _bounded(shape: str) -> str:
    if len(shape) <= SHAPE_MAX:
        return shape
    digest = hashlib.blake2b(shape.encode(errors="backslashreplace"), digest_size=8).hexdigest()
    return f"{shape[:SHAPE_MAX]} ... {digest}"
