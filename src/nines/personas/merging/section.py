"""A section of somebody's Markdown between two markers; the first remembers how it was joined to what stood before."""

from __future__ import annotations

import re

from nines.model.errors import UsageError

_END = "<!-- nines:end -->"
_BLOCK = re.compile(
    r"(?P<before>[\r\n]*)<!-- nines:begin (?P<joined>\d) -->\r?\n.*?" + re.escape(_END) + r"(?P<after>\r?\n)?",
    re.DOTALL,
)
_ANY = re.compile(r"<!-- nines:(begin|end)")


def put(text: str, section: str, where: str) -> str:
    """The text with the section: in its old place where it stands already, else at the end."""
    found = _only(text, where)
    newline = "\r\n" if "\r\n" in text else "\n"
    if found is not None:
        begin = found.start() + len(found["before"])
        written = _written(section, found["joined"], newline).removesuffix(newline) + (found["after"] or "")
        return text[:begin] + written + text[found.end() :]
    missing = 0 if not text else 1 if text.endswith("\n") else 2
    return text + newline * missing + _written(section, str(missing), newline)


def take(text: str, where: str) -> str:
    """The text as it was without the section."""
    found = _only(text, where)
    if found is None:
        return text
    before = found["before"]
    for _ in range(int(found["joined"])):
        before = before.removesuffix("\n").removesuffix("\r")
    return text[: found.start()] + before + text[found.end() :]


def has(text: str) -> bool:
    return _BLOCK.search(text) is not None


def _written(section: str, joined: str, newline: str) -> str:
    lines = (f"<!-- nines:begin {joined} -->", *section.strip().splitlines(), _END)
    return newline.join(lines) + newline


def _only(text: str, where: str) -> re.Match[str] | None:
    found = list(_BLOCK.finditer(text))
    if len(found) > 1 or len(_ANY.findall(text)) != 2 * len(found):
        hint = "Take the broken markers out by hand: <!-- nines:begin --> and <!-- nines:end -->."
        raise UsageError("the markers of nines are broken or doubled", where=where, hint=hint)
    return found[0] if found else None
