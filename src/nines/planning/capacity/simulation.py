"""A discrete-event simulation of requests that share processors, connections and slots; it knows no design."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from enum import StrEnum
from statistics import NormalDist
from typing import Any

import simpy

from nines.model.record import Record
from nines.planning.capacity import figures

EVENTS_MAX = 150_000
"""Of one run; a run that needs more ends where it is."""
Chance = Callable[[], float]
"""A number from 0 to 1, never 1."""
_Walk = Generator[simpy.Event, Any, bool]
_NORMAL = NormalDist()


class Spread(StrEnum):
    CONSTANT = "constant"
    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"


class Station(Record):
    """Something of which there is a number, and which one request uses at a time."""

    name: str
    servers: int


class Use(Record):
    """Waits for a server of the station and occupies it."""

    station: str
    mean_s: float
    spread: Spread = Spread.EXPONENTIAL


class Wait(Record):
    """Time that passes elsewhere; beyond the limit an attempt is given up."""

    mean_s: float
    spread: Spread = Spread.CONSTANT
    limit_s: float = math.inf
    attempts_max: int = 1


class Hold(Record):
    """Occupies a server of the station for as long as the steps within take, or gives up waiting for it."""

    station: str
    steps: tuple[Use | Wait, ...]
    patience_s: float = math.inf


Step = Use | Wait | Hold


class Kind(Record):
    """One kind of request."""

    name: str
    rate_hz: float
    steps: tuple[Step, ...]


class Waited(Record):
    """How long requests stood in line at a station."""

    station: str
    visits: int
    mean_s: float
    busy: float
    """Of its servers, 0 to 1."""


class Outcome(Record):
    latencies_s: tuple[tuple[str, tuple[float, ...]], ...]
    """Of the requests of each kind that were answered, in the order of their answers, the warm-up left out."""
    failed: tuple[tuple[str, int], ...]
    waits: tuple[Waited, ...]
    mean_present: float
    """Requests in the system, averaged over time."""
    arrived_hz: float
    is_whole: bool
    """False: it was ended by its limit of events."""

    def of(self, *names: str) -> tuple[float, ...]:
        return tuple(each for name, found in self.latencies_s if name in names for each in found)


def simulate(
    stations: Sequence[Station],
    kinds: Sequence[Kind],
    *,
    requests: int,
    chance: Chance,
    warm_up: float = 0.2,
    events_max: int = EVENTS_MAX,
) -> Outcome:
    """Poisson arrivals until so many came, and on until all are answered; the first part of them is not counted."""
    return _Run(stations, kinds, requests, chance, warm_up).run(events_max)


def sample(mean_s: float, spread: Spread, chance: Chance) -> float:
    if spread is Spread.CONSTANT or mean_s <= 0:
        return mean_s
    if spread is Spread.EXPONENTIAL:
        return -mean_s * math.log1p(-chance())
    sigma = figures.LOGNORMAL_SIGMA
    # A generator may give 0, of which there is no quantile.
    normal = _NORMAL.inv_cdf(min(max(chance(), 1e-12), 1 - 1e-12))
    return mean_s * math.exp(sigma * normal - sigma * sigma / 2)


class _Tally:
    """What happened at one station since the warm-up."""

    def __init__(self) -> None:
        self.visits = 0
        self.waited_s = 0.0
        self.busy_s = 0.0


class _Run:
    def __init__(
        self, stations: Sequence[Station], kinds: Sequence[Kind], requests: int, chance: Chance, warm_up: float
    ) -> None:
        self._env = simpy.Environment()
        self._resources = {each.name: simpy.Resource(self._env, max(1, each.servers)) for each in stations}
        self._tallies = {each.name: _Tally() for each in stations}
        self._kinds = [kind for kind in kinds if kind.rate_hz > 0]
        self._chance = chance
        self._requests = requests
        self._uncounted = int(requests * warm_up)
        self._latencies: dict[str, list[float]] = {kind.name: [] for kind in self._kinds}
        self._failed: dict[str, int] = {kind.name: 0 for kind in self._kinds}
        self._left = requests
        self._present = 0
        self._present_s = 0.0
        self._changed_s = 0.0
        self._began_s = 0.0
        self._ended_s = 0.0
        self._counts = self._uncounted == 0

    def run(self, events_max: int) -> Outcome:
        if self._kinds:
            self._env.process(self._arrivals())
        events = 0
        while self._kinds and self._left and events < events_max:
            self._env.step()
            events += 1
        window_s = max(self._ended_s - self._began_s, 1e-12)
        waits = tuple(
            Waited(
                station=name,
                visits=tally.visits,
                mean_s=tally.waited_s / tally.visits if tally.visits else 0.0,
                busy=tally.busy_s / (window_s * self._resources[name].capacity),
            )
            for name, tally in self._tallies.items()
        )
        return Outcome(
            latencies_s=tuple((name, tuple(found)) for name, found in self._latencies.items()),
            failed=tuple(self._failed.items()),
            waits=waits,
            mean_present=self._present_s / window_s,
            arrived_hz=(self._requests - self._uncounted) / window_s,
            is_whole=not self._left,
        )

    def _arrivals(self) -> Generator[simpy.Event, Any, None]:
        total_hz = sum(kind.rate_hz for kind in self._kinds)
        for number in range(self._requests):
            yield self._env.timeout(sample(1 / total_hz, Spread.EXPONENTIAL, self._chance))
            if number == self._uncounted:
                self._counts, self._began_s = True, self._env.now
                self._present_s, self._changed_s = 0.0, self._env.now
            self._env.process(self._request(self._kind(total_hz), is_counted=number >= self._uncounted))
        # What is measured over time ends with the arrivals, for an emptying system tells nothing.
        self._note_present(0)
        self._ended_s, self._counts = self._env.now, False

    def _kind(self, total_hz: float) -> Kind:
        at = self._chance() * total_hz
        for kind in self._kinds:
            at -= kind.rate_hz
            if at < 0:
                return kind
        return self._kinds[-1]

    def _note_present(self, change: int) -> None:
        if not self._ended_s:
            self._present_s += self._present * (self._env.now - self._changed_s)
            self._changed_s = self._env.now
        self._present += change

    def _request(self, kind: Kind, *, is_counted: bool) -> Generator[simpy.Event, Any, None]:
        arrived_s = self._env.now
        self._note_present(1)
        is_answered = True
        for step in kind.steps:
            is_answered = yield from self._step(step)
            if not is_answered:
                break
        self._note_present(-1)
        self._left -= 1
        if is_counted and is_answered:
            self._latencies[kind.name].append(self._env.now - arrived_s)
        elif is_counted:
            self._failed[kind.name] += 1

    def _step(self, step: Step) -> _Walk:
        if isinstance(step, Use):
            return (yield from self._held(step.station, math.inf, (Wait(mean_s=step.mean_s, spread=step.spread),)))
        if isinstance(step, Hold):
            return (yield from self._held(step.station, step.patience_s, step.steps))
        return (yield from self._wait(step))

    def _held(self, station: str, patience_s: float, steps: Sequence[Use | Wait]) -> _Walk:
        resource, asked_s = self._resources[station], self._env.now
        with resource.request() as request:
            if math.isinf(patience_s) or request.triggered:
                yield request
            else:
                yield request | self._env.timeout(patience_s)
            if not request.triggered:
                return False
            begun_s = self._env.now
            if self._counts:
                tally = self._tallies[station]
                tally.visits += 1
                tally.waited_s += begun_s - asked_s
            is_done = True
            for step in steps:
                is_done = yield from self._step(step)
                if not is_done:
                    break
            self._note_busy(station, begun_s)
        return is_done

    def _note_busy(self, station: str, begun_s: float) -> None:
        end_s = self._ended_s or self._env.now
        if self._began_s or self._uncounted == 0:
            self._tallies[station].busy_s += max(0.0, end_s - max(begun_s, self._began_s))

    def _wait(self, step: Wait) -> _Walk:
        for _ in range(max(1, step.attempts_max)):
            found_s = sample(step.mean_s, step.spread, self._chance)
            if found_s > 0:
                yield self._env.timeout(min(found_s, step.limit_s))
            if found_s <= step.limit_s:
                return True
        return False
