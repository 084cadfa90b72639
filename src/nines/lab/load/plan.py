"""What a load shall be."""

from __future__ import annotations

from collections.abc import Iterator

from nines.lab.load import arrivals
from nines.lab.load.pool import CONNECTIONS_MAX, CONNECTIONS_MAX_MAX
from nines.model.errors import LabError
from nines.model.experiment import Load
from nines.model.record import Record

OUTSTANDING_MAX = 100_000
TIMEOUT_S_MAX = 600.0
BODY_BYTES_MAX = 64 * 1024


class Plan(Record):
    """The generator's orders; every field is bounded."""

    rate_hz: float
    duration_s: float
    timeout_s: float = 30.0
    """From the intended time."""
    keeps_bodies: bool = False
    reads_bodies: bool = False
    """For answers of a graph, whose bodies say how they ended."""
    body_bytes_max: int = BODY_BYTES_MAX
    """Of each body that is kept."""
    connections_max: int = CONNECTIONS_MAX
    connections_warm: int | None = None
    """Opened before the start; None: enough for answers that take 20 ms."""
    outstanding_max: int = OUTSTANDING_MAX
    """Requests that may be on their way or wait for a connection; what comes on top is not sent, and counted."""
    is_poisson: bool = False
    """Arrivals as of independent users instead of a constant rate."""
    seed: int = 0

    def arrivals(self) -> Iterator[float]:
        """The intended times, from the start of the load."""
        if self.is_poisson:
            return arrivals.poisson(self.rate_hz, self.duration_s, self.seed)
        return arrivals.constant(self.rate_hz, self.duration_s)

    @property
    def warm(self) -> int:
        wanted = self.connections_warm if self.connections_warm is not None else 1 + int(self.rate_hz * 0.02)
        return min(wanted, self.connections_max)

    def check(self) -> None:
        """LabError when something is out of bounds."""
        arrivals.check(self.rate_hz, self.duration_s)
        bounds = (
            ("timeout", self.timeout_s, 0.001, TIMEOUT_S_MAX),
            ("number of connections", self.connections_max, 1, CONNECTIONS_MAX_MAX),
            ("number of outstanding requests", self.outstanding_max, 1, 10 * OUTSTANDING_MAX),
        )
        for name, value, low, high in bounds:
            if not low <= value <= high:
                raise LabError(f"a load with a {name} of {value}", hint=f"Choose {low} to {high}.")


def plan_of(load: Load, *, connections_max: int = CONNECTIONS_MAX, seed: int = 0, reads_bodies: bool = False) -> Plan:
    """The generator's plan for a load of the model."""
    return Plan(
        rate_hz=load.rate_hz,
        duration_s=load.duration_s,
        timeout_s=load.timeout_s,
        keeps_bodies=load.keeps_bodies,
        reads_bodies=reads_bodies,
        connections_max=connections_max,
        seed=seed,
    )
