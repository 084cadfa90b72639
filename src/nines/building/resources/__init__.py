"""What a service does with what it keeps: SQL, shapes, operations, jobs, ports and the owner's first files."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.file import File
from nines.building.resources import (
    apart,
    application,
    constraints,
    consuming,
    container,
    hooks,
    jobs,
    modules,
    ports,
    postings,
    sagas,
    shapes,
    sql,
)
from nines.model.design import Design


def write(design: Design) -> Iterator[File]:
    """Everything below `_generated/` but what other parts write, and the owner's operations and gateways."""
    yield from sql.write(design)
    yield from shapes.write(design)
    yield from ports.write(design)
    yield from container.write(design)
    yield from constraints.write(design)
    yield from apart.write(design)
    yield from application.write(design)
    yield from modules.write(design)
    yield from sagas.write(design)
    yield from jobs.write(design)
    yield from consuming.write(design)
    yield from hooks.write(design)
    yield from postings.write(design)
