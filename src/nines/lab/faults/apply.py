"""Puts a fault of the model on a proxy; the file that makes it is found by its name."""

from __future__ import annotations

import importlib
from contextlib import AbstractAsyncContextManager

from nines.lab.record.interference import Interference
from nines.lab.record.proxy import Proxy
from nines.model.errors import LabError
from nines.model.experiment import Fault


def make(fault: Fault) -> Interference:
    """The interference of a fault, not yet on any proxy."""
    module = importlib.import_module(f"nines.lab.faults.{fault.kind.value}")
    made: Interference = module.make(fault)
    return made


def interfere(proxy: Proxy, fault: Fault) -> AbstractAsyncContextManager[Interference]:
    """The fault is on inside the block, for open and for new connections; leaving the block heals it.

    The object that the block is given counts in `acted` how often the fault made a difference."""
    if fault.dependency != proxy.dependency:
        raise LabError(
            f"the fault is for {fault.dependency!r}, the proxy stands before {proxy.dependency!r}",
            hint="Choose the proxy by the fault's dependency.",
        )
    return proxy.interfered(make(fault))


def positive(amount: float, name: str, fault: Fault) -> float:
    """The amount, or one clear error when the fault cannot be meant so."""
    if not 0.0 < amount < float("inf"):
        raise LabError(
            f"a {fault.kind.value} fault needs a positive {name}, not {amount!r}",
            where=fault.dependency,
            hint=f"Give Fault({name}=...) a finite number above zero.",
        )
    return amount
