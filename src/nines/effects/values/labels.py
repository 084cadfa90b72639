"""Labels of sources: made safe for something, calculated."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.sources import Sources
from nines.effects.values.things import Value
from nines.model.origin import OriginKind


def sanitised(sources: Sources, labels: tuple[str, ...]) -> Sources:
    """The sources after they were made safe for these."""
    if not labels or not sources:
        return sources
    return tuple(s._replace(sanitised=tuple(dict.fromkeys((*s.sanitised, *labels)))) for s in sources)


_UNCLEAR = ("unclear",)
"""What went into a function that was not read: perhaps it comes out, perhaps it only chose what does."""


def unclear(sources: Sources) -> Sources:
    """The sources of what an unread function was given, as those of its result."""
    return tuple(sanitised((s,), _UNCLEAR)[0] if s.kind is OriginKind.CALLER else s for s in sources)


_CALCULATED = ("calculated",)
_TRACED = (OriginKind.DATABASE, OriginKind.CALLER)


def calculated(value: Value) -> Value:
    """The value as the outcome of a calculation or of composing text; the label travels as sanitising ones do."""
    if not any(s.kind in _TRACED for s in value.sources):
        return value
    sources = tuple(sanitised((s,), _CALCULATED)[0] if s.kind in _TRACED else s for s in value.sources)
    return replace(value, sources=sources)


def composed(sources: Sources) -> Sources:
    """Those that went through a calculation or through composing text."""
    return tuple(source for source in sources if set(_CALCULATED) & set(source.sanitised))


def without_calculated(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that say what a value was made safe for."""
    return tuple(label for label in labels if label not in _CALCULATED)
