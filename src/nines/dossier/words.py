"""Figures as people say them; the same in every chapter, and in what planning says."""

from __future__ import annotations

from nines.model.words import amount, count, duration, many, moment, rate, share, size

__all__ = ["amount", "count", "duration", "many", "moment", "rate", "share", "size"]
