"""One folder per topic; an experiment is a pair of files, name.py and name.md, found by being there."""

from __future__ import annotations

from nines.experiments.discovery import discover

__all__ = ["discover"]
