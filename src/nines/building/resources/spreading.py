"""Classes whose members have long types: those get names of their own before the class."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.building import names, python

_MEMBER = re.compile(r"    (\w+): (.*?)( = .*)?")
_CHOICES = re.compile(r"Literal\[([^\]]*)\]")


def spread(block: list[str]) -> list[str]:
    """The lines of a class; types that are too long for a line get a name before it."""
    name = re.split(r"[ (:]", block[0])[1]
    before: list[str] = []
    lines = []
    for line in block:
        found = _MEMBER.fullmatch(line) if len(line) > python.WIDTH else None
        if found is None:
            lines.append(line)
            continue
        choice = _CHOICES.search(line)
        long = choice[0] if choice else _first(found[2])
        alias = f"{name}{names.pascal(found[1])}"
        before += [*python.laid(_bracketed(long), before=f"{alias} = "), ""]
        lines.append(line.replace(long, alias))
    return [*before, "", *lines] if before else lines


def _first(type: str) -> str:
    """The first of the alternatives of a type."""
    return next(_split(type, " | "))


def _bracketed(type: str) -> python.Part:
    """A type such as Annotated[...], spread out where one line does not hold it."""
    head, bracket, rest = type.partition("[")
    if not bracket or not rest.endswith("]"):
        return type
    return python.Group(head=head, parts=tuple(_split(rest.removesuffix("]"), ", ")), brackets="[]")


def _split(text: str, mark: str) -> Iterator[str]:
    """At the marks that stand within no brackets and no literal."""
    depth, start, quote = 0, 0, ""
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "[(":
            depth += 1
        elif letter in "])":
            depth -= 1
        elif depth == 0 and text.startswith(mark, at):
            yield text[start:at]
            start = at + len(mark)
    yield text[start:]
