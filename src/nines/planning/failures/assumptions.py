"""What a forecast takes for granted: how often and for how long parts fail, each figure with where it comes from.

None of it was measured here. A figure that its owner knows better goes into the blueprint (availability of a
dependency) or is measured by `nines prove` (recovery)."""

from __future__ import annotations

from enum import StrEnum

from nines.model.blueprint import Dependency, DependencyKind
from nines.model.record import Record
from nines.model.words import share

YEAR_S = 365 * 86_400.0


class Mode(StrEnum):
    """The ways in which a part fails."""

    SLOW = "slow"
    STALLED = "stalled"
    REFUSING = "refusing"
    RESETTING = "resetting"
    ERRORS = "answering errors"
    OVERLOADED = "overloaded"
    LOSING = "losing data"
    WRONG = "wrong"
    EXPIRED = "credential expired"


class Outage(Record):
    """A way of being unavailable: its part of all the time that is lost, and how long one of them takes."""

    mode: Mode
    part: float
    incident_s: float


class Incident(Record):
    """Something that no promise of a provider covers."""

    per_year: float
    lasts_s: float
    source: str


_COMMON = (Mode.SLOW, Mode.STALLED, Mode.REFUSING, Mode.RESETTING, Mode.OVERLOADED, Mode.EXPIRED)
_BESIDE: dict[DependencyKind, tuple[Mode, ...]] = {
    DependencyKind.POSTGRES: (Mode.ERRORS, Mode.LOSING, Mode.WRONG),
    DependencyKind.REDIS: (Mode.LOSING, Mode.WRONG),
    DependencyKind.HTTP: (Mode.ERRORS, Mode.WRONG),
    DependencyKind.GRPC: (Mode.ERRORS, Mode.WRONG),
    DependencyKind.KAFKA: (Mode.LOSING, Mode.WRONG),
    DependencyKind.NATS: (Mode.LOSING, Mode.WRONG),
    DependencyKind.RABBITMQ: (Mode.LOSING, Mode.WRONG),
    DependencyKind.SMTP: (Mode.ERRORS, Mode.LOSING),
    DependencyKind.OBJECTS: (Mode.ERRORS, Mode.LOSING, Mode.WRONG),
}


def part(value: float) -> str:
    """A share of requests, to three digits."""
    return share(float(f"{value:.3g}"))


def modes(kind: DependencyKind) -> tuple[Mode, ...]:
    """Those that apply to the kind, in the order of the enumeration."""
    found = {*_COMMON, *_BESIDE[kind]}
    return tuple(mode for mode in Mode if mode in found)


_DATABASE = (
    Outage(mode=Mode.REFUSING, part=0.1, incident_s=60.0),
    Outage(mode=Mode.STALLED, part=0.25, incident_s=300.0),
    Outage(mode=Mode.RESETTING, part=0.05, incident_s=10.0),
    Outage(mode=Mode.ERRORS, part=0.3, incident_s=600.0),
    Outage(mode=Mode.OVERLOADED, part=0.3, incident_s=600.0),
)
"""A failover refuses for a minute; a full disk or a primary that may not write answers errors for ten."""
_SERVICE = (
    Outage(mode=Mode.REFUSING, part=0.15, incident_s=300.0),
    Outage(mode=Mode.STALLED, part=0.25, incident_s=600.0),
    Outage(mode=Mode.RESETTING, part=0.05, incident_s=60.0),
    Outage(mode=Mode.ERRORS, part=0.4, incident_s=1_200.0),
    Outage(mode=Mode.OVERLOADED, part=0.15, incident_s=600.0),
)
_STORE = (
    Outage(mode=Mode.REFUSING, part=0.4, incident_s=120.0),
    Outage(mode=Mode.STALLED, part=0.3, incident_s=300.0),
    Outage(mode=Mode.RESETTING, part=0.1, incident_s=30.0),
    Outage(mode=Mode.OVERLOADED, part=0.2, incident_s=300.0),
)


