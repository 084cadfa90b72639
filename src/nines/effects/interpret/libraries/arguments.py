"""The arguments of a library's call by the names of its parameters, and what an unpacked one is passed on as."""

from __future__ import annotations

from nines.effects.values import UNKNOWN, Value, element_of, join

OPEN = "**"
"""The keyword under which an unpacked mapping of unknown content is passed on."""
REST = "*"
"""The keyword under which an unpacked sequence of unknown length is passed on."""


def named(parameters: tuple[str, ...], arguments: list[Value], keywords: dict[str, Value]) -> dict[str, Value]:
    """A library call's arguments by name; further positional ones under "*0", "*1" and so on."""
    bound = {name: value for name, value in keywords.items() if name not in (OPEN, REST)}
    for index, value in enumerate(arguments):
        name = parameters[index] if index < len(parameters) else f"*{index - len(parameters)}"
        bound.setdefault(name, value)
    if OPEN in keywords:
        bound[OPEN] = keywords[OPEN]
    if REST in keywords:
        bound[REST] = keywords[REST]
    return bound


def rest_of(bound: dict[str, Value]) -> list[Value]:
    """The positional arguments beyond the named parameters, an unpacked list of known length included."""
    found = [value for name, value in bound.items() if name.startswith("*") and name not in (OPEN, REST)]
    if REST in bound:
        found.append(element_of(bound[REST]))
    return found


def everything(bound: dict[str, Value]) -> Value:
    return join(list(bound.values())) if bound else UNKNOWN
