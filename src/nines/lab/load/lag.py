"""The generator watches itself: a load that it could not send on time proves nothing about the service."""

from __future__ import annotations

LAG_MS_P99_MAX = 25.0
"""Above, the generator's own lateness is a part of the latencies that could decide a verdict."""
STALL_S = 0.1
"""An event loop this late to its own timer was stalled."""
STALL_S_MAX = 1.0
STALLED_SHARE_MAX = 0.05
"""A load during which the loop stalled for longer, once or as a share of the time, is void."""
_STEP_S = 0.0001
_STEPS = 10_000


class LagWatch:
    """Gathers how late requests left and the loop woke."""

    def __init__(self) -> None:
        # Equal steps of 0.1 ms up to 1 s: cheaper than a histogram of wide range, and no more is asked of it.
        self._steps = [0] * (_STEPS + 1)
        self.stall_s_max = 0.0
        self.stalled_s = 0.0

    def left(self, late_s: float) -> None:
        """A request was handled this long after its intended time, for no other reason than ourselves."""
        step = int(late_s / _STEP_S)
        self._steps[min(_STEPS, step)] += 1

    def woke(self, late_s: float) -> None:
        """The loop called us this long after the time that it was asked for."""
        if late_s > STALL_S:
            self.stalled_s += late_s
            self.stall_s_max = max(self.stall_s_max, late_s)

    @property
    def p99_ms(self) -> float:
        """The upper end of the step in which the 99th percentile lies."""
        allowed = sum(self._steps) // 100
        for step in range(_STEPS, -1, -1):
            allowed -= self._steps[step]
            if allowed < 0:
                return (step + 1) * _STEP_S * 1000.0
        return 0.0

    def reason(self, duration_s: float) -> str:
        """Why the load is void, or ""."""
        if self.p99_ms > LAG_MS_P99_MAX:
            return (
                f"1 % of the requests left {self.p99_ms:.0f} ms late or later; at most {LAG_MS_P99_MAX:.0f} ms is sound"
            )
        if self.stall_s_max > STALL_S_MAX:
            return f"the generator itself stood still for {self.stall_s_max:.1f} s"
        if self.stalled_s > STALLED_SHARE_MAX * max(duration_s, STALL_S):
            return f"the generator itself stood still for {self.stalled_s:.1f} s of {duration_s:.1f} s"
        return ""
