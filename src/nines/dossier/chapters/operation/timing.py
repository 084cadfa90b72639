"""How long a process needs to come and to go: figures that the manifests and the pages share."""

from __future__ import annotations

from nines.model.design import Design, Flow

LEAVE_S = 5.0
"""Before SIGTERM: the time in which every balancer hears that the process goes, while it answers as ever."""
DRAIN_S = 10.0
"""After SIGTERM: the time that what was begun may take."""
GRACE_MIN_S = 30.0
STARTUP_S = 60.0
READY_EVERY_S = 5.0
LIVE_EVERY_S = 10.0
LIVE_FAILURES = 6
SURGE = 0.25
"""Processes more than usual while they are replaced; the connections of the pool are counted with it."""


def longest_s(design: Design) -> float:
    """The longest that a request may wait for others, each attempt at its deadline."""
    return max((_waits_s(each.flow) for each in design.endpoints), default=0.0)


def grace_s(design: Design) -> float:
    """Long enough to drain and to end what was begun; whole seconds."""
    return max(GRACE_MIN_S, float(-(-(LEAVE_S + DRAIN_S + longest_s(design) + 5.0) // 1)))


def _waits_s(flow: Flow) -> float:
    return sum((step.timeout_s or 0.0) * max(1, step.attempts_max) for step in flow.calls if not step.after_response)
