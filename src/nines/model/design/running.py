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
    by: str = ""
    """The label whose every value keeps the objective for itself: "operation", "task"; empty: the whole keeps it."""
    tasks: tuple[str, ...] = ()
    says: str = ""
    """What counts as good, and which budget it comes from."""

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return 1 - self.target


class AlertCase(Record):
    """What an alert does on a few series: it is tried with them."""

    says: str
    series: tuple[tuple[str, str], ...]
    """Each with its values a minute apart, in promtool's notation."""
    at_s: float
    fires: bool
    labels: tuple[tuple[str, str], ...] = ()
    """Of what fires, beside those of the rule."""


class Recording(Record):
    """A PromQL expression that is kept under a name, so that long windows are summed up once."""

    name: str
    expression: str
    labels: tuple[tuple[str, str], ...] = ()


class Watch(Record):
    """How one job is looked at and helped: the statements of its part of a runbook."""

    task: str
    waiting: str = ""
    """SQL that tells how much is due, and since when; empty: it has no queue."""
    given_up: str = ""
    """SQL that shows what waits for a person."""
    again: str = ""
    """SQL that has one piece of it, or the next turn, tried again."""
    again_by: str = ""
    """The operation that does so instead."""
    table: str = ""


class Deployable(Record):
    """What is rolled out as one: the whole service, or one of its separate modules."""

    name: str
    """Also the `job` under which it is scraped."""
    module: str = ""
    operations: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    """What it talks to: its stores and brokers, and of the others those that its operations and jobs ask."""
    replicas_min: int = 0
    """0: not known."""
    replicas_max: int = 0
    is_scaled: bool = False
    """Something adds replicas by itself."""


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
    kind: str = ""
    """burn, down, replicas, autoscaler, pool, standby, lag, archive, disk, breaker, stale, dead, overdue, credential,
    sign-in."""
    about: str = ""
    """The dependency, the deployable or the operation that it is about."""
    threshold: float | None = None
    metric: str = ""
    cases: tuple[AlertCase, ...] = ()


class Running(Record):
    objectives: tuple[Objective, ...] = ()
    alerts: tuple[Alert, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    """Name and meaning of each metric that the service gives out, units in the name."""
    borrowed: tuple[tuple[str, str, str], ...] = ()
    """Name, meaning and giver of each metric that alerts need and that others give out."""
    recordings: tuple[Recording, ...] = ()
    deployables: tuple[Deployable, ...] = ()
    watches: tuple[Watch, ...] = ()

    def objective(self, id: str) -> Objective | None:
        return next((each for each in self.objectives if each.id == id), None)

    def alert(self, name: str) -> Alert | None:
        return next((each for each in self.alerts if each.name == name), None)

    def alerts_of(self, kind: str, about: str = "") -> tuple[Alert, ...]:
        """Every alert of a kind; with `about` only those about it."""
        return tuple(each for each in self.alerts if each.kind == kind and about in ("", each.about))
