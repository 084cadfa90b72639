"""Claims and what stands behind them: a sentence without a source that a tool gave is marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

UNSHOWN = "*(not shown: no run or page behind it)*"
UNKNOWN = "*(source unknown: {})*"
_CITED = re.compile(r"\[(finding|report|trace|page|design|run)[: ]\s*([^\]]{1,200})\]", re.IGNORECASE)
_FINGERPRINT = re.compile(r"\b[0-9a-f]{16}\b")
_KEPT = re.compile(r'"(?:report|dossier)":\s?"([rd]\d+)"')
_ENDPOINT = re.compile(r'"(?:id|entry_point)":\s?"([^"]{1,200})"')
_PAGE = re.compile(r'"(?:rule|page_id|page|id|experiment)":\s?"([a-z0-9-]+(?:/[a-z0-9-]+)?)"')
_FENCE = re.compile(r"^\s*```")
_EXEMPT = re.compile(
    r"^\s*(?:#|>|\||$|`|-{3,})|[?:]\s*$|\bnines (?:review|prove|check|design|build|ask|trace|explain)\b"
)
_WORDS_MIN = 4
"""Shorter lines are labels."""


def sources_in(result: str) -> Iterator[str]:
    """Everything in a tool's answer that may be cited."""
    for pattern in (_FINGERPRINT, _KEPT, _ENDPOINT, _PAGE):
        yield from (match if isinstance(match, str) else match[0] for match in pattern.findall(result))


def checked(text: str, known: Iterable[str]) -> tuple[str, int, int]:
    """The text with marks, how many claims it makes, and how many of them have a source that is known."""
    there = {source.lower() for source in known}
    lines: list[str] = []
    claims = sourced = 0
    is_code = False
    for line in text.splitlines():
        if _FENCE.match(line):
            is_code = not is_code
        if is_code or _FENCE.match(line) or _is_exempt(line):
            lines.append(line)
            continue
        claims += 1
        cited = [name.strip() for _, names in _CITED.findall(line) for name in names.split(",")]
        strange = [name for name in cited if name.lower() not in there]
        if cited and not strange:
            sourced += 1
            lines.append(line)
        else:
            mark = UNKNOWN.format(", ".join(strange)) if strange else UNSHOWN
            lines.append(f"{line} {mark}")
    return "\n".join(lines), claims, sourced


def _is_exempt(line: str) -> bool:
    return bool(_EXEMPT.search(line)) or len(line.split()) < _WORDS_MIN
