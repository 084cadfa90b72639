"""One direction of a proxied connection: bytes in order, at the pace that faults and the receiver allow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from nines.lab.record.interference import PORTION_BYTES_MAX, Direction, Governed

HELD_BYTES_MAX = 256 * 1024
"""What a pipe holds back under a fault before it stops reading from its source."""


class Pipe:
    """Carries bytes one way, in order, at the pace that the faults allow.

    `forward(direction, data, arrived_s, now_s)` is called for what may move now, `finished(direction)` at the end."""

    def __init__(
        self,
        governed: Governed,
        direction: Direction,
        forward: Callable[[Direction, bytes, float, float], None],
        finished: Callable[[Direction], None],
    ) -> None:
        self.direction = direction
        self._governed = governed
        self._clock_s = governed.recorder.clock_s
        self._forward = forward
        self._finished = finished
        self.source: asyncio.Transport | None = None
        self.sink: asyncio.Transport | None = None
        self.is_blocked = False
        """The sink takes no more for now."""
        self.is_ended = False
        """The source will send no more."""
        self._queue: deque[tuple[float, bytes]] = deque()
        self._held = 0
        self._end_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_paused = False

    def push(self, data: bytes) -> None:
        """Takes bytes from the source."""
        now_s = self._clock_s()
        if self._queue or self.is_blocked or self.sink is None or self._governed.interferences:
            self._queue.append((now_s, data))
            self._held += len(data)
            self.pump()
            self._balance()
        else:
            self._forward(self.direction, data, now_s, now_s)

    def end(self) -> None:
        """The source has sent its last byte; the sink learns so after everything that is still held."""
        if not self.is_ended:
            self.is_ended = True
            self._end_s = self._clock_s()
            self.pump()

    def drop(self) -> None:
        """Forgets what is held; nothing moves any more."""
        self._queue.clear()
        self._held = 0
        self.sink = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def is_empty(self) -> bool:
        return not self._queue and self._end_s is None

    def pump(self) -> None:
        """Moves what may move now, and comes back by itself for what must wait for a known time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue and self.sink is not None and not self.is_blocked:
            arrived_s, data = self._queue[0]
            now_s = self._clock_s()
            if not self._may_move(arrived_s, now_s):
                return
            self._move(arrived_s, data, now_s)
        self._balance()
        if not self._queue and self._end_s is not None and self.sink is not None:
            if not self._may_move(self._end_s, self._clock_s()):
                return
            self._end_s = None
            self._finished(self.direction)

    def balance(self, *, is_blocked: bool) -> None:
        """The sink is full, or takes more again."""
        self.is_blocked = is_blocked
        if not is_blocked:
            self.pump()
        self._balance()

    def _may_move(self, arrived_s: float, now_s: float) -> bool:
        active = self._governed.interferences
        wait_s = max((each.wait_s(self.direction, arrived_s, now_s) for each in active), default=0.0)
        if 0.0 < wait_s < float("inf"):
            self._timer = asyncio.get_running_loop().call_later(wait_s, self.pump)
        return wait_s <= 0.0

    def _move(self, arrived_s: float, data: bytes, now_s: float) -> None:
        active = self._governed.interferences
        size = min((each.portion_bytes(self.direction) for each in active), default=PORTION_BYTES_MAX)
        self._queue.popleft()
        if len(data) > size:
            self._queue.appendleft((arrived_s, data[size:]))
            data = data[:size]
        self._held -= len(data)
        for each in active:
            each.moved(self.direction, len(data), now_s)
        self._forward(self.direction, data, arrived_s, now_s)

    def _balance(self) -> None:
        wanted = self.is_blocked or self._held > HELD_BYTES_MAX or self.sink is None
        if wanted == self._is_paused or self.source is None or self.source.is_closing():
            return
        self._is_paused = wanted
        if wanted:
            self.source.pause_reading()
        else:
            self.source.resume_reading()
