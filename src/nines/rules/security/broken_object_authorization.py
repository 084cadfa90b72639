"""A row chosen by an id from the caller, with nothing that ties it to the caller's identity."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.model.effect import Effect, EffectKind, Predicate
from nines.model.finding import Finding
from nines.model.origin import Origin, OriginKind
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import Endpoint, EndpointKind, GuardKind, Service
from nines.model.trace import Trace
from nines.rules import reporting
from nines.rules.belonging import is_mine, is_sent, is_tied
from nines.rules.ownership import Owners, Ownership
from nines.rules.sites import Sites

INFO = RuleInfo(
    title="Object of another owner",
    tier=Tier.SECURITY,
    severity=Severity.CRITICAL,
    standards=(
        Standard(
            id="OWASP API1:2023",
            url="https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/",
        ),
        Standard(id="CWE-639", url="https://cwe.mitre.org/data/definitions/639.html"),
    ),
    decided_by=("security/object-authorization",),
    needs_code=True,
)
_KEY = re.compile(r"^(?:id|pk|uuid|guid|uid|key|number|code|reference|slug)$|_(?:id|uuid|pk|number|key)$|^id_")
_SECRET = re.compile(r"(?:^|_)(?:key|token|secret|hash|signature|password)$")
"""Columns that only those know to whom they were given."""
_HANDED_OUT = re.compile(r"invit|reset|confirm|verif|activat|recover|coupon|voucher|share")
"""Tables whose codes let in whoever was given them."""
_POLICY = re.compile(
    r"check|permi|authori|ensure|polic|access|allow|owner|enforce|belongs|guard|can_|visible|scope|tenant"
)


def check(service: Service) -> Iterator[Finding]:
    sites, owners = Sites(service), Owners(service.tables)
    isolated = _isolated(service)
    # Totals that anyone may read make no row public; the same look-up without signing in, or the whole list, does.
    open_to_all = [t for p, t in service.judged() if p.guards_known and not p.is_guarded]
    public = {e.target for t in open_to_all for _, e in t.reads() if _chosen_by(e) or not e.predicates}
    for endpoint, trace in service.judged():
        if not _is_for_anyone_signed_in(endpoint) or any(_POLICY.search(blind.text) for blind in trace.blind):
            continue
        told: set[str] = set()
        for index, effect in enumerate(trace.effects):
            key = _chosen_by(effect)
            if key is None or effect.target in told or not _matters(trace, index) or is_tied(trace, index):
                continue
            owned = owners.of(effect.target)
            is_kept = effect.target in public and not any(index in e.row_origins for _, e in trace.after(index))
            is_read = (endpoint.is_safe or is_kept) and effect.kind is EffectKind.DATABASE_READ
            is_for_everyone = owned in (Ownership.AUTHORED, Ownership.IDENTITY) or effect.target in public
            if owned is Ownership.NOBODY or (is_read and is_for_everyone):
                continue
            told.add(effect.target)
            yield reporting.at(
                endpoint,
                trace,
                effect,
                message=f"the row of {effect.target} is chosen by {key.name or 'an id'} from the "
                f"{key.location or 'request'} and not tied to the signed-in user",
                consequence=f"Whoever is signed in can {'read' if is_read else 'change'} any row of {effect.target} by "
                "trying other ids.",
                severity=INFO.severity if owned >= Ownership.OWNED else Severity.HIGH,
                confidence=_confidence(owned, key, is_isolated=effect.target in isolated),
                about=key.name,
                sites=sites,
            )


def _isolated(service: Service) -> set[str]:
    """Tables whose rows other statements choose by the user, and those whose rows hang below them."""
    own = {e.target for _, t in service.judged() for e in t.effects if is_mine(e)}
    below = {t.name for t in service.tables for c in t.columns if c.references.partition(".")[0] in own}
    return own | below


def _is_for_anyone_signed_in(endpoint: Endpoint) -> bool:
    kinds = {guard.kind for guard in endpoint.guards}
    is_open_to_all = GuardKind.AUTHENTICATION in kinds and GuardKind.AUTHORISATION not in kinds
    return endpoint.kind is EndpointKind.HTTP and endpoint.guards_known and is_open_to_all


def _chosen_by(effect: Effect) -> Origin | None:
    """The caller's value that selects one row, when no condition comes from the signed-in user."""
    if not effect.is_database or not effect.predicates_known or is_mine(effect):
        return None
    is_given = any(p.column == "code" for p in effect.predicates) and _HANDED_OUT.search(effect.target)
    if is_given or effect.has_predicate_from(OriginKind.DATABASE) or any(_is_unclear(p) for p in effect.predicates):
        # Narrowed to the children of another row, which is judged by itself, or by what was not understood.
        return None
    return next((o for p in effect.predicates if _is_key(p) for o in p.origins if is_sent(o)), None)


def _is_key(predicate: Predicate) -> bool:
    return predicate.operator == "=" and bool(_KEY.search(predicate.column.rpartition(".")[2]))


def _is_unclear(predicate: Predicate) -> bool:
    """Keys from a source that was not understood, perhaps those that the user may see; or a secret."""
    is_unknown = predicate.operator in ("=", "in", "exists", "or") and not predicate.origins
    return bool(_SECRET.search(predicate.column)) or (is_unknown and bool(_KEY.search(predicate.column)))


def _matters(trace: Trace, index: int) -> bool:
    """Whether the row is shown or changed, not merely looked up."""
    effect = trace.effects[index]
    if effect.kind is EffectKind.DATABASE_WRITE:
        return effect.action.upper() in ("UPDATE", "DELETE", "UPSERT") and not effect.row_origins
    return effect.reaches_response or any(index in later.row_origins for _, later in trace.after(index))


def _confidence(owned: Ownership, key: Origin, *, is_isolated: bool) -> Confidence:
    """Where other statements choose rows of this table by the user, one that does not stands out."""
    if "unclear" in key.sanitised:
        # What an unread function makes of it may be the caller's own: a token that it verifies.
        return Confidence.LOW
    if owned is Ownership.OWNED:
        return Confidence.HIGH if is_isolated else Confidence.MEDIUM
    return Confidence.MEDIUM if is_isolated else Confidence.LOW
