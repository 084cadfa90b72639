"""Texts that match a regular expression: bounded, seeded, and checked against the expression itself."""

from __future__ import annotations

import importlib
import random
import re
import string
from typing import Any

REPEAT_MAX = 24
"""How often an unbounded repetition is unrolled at most."""
TRIES_MAX = 20

# The standard library's own parser of expressions has no public name since Python 3.11.
_PARSER: Any = importlib.import_module("re._parser")
_PRINTABLE = string.ascii_lowercase + string.digits
_CLASSES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": _PRINTABLE,
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": string.ascii_lowercase,
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": _PRINTABLE,
}


def matching(pattern: str, rng: random.Random, length_min: int = 0, length_max: int = 200) -> str | None:
    """A text that matches the pattern within these lengths, or None when none was found."""
    try:
        tree = _PARSER.parse(pattern)
        check = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None
    for attempt in range(TRIES_MAX):
        text = _Writer(rng, generous=attempt % 2 == 1, wanted=length_min).text(tree)
        if len(text) < length_min and check.search(text + "a" * (length_min - len(text))):
            text += "a" * (length_min - len(text))
        if length_min <= len(text) <= length_max and check.search(text):
            return text
    return None


class _Writer:
    def __init__(self, rng: random.Random, *, generous: bool, wanted: int) -> None:
        self.rng = rng
        self.generous = generous
        self.wanted = wanted
        self.groups: dict[int, str] = {}

    def text(self, tree: Any) -> str:
        return "".join(self._node(str(operator), argument) for operator, argument in tree)

    def _node(self, operator: str, argument: Any) -> str:
        """What a node writes; anchors and look-arounds write nothing, which the final check decides on."""
        match operator:
            case "LITERAL":
                text = chr(argument)
            case "NOT_LITERAL":
                text = self.rng.choice([c for c in _PRINTABLE if ord(c) != argument])
            case "ANY":
                text = self.rng.choice(_PRINTABLE)
            case "IN":
                text = self.rng.choice(self._choices(argument))
            case "BRANCH":
                text = self.text(self.rng.choice(argument[1]))
            case "SUBPATTERN":
                text = self.text(argument[-1])
                self.groups[argument[0] or 0] = text
            case "GROUPREF":
                text = self.groups.get(argument, "")
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                text = self._repeated(*argument)
            case "ATOMIC_GROUP":
                text = self.text(argument)
            case _:
                text = ""
        return text

    def _repeated(self, low: Any, high: Any, tree: Any) -> str:
        least = int(low)
        most = min(int(high), max(least, REPEAT_MAX, self.wanted))
        wanted = max(least, 1, self.wanted if self.generous else 0)
        times = min(most, max(least, self.rng.randint(wanted, wanted + 4)))
        return "".join(self.text(tree) for _ in range(min(times, 500)))

    def _choices(self, items: Any) -> str:
        found = ""
        negated = False
        for operator, argument in items:
            match str(operator):
                case "NEGATE":
                    negated = True
                case "LITERAL":
                    found += chr(argument)
                case "RANGE":
                    found += "".join(chr(code) for code in range(argument[0], min(argument[1], argument[0] + 127) + 1))
                case "CATEGORY":
                    found += _CLASSES.get(str(argument), "a")
        if negated:
            left = "".join(c for c in _PRINTABLE + string.ascii_uppercase + "-_." if c not in found)
            return left or "~"
        plain = "".join(c for c in found if c in _PRINTABLE)
        return plain or found or "a"
