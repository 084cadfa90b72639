"""A call that blocks the thread of the event loop."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.effect import Effect, EffectKind
from nines.model.finding import Finding
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import Service
from nines.rules import reporting, wording

INFO = RuleInfo(
    title="Blocking call on the event loop",
    tier=Tier.PERFORMANCE,
    severity=Severity.HIGH,
    standards=(
        Standard(
            id="Python, Developing with asyncio",
            url="https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code",
        ),
        Standard(id="CWE-400", url="https://cwe.mitre.org/data/definitions/400.html"),
    ),
    needs_code=True,
)
_SEVERITY = {
    EffectKind.REMOTE_CALL: Severity.HIGH,
    EffectKind.SLEEP: Severity.HIGH,
    EffectKind.PROCESS: Severity.HIGH,
    EffectKind.DATABASE_READ: Severity.HIGH,
    EffectKind.DATABASE_WRITE: Severity.HIGH,
    EffectKind.COMPUTE: Severity.MEDIUM,
    EffectKind.LOCK: Severity.MEDIUM,
    EffectKind.CACHE_READ: Severity.MEDIUM,
    EffectKind.CACHE_WRITE: Severity.MEDIUM,
    EffectKind.FILE: Severity.LOW,
}
"""What blocks long enough to matter; handing a task to a broker does not."""


def check(service: Service) -> Iterator[Finding]:
    for endpoint, trace in service.judged():
        told: set[str] = set()
        for effect in trace.effects:
            if not (effect.on_event_loop and effect.blocks_thread and effect.kind in _SEVERITY) or effect.is_lazy:
                # An asynchronous session refuses to load lazily, and a synchronous one has blocked before.
                continue
            holder = wording.holder(endpoint, effect)
            if effect.is_database and holder in told:
                continue
            told |= {holder} if effect.is_database else set()
            yield reporting.at(
                endpoint,
                trace,
                # A synchronous session blocks at each statement on each table: one finding for each function is enough.
                replace(effect, target="") if effect.is_database else effect,
                message=f"{_what(effect)} blocks the event loop",
                consequence="While it waits, the process serves no other request, health checks included; the way here "
                f"is {wording.reached(endpoint, effect)}.",
                severity=_SEVERITY[effect.kind],
                confidence=Confidence.MEDIUM if effect.kind is EffectKind.FILE else Confidence.HIGH,
                about="" if effect.is_database else effect.action,
            )


def _what(effect: Effect) -> str:
    if effect.is_database:
        return f"a synchronous statement on {wording.table(effect)}"
    code = wording.code(effect)
    if effect.kind is EffectKind.REMOTE_CALL:
        return f"{wording.call(effect)}{f' with {code}' if code else ''}"
    return code or f"a {effect.kind.value.replace('_', ' ')}"
