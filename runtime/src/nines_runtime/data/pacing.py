"""How long those who write in groups gather, by how much all of them together write."""

from __future__ import annotations

PACE_S = 0.01
BUSY_HZ = 800.0
"""Rows a second, of all batches of one database: from here on a commit that is saved is worth a few milliseconds."""
WINDOW_S = 0.1


class Pace:
    """What the batches of one database have in common: a kind of which little comes commits as often as one of which
    much comes, so all of them keep a pace where there is much in all."""

    __slots__ = ("_hz", "_rows", "_since_s")

    def __init__(self) -> None:
        self._hz, self._rows, self._since_s = 0.0, 0, 0.0

    def wrote(self, rows: int, now_s: float) -> None:
        self._rows += rows
        passed_s = now_s - self._since_s
        if passed_s >= WINDOW_S:
            self._hz = self._rows / passed_s
            self._rows, self._since_s = 0, now_s

    @property
    def gather_s(self) -> float:
        """From the begin of one statement to that of the next of the same kind; 0: nobody waits for others."""
        return 0.0 if self._hz < BUSY_HZ else PACE_S
