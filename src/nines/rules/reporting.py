"""Makes a finding about one effect; rule, tier, standing and options are filled by judging."""

from __future__ import annotations

from collections.abc import Iterable

from nines.model.effect import Effect
from nines.model.finding import Finding
from nines.model.place import Place
from nines.model.rule import Confidence, Severity
from nines.model.service import Endpoint
from nines.model.trace import Trace
from nines.rules import wording


def at(
    endpoint: Endpoint,
    trace: Trace,
    effect: Effect,
    *,
    message: str,
    consequence: str,
    severity: Severity,
    confidence: Confidence,
    related: Iterable[tuple[str, Place | None]] = (),
    about: str = "",
) -> Finding:
    """A finding where the effect stands; `about` tells apart several findings on effects of one kind and target."""
    return Finding(
        rule="",
        message=message,
        place=effect.place,
        endpoint=endpoint.id,
        path=effect.path,
        related=tuple((text, place) for text, place in related if place is not None),
        consequence=consequence,
        subject=wording.subject(endpoint, effect, about),
        severity=severity,
        confidence=confidence,
        witness=trace.witness,
    )
