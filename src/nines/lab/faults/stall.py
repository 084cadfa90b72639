"""Stops all bytes while the connections stay open."""

from __future__ import annotations

from nines.lab.record.interference import Direction, Interference
from nines.model.experiment import Fault


class Stall(Interference):
    """Nothing moves in either direction until the fault is off; then everything flows on."""

    def wait_s(self, direction: Direction, arrived_s: float, now_s: float) -> float:
        del arrived_s, now_s
        self.acted += direction is Direction.REQUEST
        return float("inf")


def make(fault: Fault) -> Interference:
    del fault
    return Stall()
