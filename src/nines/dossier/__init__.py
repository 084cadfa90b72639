"""What is handed over before the first line of code: one writer for each chapter, found by being there."""

from __future__ import annotations

from nines.dossier.chapter import Chapter
from nines.dossier.write import write

__all__ = ["Chapter", "write"]
