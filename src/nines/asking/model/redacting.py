"""What is sent to a model: without secrets, without invisible characters, and marked as data."""

from __future__ import annotations

import re

REMOVED = "[secret removed]"
_NAMES = (
    r"[\w.-]*(?:password|passwd|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key|credential|"
    r"auth[_-]?key|signing[_-]?key|encryption[_-]?key|client[_-]?secret)[\w-]*"
)
_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"\b(?:sk|pk|rk)[-_](?:live|test|ant|proj)?[-_]?[\w-]{16,}"),
    re.compile(r"\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"),
    re.compile(r"\bxox[abeprs]-[\w-]{10,}"),
    re.compile(r"\bAIza[\w-]{30,}"),
)
_IN_URL = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)(?P<secret>[^\s@'\"]+)(?=@)", re.IGNORECASE)
_BEARER = re.compile(r"(?P<head>\b(?:bearer|basic)\s+)(?P<secret>[\w.~+/-]{12,}=*)", re.IGNORECASE)
_ASSIGNED = re.compile(
    rf"(?P<head>\b{_NAMES}\\?[\"']?\s*(?::\s*[\w\[\]., ]{{1,30}})?\s*(?:=|:|=>|,)\s*(?:[bfr]?\\?[\"']))"
    r"(?P<secret>(?:(?!\\?[\"']).){4,}?)(?=\\?[\"'])",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    rf"(?P<head>^[ \t+-]*(?:export\s+)?{_NAMES}\s*=\s*)(?P<secret>[^\s\"'(){{}}\[\]]{{6,}})\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_REFERENCE = re.compile(r"^[\$<{%]|^(?:os\.|settings|config|env|getenv|self\.|None|null|true|false)", re.IGNORECASE)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_FRAME = re.compile(r"</?\s*data\b", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """What looks like a credential replaced; a name that only refers to one stays."""
    for pattern in _PATTERNS:
        text = pattern.sub(REMOVED, text)
    for pattern in (_IN_URL, _BEARER, _ASSIGNED, _PLAIN):
        text = pattern.sub(_replaced, text)
    return text


def _replaced(match: re.Match[str]) -> str:
    secret = match["secret"]
    return match[0] if _REFERENCE.match(secret) or REMOVED in secret else f"{match['head']}{REMOVED}"


def as_data(text: str, source: str, limit: int) -> str:
    """Between marks that nothing inside can close: whatever stands there is shown, and asks for nothing."""
    plain = _FRAME.sub("(data", _INVISIBLE.sub("", without_secrets(text)))
    if len(plain) > limit:
        plain = f"{plain[:limit]}\n... cut; ask for less at once, or for the next page"
    return f'<data source="{source}">\n{plain}\n</data>'
