"""What members of bodies are called in a graph, and back: amount_minor is amountMinor there."""

from __future__ import annotations

import re

_JOINT = re.compile(r"_([a-z])")
_CAPITAL = re.compile(r"[A-Z]")


def camel(name: str) -> str:
    """A digit keeps its underscore, so that line_1 and line1 stay two names."""
    return _JOINT.sub(lambda found: found[1].upper(), name)


def snake(name: str) -> str:
    """What `camel` made the name of."""
    return _CAPITAL.sub(lambda found: f"_{found[0].lower()}", name)


def pointer(text: str) -> str:
    """A JSON pointer into a body, or the name of a parameter, as the graph calls it."""
    head, slash, rest = text.partition("/")
    return f"/input/{'/'.join(map(camel, rest.split('/')))}" if slash and not head else camel(text)
