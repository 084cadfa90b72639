"""The stacks that were measured, from the most convenient to the leanest, and which one the load allows."""

from __future__ import annotations

from collections.abc import Callable

from nines.model.record import Record
from nines.planning.capacity import figures


class Runtime(Record):
    """A stack, with the requests a second that one core carried (our own measurement, 2 vCPU, PostgreSQL 18, fsync)."""

    name: str
    single_hz: float
    """With one INSERT each."""
    grouped_hz: float | None = None
    """With a group commit; None: it offers none."""

    def factor(self, *, is_grouped: bool) -> float | None:
        """How much more of the process it takes than the leanest; None: it cannot."""
        if is_grouped:
            return None if self.grouped_hz is None else figures.GROUPED_INSERT_HZ / self.grouped_hz
        return figures.SINGLE_INSERT_HZ / self.single_hz


RUNTIMES = (
    Runtime(name="FastAPI and SQLAlchemy's ORM", single_hz=996.0),
    Runtime(name="FastAPI and asyncpg", single_hz=3_491.0, grouped_hz=3_984.0),
    Runtime(name="Litestar and asyncpg", single_hz=4_910.0, grouped_hz=6_345.0),
    Runtime(
        name="ASGI with msgspec and asyncpg",
        single_hz=figures.SINGLE_INSERT_HZ,
        grouped_hz=figures.GROUPED_INSERT_HZ,
    ),
)
LEANEST = RUNTIMES[-1]


CORES_MORE_MAX = 1.0
"""At the peak: what convenience may cost."""


def choose(needs: Callable[[float], tuple[float, int]], *, is_grouped: bool) -> Runtime:
    """The most convenient one that asks for no process more than the leanest, and for at most a core more.

    `needs` tells the cores at the peak, and the processes a year from now, when each request takes so many times the
    least."""
    cores, processes = needs(1.0)
    for runtime in RUNTIMES:
        factor = runtime.factor(is_grouped=is_grouped)
        if factor is None:
            continue
        its_cores, its_processes = needs(factor)
        if its_processes <= processes and its_cores <= cores + CORES_MORE_MAX:
            return runtime
    return LEANEST


def named(name: str) -> Runtime:
    return next((runtime for runtime in RUNTIMES if runtime.name == name), LEANEST)
