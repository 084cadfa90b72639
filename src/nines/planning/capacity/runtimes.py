"""The stacks that were measured, from the most convenient to the leanest."""

from __future__ import annotations

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
"""What `nines build` writes every service for: the operations are generated, so that leanness costs nobody anything."""


def named(name: str) -> Runtime:
    return next((runtime for runtime in RUNTIMES if runtime.name == name), LEANEST)
