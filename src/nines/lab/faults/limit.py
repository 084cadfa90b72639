"""Limits the throughput to and from a dependency."""

from __future__ import annotations

from nines.lab.faults.apply import positive
from nines.lab.record.interference import Direction, Interference
from nines.model.experiment import Fault

PORTION_S = 0.02
"""The time that one portion may take, so that connections take turns."""
PORTION_BYTES_MAX = 16 * 1024


class Limit(Interference):
    """All connections together move at most `bytes_per_s` in each direction."""

    def __init__(self, bytes_per_s: int) -> None:
        super().__init__()
        self._bytes_per_s = bytes_per_s
        self._free_s = {Direction.REQUEST: 0.0, Direction.ANSWER: 0.0}

    def wait_s(self, direction: Direction, arrived_s: float, now_s: float) -> float:
        del arrived_s
        return max(0.0, self._free_s[direction] - now_s)

    def portion_bytes(self, direction: Direction) -> int:
        del direction
        return max(1, min(PORTION_BYTES_MAX, int(self._bytes_per_s * PORTION_S)))

    def moved(self, direction: Direction, size: int, now_s: float) -> None:
        start_s = max(now_s, self._free_s[direction])
        self._free_s[direction] = start_s + size / self._bytes_per_s
        self.acted += 1


def make(fault: Fault) -> Interference:
    return Limit(int(positive(fault.bytes_per_s, "bytes_per_s", fault)))
