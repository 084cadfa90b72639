"""The pulse tells a service that only looks alive from one that is well."""

from __future__ import annotations

import asyncio

import pytest

from nines.lab import pulse as pulses
from nines.lab.pulse import Pulse
from nines.model.effect import Effect, EffectKind
from nines.model.experiment import Call
from nines.model.history import Exchange, Outcome
from nines.model.trace import Trace, Witness


class Answering:
    """Answers each operation with the statuses it was told, the last one for ever; None is no answer."""

    def __init__(self, **statuses: list[int | None]) -> None:
        self._statuses = statuses
        self.asked: list[str] = []

    async def __call__(self, call: Call, limit_s: float) -> Exchange:
        self.asked.append(call.operation)
        statuses = self._statuses[call.operation]
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        return Exchange(operation=call.operation, method="GET", path="/", outcome=Outcome.OK, status=status)


def remember(pulse: Pulse, operation: str, *tables: str) -> None:
    effects = tuple(Effect(kind=EffectKind.DATABASE_READ, target=table, dependency="database") for table in tables)
    trace = Trace(endpoint=operation, witness=Witness.OBSERVED, effects=effects)
    pulse.remember(Call(operation=operation, method="GET", path="/"), trace)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulses, "HEAL_LIMIT_S", 0.2)
    monkeypatch.setattr(pulses, "_PAUSE_S", 0.01)


def test_a_well_service_is_asked_once_for_each_reach() -> None:
    answering = Answering(health=[200], items=[404], users=[200])
    pulse = Pulse(answering)
    remember(pulse, "health")
    remember(pulse, "items", "items")
    remember(pulse, "again", "items")
    remember(pulse, "users", "items", "users")
    assert asyncio.run(pulse.weakness()) == ""
    assert sorted(answering.asked) == ["health", "items", "users"]


def test_what_heals_in_time_is_well() -> None:
    pulse = Pulse(Answering(items=[None, 503, 200]))
    remember(pulse, "items", "items")
    assert asyncio.run(pulse.weakness()) == ""


@pytest.mark.parametrize("status", [None, 500])
def test_what_does_not_heal_is_named(status: int | None) -> None:
    pulse = Pulse(Answering(health=[200], items=[status]))
    remember(pulse, "health")
    remember(pulse, "items", "items")
    assert asyncio.run(pulse.weakness()) == "items"


def test_without_a_survey_nothing_is_known() -> None:
    assert asyncio.run(Pulse(Answering()).weakness()) == ""
