"""Filling {placeholders} of the configuration: addresses and ports that are known only when the laboratory stands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nines.model.errors import SettingsError

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z][\w-]*(?:\.[\w-]+)*)\}")


def fill(text: str, values: Mapping[str, str], where: str) -> str:
    """The text with its placeholders filled; `{{` and `}}` stand for braces, and braces around anything else stay.

    Raises SettingsError for an unknown placeholder, naming those that are known."""

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0][0]
        if name not in values:
            raise SettingsError(
                f"{{{name}}} is not known here",
                where=where,
                hint=f"Known are {', '.join('{' + known + '}' for known in sorted(values))}; write {{{{ for a brace.",
            )
        return values[name]

    # A text without a single placeholder is taken as it is: JSON has braces of its own, doubled ones included.
    if not any(match[1] for match in _PLACEHOLDER.finditer(text)):
        return text
    return _PLACEHOLDER.sub(replace, text)


def mentions(text: str, prefix: str) -> bool:
    """Whether a placeholder of this name or family stands in the text."""
    names = (match[1] for match in _PLACEHOLDER.finditer(text) if match[1])
    return any(name == prefix or name.startswith(prefix + ".") for name in names)
