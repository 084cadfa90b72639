"""What phrasings teach: how much a word, or two in a row, speaks for each intent, counted and smoothed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

_SMOOTHING = 0.3
_WORD_WEIGHT = 0.6
"""Of a word against a concept, which stands for many words and was chosen by somebody."""
MARK = ":"
"""In features that are no words of the question."""


class Learned:
    """Naive Bayes over features, one intent against all others."""

    def __init__(self, examples: Iterable[tuple[frozenset[str], str]]) -> None:
        self._of: Counter[str] = Counter()
        self._with: dict[str, Counter[str]] = {}
        for features, intent in examples:
            self._of[intent] += 1
            for feature in features:
                self._with.setdefault(feature, Counter())[intent] += 1
        self._count = sum(self._of.values())

    def evidence(self, features: Iterable[str]) -> Mapping[str, float]:
        """For each intent the logarithm of the odds; what was never met says nothing."""
        found = dict.fromkeys(self._of, 0.0)
        for feature in features:
            counts = self._with.get(feature)
            if counts is None:
                continue
            weight = 1.0 if MARK in feature else _WORD_WEIGHT
            total = sum(counts.values())
            for intent, count in self._of.items():
                mine = (counts[intent] + _SMOOTHING) / (count + 2 * _SMOOTHING)
                others = (total - counts[intent] + _SMOOTHING) / (self._count - count + 2 * _SMOOTHING)
                found[intent] += weight * math.log(mine / others)
        return found
