"""Makes a finding about one effect; rule, tier, standing and options are filled by judging."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nines.model.effect import Effect
from nines.model.finding import Finding
from nines.model.place import Place
from nines.model.rule import Confidence, Severity, Tier
from nines.model.service import Endpoint
from nines.model.trace import Trace
from nines.rules import wording
from nines.rules.sites import Sites

_FOR_TESTS = re.compile(r"eager|testing|is_test|in_test|unit_?test|under_test|pytest", re.IGNORECASE)
"""In a test that asks whether this is production."""


def at(
    endpoint: Endpoint,
    trace: Trace,
    effect: Effect,
    *,
    message: str,
    consequence: str,
    severity: Severity,
    confidence: Confidence,
    tier: Tier = Tier.CONVENIENCE,
    related: Iterable[tuple[str, Place | None]] = (),
    about: str = "",
    sites: Sites | None = None,
) -> Finding:
    """A finding where the effect stands, or, with `sites`, where it is asked for.

    `tier` is only given where the case weighs less than its rule. What happens in tests alone is only suspected.
    `about` tells apart several findings on effects of one kind and target."""
    holder, place, path = wording.holder(endpoint, effect), effect.place, effect.path
    if sites is not None:
        holder, place, path = sites.of(endpoint, effect)
    if place != effect.place:
        related = (*related, ("the statement is sent here", effect.place))
    return Finding(
        rule="",
        message=message,
        place=place,
        endpoint=endpoint.id,
        path=path,
        related=tuple((text, place) for text, place in related if place is not None),
        consequence=consequence,
        subject=wording.subject(holder, effect, about),
        tier=tier,
        severity=severity,
        confidence=Confidence.LOW if _depends(effect) else confidence,
        witness=trace.witness,
        touches=f"{effect.kind.value} {effect.target}".strip(),
    )


def _depends(effect: Effect) -> bool:
    """Whether it is done only where nobody uses the service, or for objects that may not come here."""
    return any(
        condition.arm == int(condition.text.startswith("not "))
        and (_FOR_TESTS.search(condition.text) or "hasattr(" in condition.text)
        for condition in effect.conditions
    )
