"""How a fault reaches into a proxy: the interface that every file of lab/faults fills in."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from nines.lab.record.recorder import Recorder
from nines.lab.record.wire import Wire

PORTION_BYTES_MAX = 1 << 20
"""The most that is moved at once when no fault asks for less."""


class Direction(StrEnum):
    """Which way bytes go."""

    REQUEST = "request"
    """From the service to the dependency."""
    ANSWER = "answer"
    """From the dependency to the service."""


class Admission(StrEnum):
    """What happens to connections."""

    TAKE = "take"
    RESET = "reset"
    """Accepted and reset at once."""
    REFUSE = "refuse"
    """The port does not listen."""


class Governed(Protocol):
    """What moves bytes under faults: a proxy, seen from its connections."""

    recorder: Recorder
    interferences: tuple[Interference, ...]


class Interference:
    """A fault while it is on; the base does nothing. One object serves all connections of one proxy."""

    def __init__(self) -> None:
        self.acted = 0
        """How often it made a difference; 0 after an experiment means that the fault never bit."""

    @property
    def admission(self) -> Admission:
        """RESET and REFUSE also end the connections that are open when the fault comes on."""
        return Admission.TAKE

    def wait_s(self, direction: Direction, arrived_s: float, now_s: float) -> float:
        """How long the next bytes must still wait; infinity: until the fault is off."""
        del direction, arrived_s, now_s
        return 0.0

    def portion_bytes(self, direction: Direction) -> int:
        """The most that may be moved at once."""
        del direction
        return PORTION_BYTES_MAX

    def moved(self, direction: Direction, size: int, now_s: float) -> None:
        """Bytes were passed on."""

    def cuts(self, wire: Wire) -> bool:
        """Whether the answer that was just read must be dropped and the connection cut."""
        del wire
        return False

    def error_status(self) -> int | None:
        """Not None: the proxy answers in the dependency's place, over HTTP with this status."""
        return None
