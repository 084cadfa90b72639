"""Shapes made of other shapes: one of several, a list, and what is made into something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nines.readers.blueprint.document import Node, Scalar, Sequence
from nines.readers.blueprint.reading import Collected, Reading, Unreadable, shown
from nines.readers.blueprint.shapes import ITEMS_MAX, Definitions, JsonSchema, Shape


class Either(Shape):
    """One of several shapes, told apart by the kind of node; of several that fit, the first that can be read."""

    def __init__(self, *shapes: Shape) -> None:
        self.shapes = shapes
        self.expected = " or ".join(shape.expected for shape in shapes)

    def parts(self) -> tuple[Shape, ...]:
        return self.shapes

    def fits(self, node: Node) -> bool:
        return any(shape.fits(node) for shape in self.shapes)

    def read(self, node: Node, reading: Reading) -> Any:
        fitting = [shape for shape in self.shapes if shape.fits(node)]
        if not fitting:
            raise self.unfit(node, reading)
        for shape in fitting[:-1]:
            trial = Reading(Collected(reading.collected.file), path=reading.path, scope=reading.scope)
            try:
                shape.read(node, trial)
            except Unreadable:
                continue
            return shape.read(node, reading)
        if len(fitting) == 1:
            return fitting[0].read(node, reading)
        trial = Reading(Collected(reading.collected.file), path=reading.path, scope=reading.scope)
        try:
            fitting[-1].read(node, trial)
        except Unreadable:
            raise self.unfit(node, reading) from None
        return fitting[-1].read(node, reading)

    def schema(self, definitions: Definitions) -> JsonSchema:
        return {"anyOf": [shape.schema(definitions) for shape in self.shapes]}


class Listed(Shape):
    """A list, read to a tuple; with `or_one`, a single entry may stand without brackets."""

    def __init__(self, shape: Shape, *, least: int = 0, or_one: bool = False) -> None:
        self.shape, self.least, self.or_one = shape, least, or_one
        self.expected = f"a list, each {shape.expected}"
        if or_one:
            self.expected = f"{shape.expected}, or {self.expected}"

    def parts(self) -> tuple[Shape, ...]:
        return (self.shape,)

    def fits(self, node: Node) -> bool:
        return isinstance(node, Sequence) or (self.or_one and self.shape.fits(node))

    def read(self, node: Node, reading: Reading) -> tuple[Any, ...]:
        if not isinstance(node, Sequence):
            if self.or_one and self.shape.fits(node):
                return (self.shape.read(node, reading),)
            if isinstance(node, Scalar) and node.is_text and self.shape.fits(node):
                raise reading.refuse(
                    node, f"expected {self.expected}, found {shown(node.text)}: write [{node.text[:60]}]"
                )
            raise self.unfit(node, reading)
        if not self.least <= len(node.items) <= ITEMS_MAX:
            raise reading.refuse(node, f"expected from {self.least} to {ITEMS_MAX} entries, found {len(node.items)}")
        found = []
        for position, item in enumerate(node.items):
            try:
                found.append(self.shape.read(item, reading.under(str(position))))
            except Unreadable:
                continue
        return tuple(found)

    def schema(self, definitions: Definitions) -> JsonSchema:
        inner = self.shape.schema(definitions)
        whole: JsonSchema = {"type": "array", "items": inner, "maxItems": ITEMS_MAX}
        if self.least:
            whole["minItems"] = self.least
        return {"anyOf": [inner, whole]} if self.or_one else whole


class Made(Shape):
    """Another shape, whose value is made into something else; `make` may report and refuse."""

    def __init__(self, shape: Shape, make: Callable[[Any, Node, Reading], Any], *, expected: str = "") -> None:
        self.shape, self.make = shape, make
        self.expected = expected or shape.expected

    def parts(self) -> tuple[Shape, ...]:
        return (self.shape,)

    def key(self, name: str) -> Shape:
        return self.shape.key(name)

    def fits(self, node: Node) -> bool:
        return self.shape.fits(node)

    def read(self, node: Node, reading: Reading) -> Any:
        return self.make(self.shape.read(node, reading), node, reading)

    def schema(self, definitions: Definitions) -> JsonSchema:
        return self.shape.schema(definitions)
