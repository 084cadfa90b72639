"""Shapes with keys: records, whose keys are known, and tables, whose keys are names."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Sequence as Many
from typing import Any

from nines.model.design.naming import WORD
from nines.model.record import Record
from nines.readers.blueprint.document import Entry, Mapping, Node, Scalar
from nines.readers.blueprint.reading import Reading, Unreadable, advice, shown
from nines.readers.blueprint.shapes import ITEMS_MAX, Definitions, JsonSchema, Shape

_LONG_ENOUGH = 30
"""Of a name that fits up to there only its length is wrong."""


class Key(Record):
    """One key of a record."""

    name: str
    shape: Shape
    says: str
    """A sentence for the editor and the reference page."""
    to: str = ""
    """The argument that it becomes; empty: its own name."""
    is_required: bool = False
    default: str = ""
    """What holds without it, as it would be written."""

    @property
    def target(self) -> str:
        return self.to or self.name


Made = Callable[[dict[str, Any]], Any]
Check = Callable[[dict[str, Any], Mapping, Reading], None]


class Keys(Shape):
    """A mapping with known keys; `make` gets those that were given and read."""

    def __init__(
        self,
        title: str,
        says: str,
        keys: Many[Key],
        make: Callable[..., Any],
        *,
        scope: str = "",
        rest: Table | None = None,
        check: Check | None = None,
        one_of: Many[str] = (),
    ) -> None:
        """`scope` is the key that names the resource that the others speak of; `rest` reads the other keys; of
        `one_of`, exactly one is given."""
        self.title, self.says, self.keys, self.make = title, says, tuple(keys), make
        self.scope, self.rest, self.check, self.one_of = scope, rest, check, tuple(one_of)
        self.expected = f"a mapping with the keys {', '.join(key.name for key in keys)}"
        self._by_name = {key.name: key for key in keys}

    def parts(self) -> tuple[Shape, ...]:
        return (*(key.shape for key in self.keys), *((self.rest,) if self.rest else ()))

    def key(self, name: str) -> Shape:
        return self._by_name[name].shape

    @property
    def may_be_empty(self) -> bool:
        return not self.one_of and not any(key.is_required for key in self.keys)

    def fits(self, node: Node) -> bool:
        return isinstance(node, Mapping) or (isinstance(node, Scalar) and node.is_null and self.may_be_empty)

    def read(self, node: Node, reading: Reading) -> Any:
        return self.make(**self.arguments(node, reading))

    def arguments(self, node: Node, reading: Reading) -> dict[str, Any]:
        """What the keys say, for whoever makes the record of it."""
        if not self.fits(node):
            raise self.unfit(node, reading)
        mapping = node if isinstance(node, Mapping) else Mapping(mark=node.mark)
        if self.scope:
            named = mapping.get(self.scope)
            reading = reading.about(named.text) if isinstance(named, Scalar) else reading
        known, others = self._sorted(mapping, reading)
        values: dict[str, Any] = {}
        missing = False
        for entry in known:
            key = self._by_name[entry.key.text]
            inside = reading.under(key.name)
            inside.mark(entry.key.mark)
            try:
                values[key.target] = key.shape.read(entry.value, inside)
            except Unreadable:
                missing = missing or key.is_required
        for key in self.keys:
            if key.is_required and mapping.get(key.name) is None:
                reading.report(node, f"{key.name} is missing: {key.says}")
                missing = True
        given = [name for name in self.one_of if mapping.get(name) is not None]
        if self.one_of and len(given) != 1:
            found = " and ".join(given) if given else "none of them"
            raise reading.refuse(node, f"a {self.title} has one of {', '.join(self.one_of)}; found {found}")
        if missing:
            raise Unreadable
        if self.rest is not None:
            values[self.rest.to] = self.rest.entries(others, reading)
        if self.check is not None:
            self.check(values, mapping, reading)
        return values

    def _sorted(self, mapping: Mapping, reading: Reading) -> tuple[list[Entry], list[Entry]]:
        known = [entry for entry in mapping.entries if entry.key.text in self._by_name]
        others = [entry for entry in mapping.entries if entry.key.text not in self._by_name]
        if self.rest is None:
            for entry in others:
                is_cut = " " in entry.key.text and isinstance(entry.value, Scalar) and entry.value.is_null
                cut = " (a comma begins a key: a text that has one stands in quotes)" if is_cut else ""
                reading.report(
                    entry.key, f"{shown(entry.key.text)} is no key here: {self._advice(entry.key.text)}{cut}"
                )
        return known, others

    def _advice(self, word: str) -> str:
        return advice(word, self._by_name)

    def schema(self, definitions: Definitions) -> JsonSchema:
        if self.title not in definitions:
            definitions[self.title] = {}
            definitions[self.title] = self._schema(definitions)
        return {"$ref": f"#/$defs/{self.title}"}

    def _schema(self, definitions: Definitions) -> JsonSchema:
        properties: JsonSchema = {}
        for key in self.keys:
            said = {"description": f"{key.says}{f' Default: {key.default}.' if key.default else ''}"}
            properties[key.name] = said | key.shape.schema(definitions)
        whole: JsonSchema = {
            "type": ["object", "null"] if self.may_be_empty else "object",
            "description": self.says,
            "properties": properties,
            "additionalProperties": False,
        }
        if self.rest is not None:
            whole["patternProperties"] = {f"^(?:{self.rest.pattern.pattern})$": self.rest.shape.schema(definitions)}
        required = [key.name for key in self.keys if key.is_required]
        whole |= {"required": required} if required else {}
        return whole | ({"oneOf": [{"required": [name]} for name in self.one_of]} if self.one_of else {})


class Table(Shape):
    """A mapping from names to values of one shape, read to a tuple; the order of the file is kept."""

    def __init__(
        self,
        what: str,
        shape: Shape,
        make: Callable[[str, Any, Node, Reading], Any],
        *,
        pattern: str,
        style: str,
        declares: str = "",
        scope: Callable[[str], str] | None = None,
        to: str = "",
    ) -> None:
        """`style` says how a name is written, `declares` what kind of name it is, `scope` whose fields its entry
        speaks of."""
        self.what, self.shape, self.make = what, shape, make
        self.pattern, self.style = re.compile(pattern), style
        self.declares, self.scope, self.to = declares, scope, to
        self.expected = f"a mapping from names to {what}"

    def parts(self) -> tuple[Shape, ...]:
        return (self.shape,)

    def fits(self, node: Node) -> bool:
        return isinstance(node, Mapping) or (isinstance(node, Scalar) and node.is_null)

    def read(self, node: Node, reading: Reading) -> tuple[Any, ...]:
        if not self.fits(node):
            raise self.unfit(node, reading)
        return self.entries(node.entries if isinstance(node, Mapping) else (), reading)

    def entries(self, entries: Many[Entry], reading: Reading) -> tuple[Any, ...]:
        found = []
        for entry in entries[:ITEMS_MAX]:
            name = entry.key.text
            if not self.pattern.fullmatch(name) or not entry.key.is_text:
                fitting = max((n for n in range(len(name)) if self.pattern.fullmatch(name[:n])), default=0)
                is_long = fitting >= _LONG_ENOUGH and entry.key.is_text
                then = f"it is at most {fitting} characters long" if is_long else self._advice(name)
                reading.report(entry.key, f"{shown(name)} is no name for {self.what}: {then}")
                continue
            if self.declares:
                reading.declare(self.declares, name, reading.scope)
            inside = reading.under(name, scope=self.scope(name) if self.scope else None)
            inside.mark(entry.key.mark)
            try:
                found.append(self.make(name, self.shape.read(entry.value, inside), entry.key, inside))
            except Unreadable:
                continue
        if len(entries) > ITEMS_MAX:
            reading.report(entries[ITEMS_MAX].key, f"there are more than {ITEMS_MAX} {self.what}")
        return tuple(found)

    def _advice(self, name: str) -> str:
        """How names are written, with this one as the example where it can be."""
        words = [each.lower() for each in WORD.findall(name)]
        pascal = [word[:1].upper() + word[1:] for word in words]
        written = ("".join(words[:1] + pascal[1:]), "".join(pascal), "_".join(words), "-".join(words))
        found = next((each for each in written if words and self.pattern.fullmatch(each)), "")
        how, such, example = self.style.partition(", such as ")
        return f"{how}, such as {found or example}" if such else self.style

    def schema(self, definitions: Definitions) -> JsonSchema:
        return {
            "type": ["object", "null"],
            "propertyNames": {"pattern": f"^(?:{self.pattern.pattern})$"},
            "maxProperties": ITEMS_MAX,
            # Language servers complete the values of these, and not those of patternProperties.
            "additionalProperties": self.shape.schema(definitions),
        }
