"""From a design to the service that keeps it: pure and deterministic; a part for each kind of file is found."""

from __future__ import annotations

from nines.building.file import File
from nines.building.write import write

__all__ = ["File", "write"]
