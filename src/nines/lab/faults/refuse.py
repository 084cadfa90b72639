"""Refuses connections: the port stops listening, and what is open is closed."""

from __future__ import annotations

from nines.lab.record.interference import Admission, Interference
from nines.model.experiment import Fault


class Refuse(Interference):
    """As if the dependency's process had ended in good order; `acted` counts only the connections that it closed."""

    @property
    def admission(self) -> Admission:
        return Admission.REFUSE


def make(fault: Fault) -> Interference:
    del fault
    return Refuse()
