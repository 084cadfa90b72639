"""How the service is watched: objectives, alerts, and what to do when one fires."""

from __future__ import annotations

from nines.model.record import Record


class Objective(Record):
    """A service level objective."""

    id: str
    """Kebab case: "payments-availability"."""
    title: str
    indicator: str
    """availability, latency, durability, freshness."""
    target: float
    window_s: float
    threshold_s: float | None = None
    """For latency: a request is good when it is faster."""
    good: str = ""
    """PromQL of the rate of good events, with [$window] for the window."""
    total: str = ""
    operations: tuple[str, ...] = ()


class Alert(Record):
    """Fires when the error budget burns too fast, or a cause needs a person."""

    name: str
    """Pascal case."""
    objective: str = ""
    severity: str = "page"
    """page or ticket."""
    burn_rate: float | None = None
    long_s: float | None = None
    short_s: float | None = None
    expression: str = ""
    """PromQL."""
    for_s: float = 0.0
    says: str = ""
    runbook: str = ""
    """The path of its runbook within the dossier."""


class Running(Record):
    objectives: tuple[Objective, ...] = ()
    alerts: tuple[Alert, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    """Name and meaning of each metric that the service gives out, units in the name."""
