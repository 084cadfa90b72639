"""Adds a fixed time to every answer."""

from __future__ import annotations

from nines.lab.faults.apply import positive
from nines.lab.record.interference import Direction, Interference
from nines.model.experiment import Fault


class Delay(Interference):
    """Answers arrive `amount_s` later, in order."""

    def __init__(self, amount_s: float) -> None:
        super().__init__()
        self._amount_s = amount_s

    def wait_s(self, direction: Direction, arrived_s: float, now_s: float) -> float:
        if direction is Direction.REQUEST:
            return 0.0
        return max(0.0, arrived_s + self._amount_s - now_s)

    def moved(self, direction: Direction, size: int, now_s: float) -> None:
        del size, now_s
        self.acted += direction is Direction.ANSWER


def make(fault: Fault) -> Interference:
    return Delay(positive(fault.amount_s, "amount_s", fault))
