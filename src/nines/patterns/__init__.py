"""What nines recommends: one page a pattern, found by being there, each tied to what finds and proves it."""

from __future__ import annotations

import functools
from importlib import resources

from nines.model.pattern import Pattern
from nines.patterns.page import parse

__all__ = ["about", "discover"]

_SUFFIX = ".md"


@functools.cache
def discover() -> tuple[Pattern, ...]:
    """Every pattern, in the order of the topics; raises SourceError for a page that breaks the form."""
    pages = [each for each in resources.files(__name__).iterdir() if each.name.endswith(_SUFFIX)]
    found = [parse(each.read_text(encoding="utf-8"), each.name.removesuffix(_SUFFIX)) for each in pages]
    return tuple(sorted(found, key=lambda pattern: (pattern.topic.rank, pattern.id)))


def about(id: str) -> tuple[Pattern, ...]:
    """The patterns that name a rule, an experiment or an objection."""
    return tuple(pattern for pattern in discover() if pattern.is_about(id))
