"""What a service does with what it keeps: SQL, shapes, operations, jobs, ports and the owner's first files."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.file import File
from nines.building.resources import shapes, sql
from nines.model.design import Design


def write(design: Design) -> Iterator[File]:
    """Everything below `_generated/` but what other parts write, and the owner's operations and gateways."""
    yield from sql.write(design)
    yield from shapes.write(design)
