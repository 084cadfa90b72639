"""The reliability budgets and whether they were met."""

from __future__ import annotations

from enum import StrEnum

from nines.model.record import Record


class Budgets(Record):
    """What a service may spend; the defaults are those of nines."""

    availability: float = 0.999
    """Share of time, 0 to 1."""
    error_rate: float = 0.001
    """Share of requests, 0 to 1, exclusive."""
    latency_p95_ms: float = 200.0
    recovery_s: float = 300.0


class Standing(StrEnum):
    MET = "met"
    MISSED = "missed"
    NOT_SHOWN = "not shown"


class BudgetResult(Record):
    """One budget, with the evidence for its standing."""

    name: str
    """availability, error_rate, latency_p95, recovery."""
    limit: float
    unit: str
    standing: Standing = Standing.NOT_SHOWN
    value: float | None = None
    """The point estimate."""
    bound: float | None = None
    """The end of the interval that the standing was decided on."""
    confidence: float | None = None
    samples: int = 0
    says: str = ""
    """One sentence for people: what was measured, how, and under which assumptions."""
    experiments: tuple[str, ...] = ()
