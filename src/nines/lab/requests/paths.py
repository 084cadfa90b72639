"""Path templates: filling them in, and reading their values back from a path that was sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

_PARAMETER = re.compile(r"\{([^{}]+)\}")


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The path with every parameter replaced, percent-encoded; raises KeyError for one without a value."""
    return _PARAMETER.sub(lambda found: quote(plain(values[found[1]]), safe=""), template)


def values_in(template: str, path: str) -> dict[str, str] | None:
    """What stands in place of the parameters, or None when the path does not belong to the template.

    A prefix that only the address has (a gateway's, a Location header's host) is overlooked."""
    expression = ""
    position = 0
    names: list[str] = []
    for found in _PARAMETER.finditer(template):
        expression += re.escape(template[position : found.start()]) + "([^/?#]+)"
        names.append(found[1])
        position = found.end()
    expression += re.escape(template[position:].rstrip("/")) + "/?$"
    match = re.search(expression, urlsplit(path).path)
    return dict(zip(names, (unquote(each) for each in match.groups()), strict=True)) if match else None


def names_in(template: str) -> tuple[str, ...]:
    """The parameters of the template, from left to right."""
    return tuple(_PARAMETER.findall(template))


def segments(template: str) -> tuple[str, ...]:
    return tuple(part for part in template.split("/") if part)


def static_words(template: str) -> tuple[str, ...]:
    """The segments that are not parameters."""
    return tuple(part for part in segments(template) if "{" not in part)


def plain(value: Any) -> str:
    """A value as it is written in a path or a query."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return "" if value is None else str(value)
