"""What a proxy can do to a dependency: one fault per file, named as its FaultKind."""

from __future__ import annotations

from nines.lab.faults.apply import interfere as interfere
