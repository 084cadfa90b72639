"""Typed calls between services: which operation answers which method, and how others are asked over gRPC."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.file import File
from nines.building.internal import asking, serving, trying
from nines.model.design import Design


def write(design: Design) -> Iterator[File]:
    """Nothing, where gRPC is neither among the interfaces nor among the dependencies."""
    yield from serving.write(design)
    yield from trying.write(design)
    yield from asking.write(design)
