"""Where figures were measured, without anything that identifies the machine."""

from __future__ import annotations

import os
import platform

import psutil

from nines.model.report import Machine


def describe() -> Machine:
    return Machine(
        cores=os.cpu_count() or 0,
        memory_bytes=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
    )
