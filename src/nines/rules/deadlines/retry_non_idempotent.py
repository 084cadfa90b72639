"""A remote write that is sent again although the first may have arrived."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.model.effect import Effect, Known, Retry
from nines.model.finding import Finding
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import Service
from nines.model.trace import Trace, Witness
from nines.rules import reporting, wording

INFO = RuleInfo(
    title="Retry that may repeat a write",
    tier=Tier.RELIABILITY,
    severity=Severity.HIGH,
    standards=(
        Standard(id="RFC 9110, 9.2.2", url="https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2"),
        Standard(id="CWE-837", url="https://cwe.mitre.org/data/definitions/837.html"),
    ),
)
_NEVER_SENT = (
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "ClientConnectorError",
    "NewConnectionError",
    "gaierror",
)
"""Errors that prove that the request did not leave."""
_DELIVERY = re.compile(r"web_?hook|notif|callback|telemetry|heartbeat|log", re.IGNORECASE)
"""What is commonly delivered at least once on purpose, so that its receivers expect to see it again."""
_ASKS_OR_SETS = re.compile(
    r"get|fetch|load|list|read|find|is_|has_|check|ask|update|set|put|sync|join|leave|delete|remove|enable|disable|refresh|renew|un[a-z]+"
    r"|cancel|close|stop|revoke|deactivate|activate|mark|clear|reset|end|finish|complete"
)
"""First words of functions that come to the same when they are called twice."""
_ONLY_ASKS = re.compile(
    r"search|query|graphql|token|oauth|login|authenticate|introspect|lookup|validate|verify|embeddings|completions"
    r"|predict|infer|translate|tokenize|rerank|detect|classify|geocode|resolve|batchget|calculat|quote|estimate|preview|_msearch|/select\b",
    re.IGNORECASE,
)
"""What is commonly sent by POST and changes nothing at the other side."""


def check(service: Service) -> Iterator[Finding]:
    for endpoint, trace in service.judged():
        for index, effect in trace.remote_calls():
            if not _may_repeat(effect):
                continue
            retry = next((retry for retry in effect.retries if _covers(retry, effect)), None)
            first = _first_attempt(trace, index)
            if retry is None and first is None:
                continue
            holder = wording.holder(endpoint, effect)
            is_delivery = bool(_DELIVERY.search(f"{effect.target} {holder}"))
            is_unclear = first is None and (is_delivery or _may_be_repeated(effect, wording.short(holder)))
            how = f" by {retry.source}" if retry and retry.source else ""
            key = "with a new idempotency key for each attempt" if effect.renews_key else "without an idempotency key"
            yield reporting.at(
                endpoint,
                trace,
                effect,
                message=f"{wording.call(effect)} is retried{how} {key}",
                consequence=f"When an answer of {wording.peer(effect)} is lost, what it did is done twice: charged, "
                "sent or created a second time.",
                severity=Severity.LOW if is_delivery else INFO.severity,
                confidence=Confidence.LOW if is_unclear else Confidence.HIGH,
                related=(
                    ("the retry is declared here", retry.place if retry else None),
                    ("the first attempt", trace.effects[first].place if first is not None else None),
                ),
                about=effect.action,
            )


def _may_repeat(effect: Effect) -> bool:
    is_write = effect.is_remote_write and effect.action.upper() in ("POST", "PATCH")
    return is_write and effect.idempotency is Known.MISSING and not _ONLY_ASKS.search(f"{effect.target} {effect.text}")


def _may_be_repeated(effect: Effect, holder: str) -> bool:
    """Whether the request sets what it names, or only asks, as far as its address and its function say."""
    names_one = effect.target.rstrip("/").endswith("}")
    return names_one or bool(_ASKS_OR_SETS.match(holder.lstrip("_").lower()))


def _covers(retry: Retry, effect: Effect) -> bool:
    """Whether the policy repeats this request after it may have arrived."""
    methods = {method.upper() for method in retry.methods}
    if retry.known is Known.MISSING or (retry.attempts_max is not None and retry.attempts_max < 2):
        return False
    if methods and effect.action.upper() not in methods:
        return False
    return not retry.errors or any(name.rpartition(".")[2] not in _NEVER_SENT for name in retry.errors)


def _first_attempt(trace: Trace, index: int) -> int | None:
    """Seen on the wire: the same request, which had failed."""
    if trace.witness is not Witness.OBSERVED:
        return None
    effect = trace.effects[index]
    same = (effect.action, effect.target, effect.dependency)
    return next(
        (i for i, e in trace.before(index) if _is_unclear(e.error) and (e.action, e.target, e.dependency) == same), None
    )


def _is_unclear(error: str) -> bool:
    """Whether the other side may have acted; an answer of the 400s says that it refused."""
    return bool(error) and not error.startswith("HTTP 4")