def outages(kind: DependencyKind) -> tuple[Outage, ...]:
    """How the time that a dependency is unavailable divides; the parts sum to 1."""
    if kind is DependencyKind.POSTGRES:
        return _DATABASE
    return _SERVICE if Mode.ERRORS in modes(kind) else _STORE


_USUAL = {
    DependencyKind.POSTGRES: 0.9995,
    DependencyKind.REDIS: 0.999,
    DependencyKind.KAFKA: 0.9995,
    DependencyKind.NATS: 0.999,
    DependencyKind.RABBITMQ: 0.999,
    DependencyKind.OBJECTS: 0.999,
    DependencyKind.HTTP: 0.999,
    DependencyKind.GRPC: 0.999,
    DependencyKind.SMTP: 0.999,
}
"""Where the blueprint says nothing: what is commonly promised for the kind; a database with a standby."""
_ALONE = 0.995
"""A database without a standby: a restore takes hours, once in a year or two."""


def availability(dependency: Dependency) -> tuple[float, str]:
    """With its source."""
    if dependency.availability is not None:
        return dependency.availability, "as the blueprint says"
    if dependency.kind is DependencyKind.POSTGRES and dependency.replication == "none":
        return _ALONE, "assumed of a database that has no copy"
    return _USUAL[dependency.kind], "assumed, for the blueprint says nothing"


SLOWNESS = Incident(per_year=12.0, lasts_s=900.0, source="assumed: once a month for a quarter of an hour")
EXPIRY = Incident(per_year=0.1, lasts_s=3_600.0, source="assumed: a rotation goes wrong once in ten years, for an hour")
LOSS = Incident(per_year=0.05, lasts_s=14_400.0, source="assumed: once in twenty years, four hours for a restore")
WRONGNESS = Incident(per_year=0.2, lasts_s=3_600.0, source="assumed: once in five years, an hour until it is noticed")

CRASH_DETECTION_S = 10.0
"""Two probes of readiness, five seconds apart, until nothing is sent to a dead process any more."""
RESTART_S = 20.0
"""Until a new process answers its probe."""
LIVENESS_S = 30.0
"""Three probes of liveness, ten seconds apart."""
STALLS_PER_YEAR = 4.0
RELEASE = Incident(
    per_year=4.0,
    lasts_s=600.0,
    source="assumed: one release in a quarter has to be taken back, ten minutes after its first process was replaced",
)
SURGE = Incident(
    per_year=4.0,
    lasts_s=180.0,
    source="assumed: once in a quarter twice the peak, three minutes until replicas are added",
)
SURGE_SHED = 0.5
"""Of the requests, at twice what is carried."""
POOL = Incident(
    per_year=2.0, lasts_s=300.0, source="assumed: twice a year, five minutes until what holds them is ended"
)
CUT_SHARE = 0.5
"""Of the attempts that a resetting or overloaded dependency fails; a repetition may succeed."""
POISON = Incident(per_year=2.0, lasts_s=3_600.0, source="assumed: twice a year, an hour until somebody looks")
JOBS_DOWN = Incident(per_year=2.0, lasts_s=900.0, source="assumed: twice a year for a quarter of an hour")
ZONE = Incident(
    per_year=0.3, lasts_s=60.0, source="assumed: a zone goes once in three years; a minute until all is sent past it"
)
ZONE_ALONE_S = 7_200.0
"""With nowhere else to go."""
REGION = Incident(per_year=0.05, lasts_s=14_400.0, source="assumed: a region goes once in twenty years, for four hours")
CERTIFICATE = Incident(
    per_year=0.02, lasts_s=3_600.0, source="assumed: once in fifty years in spite of the alert, for an hour"
)
KEYS = Incident(per_year=0.5, lasts_s=60.0, source="assumed: keys are exchanged without notice every other year")
