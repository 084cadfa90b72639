"""Filling {placeholders} of the configuration: addresses and ports that are known only when the laboratory stands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nines.model.errors import SettingsError

_NAME = r"[A-Za-z][\w-]*(?:\.[\w-]+)*"
_PLACEHOLDER = re.compile(rf"\{{\{{|\}}\}}|\{{({_NAME})\}}")
_ESCAPED = re.compile(rf"\{{\{{{_NAME}\}}\}}")


def fill(text: str, values: Mapping[str, str], where: str) -> str:
    """The text with its placeholders filled; `{{word}}` stands for {word}, and braces around anything else stay.

    Raises SettingsError for an unknown placeholder, naming those that are known."""

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0][0]
        if name not in values:
            raise SettingsError(
                f"{{{name}}} is not known here",
                where=where,
                hint=f"Known are {', '.join('{' + known + '}' for known in sorted(values))}; "
                f"write {{{{{name}}}}} for the word in braces itself.",
            )
        return values[name]

    return _PLACEHOLDER.sub(replace, text) if _is_template(text) else text


def literal(text: str) -> str:
    """The text as it must be written so that `fill` gives it back."""
    return text.replace("{", "{{").replace("}", "}}") if _is_template(text) else text


def _is_template(text: str) -> bool:
    """Whether it holds a placeholder, or a word in doubled braces that is meant to be none.

    Any other text is taken as it is: JSON has braces of its own, doubled ones included."""
    return bool(_ESCAPED.search(text)) or any(match[1] for match in _PLACEHOLDER.finditer(text))


def mentions(text: str, prefix: str) -> bool:
    """Whether a placeholder of this name or family stands in the text."""
    names = (match[1] for match in _PLACEHOLDER.finditer(text) if match[1])
    return any(name == prefix or name.startswith(prefix + ".") for name in names)
