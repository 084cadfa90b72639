"""Runs one rule over a service and completes what it found."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable

from msgspec.structs import replace

from nines.model import page as page_model
from nines.model.finding import Finding, Option, Standing
from nines.model.record import Record
from nines.model.rule import Confidence, Rule, Tier
from nines.model.service import Service
from nines.model.trace import Witness

FINDINGS_MAX = 2_000
"""Of one rule; a service with more has told enough, and what is left out is said."""


class Judged(Record):
    """What one rule found, and why it could not judge everything."""

    findings: tuple[Finding, ...] = ()
    failures: tuple[str, ...] = ()


def judge(rule: Rule, service: Service) -> Judged:
    """The rule's findings, merged over the entry points that reach them, completed and sorted.

    A rule that fails keeps what it had found, and its failure is told: one bad rule does not end a review."""
    found: list[Finding] = []
    failures: list[str] = []
    try:
        found.extend(_completed(finding, rule) for finding in rule.check(service))
    except Exception as error:
        failures.append(f"it failed and judged only a part: {type(error).__name__}: {error}")
    merged = _numbered(_merged(found))
    if len(merged) > FINDINGS_MAX:
        failures.append(f"it found {len(merged)}; only the first {FINDINGS_MAX} are reported")
    return Judged(findings=tuple(merged[:FINDINGS_MAX]), failures=tuple(failures))


def _completed(finding: Finding, rule: Rule) -> Finding:
    """Fills what the rule says once for all of its findings; the check may have lowered severity and tier by itself."""
    tier = rule.info.tier if finding.tier is Tier.CONVENIENCE else finding.tier
    if finding.confidence is Confidence.LOW and tier in (Tier.RELIABILITY, Tier.SECURITY):
        # What rests on something that was only not seen is a suspicion: told, but not among what is to be mended first.
        tier = Tier.CONVENIENCE
    proven = finding.witness is Witness.OBSERVED and not rule.info.needs_code
    return replace(
        finding,
        rule=rule.id,
        tier=tier,
        standing=Standing.PROVEN if proven else Standing.SUSPECTED,
        options=finding.options or _options(rule.id, rule.page),
        endpoints=finding.endpoints or ((finding.endpoint,) if finding.endpoint else ()),
        subject=finding.subject if finding.place else f"{finding.endpoint} {finding.subject}".strip(),
    )


@functools.cache
def _options(id: str, page: str) -> tuple[Option, ...]:
    return page_model.parse(page, id).options


def _merged(found: Iterable[Finding]) -> list[Finding]:
    """One finding for each place and subject: the gravest, by the shortest path, with every endpoint."""
    groups: defaultdict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding in found:
        place = finding.place
        where = (place.file, place.line, place.column) if place else None
        groups[(finding.witness, where, finding.subject)].append(finding)
    return sorted((_one_of(group) for group in groups.values()), key=_order)


def _one_of(group: list[Finding]) -> Finding:
    kept = min(
        group, key=lambda f: (f.tier.rank, f.severity.rank, f.confidence.rank, len(f.path), f.endpoint, f.message)
    )
    others = sorted({endpoint for finding in group for endpoint in finding.endpoints} - {kept.endpoint})
    return replace(kept, endpoints=(kept.endpoint, *others) if kept.endpoint else tuple(others))


def _order(finding: Finding) -> tuple[object, ...]:
    column = finding.place.column if finding.place else 0
    return (*finding.order, column, finding.subject, finding.endpoint, finding.message)


def _numbered(found: list[Finding]) -> list[Finding]:
    """Tells equal subjects of one file apart by their order, so that each keeps its own fingerprint."""
    seen: Counter[tuple[str, str]] = Counter()
    ordinals: dict[int, int] = {}
    for index in sorted(range(len(found)), key=lambda i: (found[i].place is None, found[i].place or 0, i)):
        finding = found[index]
        key = (finding.place.file if finding.place else "", finding.subject)
        seen[key] += 1
        ordinals[index] = seen[key]
    return [
        replace(finding, subject=f"{finding.subject} #{ordinals[index]}") if ordinals[index] > 1 else finding
        for index, finding in enumerate(found)
    ]
