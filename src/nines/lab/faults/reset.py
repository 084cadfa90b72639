"""Resets connections: the open ones at once, new ones as soon as they are accepted."""

from __future__ import annotations

from nines.lab.record.interference import Admission, Interference
from nines.model.experiment import Fault


class Reset(Interference):
    """Every connection ends with RST while the fault is on."""

    @property
    def admission(self) -> Admission:
        return Admission.RESET


def make(fault: Fault) -> Interference:
    del fault
    return Reset()
