"""All texts that a regular expression describes, in order: how many there are, and which is the n-th."""

from __future__ import annotations

import importlib
import re
import string
from collections.abc import Callable
from typing import Any, TypeAlias

REPEAT_MAX = 24
"""How often an unbounded repetition is unrolled at most."""
NODES_MAX = 10_000
"""Larger expressions are not understood."""
_PRINTABLE = string.ascii_lowercase + string.digits
CLASSES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": _PRINTABLE,
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": string.ascii_lowercase,
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": _PRINTABLE,
}

Groups: TypeAlias = dict[int, str]
# The standard library's own parser of expressions has no public name since Python 3.11.
_PARSER: Any = importlib.import_module("re._parser")


def parse(pattern: str) -> Any:
    """The tree of an expression; raises what `re` raises."""
    return _PARSER.parse(pattern)


def choices(items: Any) -> str:
    """The characters that a class in brackets stands for, plain ones where it has any."""
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
                found += CLASSES.get(str(argument), "a")
    if negated:
        left = "".join(c for c in _PRINTABLE + string.ascii_uppercase + "-_." if c not in found)
        return left or "~"
    plain = "".join(c for c in found if c in _PRINTABLE)
    return "".join(dict.fromkeys(plain or found or "a"))


class Language:
    """The texts of one expression; anchors and look-arounds write nothing, so a text is to be checked by `re`."""

    def __init__(self, pattern: str, repeat_max: int = REPEAT_MAX) -> None:
        self._repeat_max = repeat_max
        self._nodes = 0
        self._root = self._sequence(parse(pattern))

    @property
    def size(self) -> int:
        """How many there are, counting those twice that the expression describes in two ways."""
        return self._root.size

    @property
    def shortest(self) -> int:
        """How many characters each text has at least."""
        return self._root.shortest

    def at(self, index: int) -> str:
        """The text at this place, from 0 to size - 1."""
        return self._root.at(index, {})

    def _sequence(self, tree: Any) -> _Node:
        return _joined([self._node(str(operator), argument) for operator, argument in tree])

    def _node(self, operator: str, argument: Any) -> _Node:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise OverflowError("an expression that is too large to be unfolded")
        match operator:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                return _any_of(_characters(operator, argument))
            case "BRANCH":
                return _one_of([self._sequence(each) for each in argument[1]])
            case "SUBPATTERN":
                return _remembered(argument[0] or 0, self._sequence(argument[-1]))
            case "GROUPREF":
                return _Node(1, 0, lambda _, groups: groups.get(argument, ""))
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self._repeated(*argument)
            case "ATOMIC_GROUP":
                return self._sequence(argument)
        return _joined([])

    def _repeated(self, low: Any, high: Any, tree: Any) -> _Node:
        least = int(low)
        most = min(int(high), max(least, self._repeat_max))
        inner = self._sequence(tree)
        if most - least > NODES_MAX or most > NODES_MAX:
            raise OverflowError("a repetition that is too long to be unfolded")
        # The shortest come first, for what is small is read and stored most easily.
        return _one_of([_joined([inner] * times) for times in range(least, most + 1)])


def _characters(operator: str, argument: Any) -> str:
    if operator == "LITERAL":
        return chr(argument)
    if operator == "NOT_LITERAL":
        return "".join(c for c in _PRINTABLE if ord(c) != argument)
    return choices(argument) if operator == "IN" else _PRINTABLE


class _Node:
    def __init__(self, size: int, shortest: int, at: Callable[[int, Groups], str]) -> None:
        self.size = size
        self.shortest = shortest
        """How many characters it has at least."""
        self.at = at


def _any_of(characters: str) -> _Node:
    return _Node(len(characters), 1, lambda index, _: characters[index])


def _joined(parts: list[_Node]) -> _Node:
    size = 1
    for part in parts:
        size *= part.size

    def at(index: int, groups: Groups) -> str:
        places: list[int] = []
        for part in reversed(parts):
            index, place = divmod(index, part.size)
            places.append(place)
        # From the left, for what stands further right may repeat a group.
        return "".join(part.at(place, groups) for part, place in zip(parts, reversed(places), strict=True))

    return _Node(size, sum(part.shortest for part in parts), at)


def _one_of(parts: list[_Node]) -> _Node:
    def at(index: int, groups: Groups) -> str:
        for part in parts:
            if index < part.size:
                return part.at(index, groups)
            index -= part.size
        raise IndexError(index)

    return _Node(sum(part.size for part in parts), min((part.shortest for part in parts), default=0), at)


def _remembered(number: int, inner: _Node) -> _Node:
    def at(index: int, groups: Groups) -> str:
        groups[number] = inner.at(index, groups)
        return groups[number]

    return _Node(inner.size, inner.shortest, at)


def language_of(pattern: str, length_min: int, length_max: int) -> Language | None:
    """The texts of an expression, unrolled no longer than these lengths need; None where it is not understood."""
    try:
        re.compile(pattern)
        found = Language(pattern, max(1, min(length_max, REPEAT_MAX + length_min)))
    except (re.error, OverflowError, RecursionError):
        return None
    return found if found.size and found.shortest <= length_max else None
