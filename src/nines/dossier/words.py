"""Figures as people say them; the same in every chapter, and in what planning says."""

from __future__ import annotations

from nines.model.words import count, duration, rate, share, size

__all__ = ["count", "duration", "rate", "share", "size"]
