"""What the service needs of others, told by the effects that reach them."""

from __future__ import annotations

from collections.abc import Iterable

from nines.model.blueprint import Dependency, DependencyKind, RetryPolicy
from nines.model.effect import Effect, Known
from nines.model.service import Service
from nines.planning.recovering.participants import Reached, reached

_OWN = (DependencyKind.POSTGRES, DependencyKind.REDIS, DependencyKind.RABBITMQ)


def dependencies(service: Service) -> tuple[Dependency, ...]:
    """Each dependency once: the database first, then the others by name."""
    seen: dict[str, tuple[Reached, list[Effect]]] = {}
    for trace in service.traces:
        for effect in trace.effects:
            found = reached(effect)
            if found is not None:
                seen.setdefault(found.name, (found, []))[1].append(effect)
    order = sorted(seen, key=lambda name: (seen[name][0].kind is not DependencyKind.POSTGRES, name))
    return tuple(_dependency(*seen[name]) for name in order)


def _dependency(found: Reached, effects: list[Effect]) -> Dependency:
    attempts = [retry.attempts_max for effect in effects for retry in effect.retries if retry.attempts_max]
    return Dependency(
        name=found.name,
        kind=found.kind,
        is_hard=any(not effect.handlers and not effect.after_response for effect in effects),
        timeout_s=_timeout(effects),
        retry=RetryPolicy(max=max(attempts) - 1, only_idempotent=False) if attempts else None,
        is_external=found.kind not in _OWN,
        place=next((effect.place for effect in effects if effect.place is not None), None),
    )


def _timeout(effects: Iterable[Effect]) -> float | None:
    """The longest deadline, where every effect that reaches it has one whose value is known."""
    durations = [effect.deadline.duration_s for effect in effects if effect.deadline.known is Known.SET]
    known = [duration for duration in durations if duration is not None]
    is_complete = all(effect.deadline.known is Known.SET for effect in effects) and len(known) == len(durations)
    return max(known) if known and is_complete else None
