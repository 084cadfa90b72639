"""Files of our own: the last line says so, and holds a hash, so that a person's edit is seen."""

from __future__ import annotations

import hashlib
import re

_ANYWHERE = re.compile(r"<!-- nines agent install; edit elsewhere: ([0-9a-f]{16}) -->")
_MARK = re.compile(_ANYWHERE.pattern + r"\n\Z")


def marked(text: str) -> str:
    return f"{text.rstrip()}\n\n<!-- nines agent install; edit elsewhere: {_hash(text.rstrip())} -->\n"


def is_own(text: str) -> bool:
    """Whether it was written by us and never touched since."""
    found = _MARK.search(text)
    return found is not None and found[1] == _hash(text[: found.start()].rstrip())


def was_own(text: str) -> bool:
    """Whether it was written by us, edited or not."""
    return _ANYWHERE.search(text) is not None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
