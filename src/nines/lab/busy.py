"""How busy the machine was during a load, and how much of that was the service itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import msgspec
import psutil

from nines.model.history import LoadReport

SATURATED_SHARE = 0.9
"""From here on whoever is due may have to wait for a processor."""


class Busy:
    """Looks at the processors once when it is made and once when it is asked."""

    def __init__(self, tree: Callable[[], list[psutil.Process]]) -> None:
        self._tree = tree
        self._total_s, self._idle_s = _machine()
        self._service_s = self._service()

    def shares(self) -> tuple[float, float]:
        """The share of the processors' time that was not idle, and the service's part of all of it; each 0 to 1."""
        total_s, idle_s = _machine()
        passed_s = total_s - self._total_s
        if passed_s <= 0.0:
            return 0.0, 0.0
        busy = 1.0 - (idle_s - self._idle_s) / passed_s
        service = (self._service() - self._service_s) / passed_s
        return min(max(busy, 0.0), 1.0), min(max(service, 0.0), 1.0)

    def _service(self) -> float:
        found = 0.0
        for process in self._tree():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                found += times.user + times.system
        return found


def _machine() -> tuple[float, float]:
    times = psutil.cpu_times()
    return sum(times), times.idle + getattr(times, "iowait", 0.0)


def explained(report: LoadReport, phase: str, busy: Busy) -> LoadReport:
    """The report with its phase and, where the generator was late, whose work kept it waiting."""
    reason = report.reason
    if report.is_spoiled:
        machine, service = busy.shares()
        if machine >= SATURATED_SHARE:
            reason += (
                f"; this machine's processors were {machine * 100:.0f} % busy, {service * 100:.0f} % of them with "
                "the service itself: lower load.rate_hz, or try it on a machine with more processors"
            )
        else:
            reason += f"; this machine's processors were {machine * 100:.0f} % busy"
    return msgspec.structs.replace(report, reason=reason, phase=phase)
