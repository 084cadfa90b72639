"""One folder per topic; a rule is a pair of files, name.py and name.md, found by being there."""

from __future__ import annotations

from nines.rules.judging import Judged, judge
from nines.rules.loading import load

__all__ = ["Judged", "judge", "load"]
