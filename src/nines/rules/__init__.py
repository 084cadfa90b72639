"""One folder per topic; a rule is a pair of files, name.py and name.md, found by being there."""

from __future__ import annotations

from nines.rules.discovery import discover
from nines.rules.judging import Judged, judge

__all__ = ["Judged", "discover", "judge"]
