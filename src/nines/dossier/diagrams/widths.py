"""How wide a text becomes, and where it is broken, without a browser to ask.

The advances are those of Helvetica, which Arial and Liberation Sans share; what is not in the table is taken as wide
as the widest that it may be. Boxes leave room for fonts that are a little wider."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_ADVANCES = (
    ("ijl", 222),
    ("|", 260),
    ("'", 191),
    (" !,./:;I[\\]ft", 278),
    ("()-`r{}", 333),
    ('"', 355),
    ("*", 389),
    ("^", 469),
    ("Jcksvxyz", 500),
    ("#$0123456789?L_abdeghnopqu", 556),
    ("+<=>~", 584),
    ("FTZ", 611),
    ("&ABEKPSVXY", 667),
    ("CDHNRUw", 722),
    ("GOQ", 778),
    ("Mm", 833),
    ("%", 889),
    ("W", 944),
    ("@", 1_015),
)
_OTHER = 700
_EM = 1_000
_WIDTHS = {letter: width for letters, width in _ADVANCES for letter in letters}
_MONOSPACED = 602
_BOLD = 1.08
ROOM = 1.06
"""For fonts that stand in for the first choice."""


_ILLEGIBLE = re.compile("[^\\t\\n\\r\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def legible(text: str) -> str:
    """The text with a sign for each character that no document may hold."""
    return _ILLEGIBLE.sub("\N{REPLACEMENT CHARACTER}", text)


def width(text: str, size: float, *, is_bold: bool = False, is_code: bool = False) -> float:
    """In the units of the size, of one line."""
    advances = sum(_MONOSPACED if is_code and letter.isascii() else _advance(letter) for letter in text)
    return advances / _EM * size * ROOM * (_BOLD if is_bold else 1)


@cache
def _advance(letter: str) -> int:
    known = _WIDTHS.get(letter)
    if known is not None:
        return known
    if unicodedata.east_asian_width(letter) in "WF":
        return _EM
    return 0 if unicodedata.combining(letter) else max(_OTHER, _EM if not letter.isprintable() else 0)


def wrap(text: str, size: float, room: float, *, is_bold: bool = False, is_code: bool = False) -> tuple[str, ...]:
    """The text in lines that fit; words that are too long are broken, at punctuation where there is some."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        for part in _parts(word, size, room, is_bold=is_bold, is_code=is_code):
            joined = f"{line} {part}" if line else part
            if line and width(joined, size, is_bold=is_bold, is_code=is_code) > room:
                lines.append(line)
                line = part
            else:
                line = joined
    return (*lines, line) if line else tuple(lines)


def _parts(word: str, size: float, room: float, *, is_bold: bool, is_code: bool) -> tuple[str, ...]:
    """The word itself where it fits, else pieces of it."""
    parts: list[str] = []
    while word and width(word, size, is_bold=is_bold, is_code=is_code) > room:
        fits = 1
        while fits < len(word) and width(word[: fits + 1], size, is_bold=is_bold, is_code=is_code) <= room:
            fits += 1
        cut = max((at + 1 for at in range(fits // 2, fits) if word[at] in "_-./:"), default=fits)
        parts.append(word[:cut])
        word = word[cut:]
    return (*parts, word) if word else tuple(parts)
