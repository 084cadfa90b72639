"""Answers with errors of the protocol, without asking the dependency."""

from __future__ import annotations

from nines.lab.record.interference import Interference
from nines.model.errors import LabError
from nines.model.experiment import Fault


class Error(Interference):
    """PostgreSQL: FATAL 53300 at start-up, FATAL 57P01 at a statement. HTTP: `status`. Redis: LOADING.

    What was under way when the fault came on is still answered by the dependency."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self._status = status

    def error_status(self) -> int | None:
        return self._status


def make(fault: Fault) -> Interference:
    if not 400 <= fault.status <= 599:
        raise LabError(
            f"an error fault needs an HTTP status from 400 to 599, not {fault.status}",
            where=fault.dependency,
            hint="Give Fault(status=503), for example.",
        )
    return Error(fault.status)
