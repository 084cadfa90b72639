"""Fixed windows for each subject, kept in memory: exact headers, and no dependency that can fail.

With several replicas each keeps its own count; put a shared limiter in front when the sum matters.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

SUBJECTS_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `quota` requests in `window_s` seconds."""

    name: str
    quota: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a subject stands after asking."""

    policy: Policy
    is_allowed: bool
    remaining: int
    reset_s: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        """RateLimit-Policy and RateLimit."""
        policy = self.policy
        return [
            (b"ratelimit-policy", f'"{policy.name}";q={policy.quota};w={policy.window_s}'.encode()),
            (b"ratelimit", f'"{policy.name}";r={self.remaining};t={self.reset_s}'.encode()),
        ]


class RateLimiter:
    """Counts requests under one policy; the oldest subjects are forgotten when there are too many."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def ask(self, subject: str, now_s: float) -> Standing:
        """Counts one request of this subject."""
        start_s, used = self._windows.get(subject, (now_s, 0))
        if now_s - start_s >= self.policy.window_s:
            start_s, used = now_s, 0
        is_allowed = used < self.policy.quota
        if is_allowed:
            used += 1
            self._windows[subject] = (start_s, used)
            self._windows.move_to_end(subject)
            if len(self._windows) > SUBJECTS_MAX:
                self._windows.popitem(last=False)
        reset_s = max(1, math.ceil(start_s + self.policy.window_s - now_s))
        return Standing(self.policy, is_allowed, self.policy.quota - used, reset_s)

    def forgive(self, subject: str) -> None:
        """Starts anew for this subject."""
        self._windows.pop(subject, None)


def policy(name: str, text: str) -> Policy:
    """From "QUOTA/SECONDS", whose form the settings have checked."""
    quota, _, window = text.partition("/")
    return Policy(name=name, quota=int(quota), window_s=int(window))
