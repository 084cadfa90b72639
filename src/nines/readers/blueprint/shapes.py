"""How parts of a blueprint are written: each shape reads a node, tells its JSON Schema, and says what it expects.

The vocabulary is declared once with these; reading, the published schema and the reference page all come from it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from collections.abc import Mapping as Map
from collections.abc import Sequence as Many
from typing import Any

from nines.readers.blueprint.document import Mapping, Node, Scalar, Sequence
from nines.readers.blueprint.elsewhere import reworded
from nines.readers.blueprint.reading import Reading, Unreadable, advice, shown

JsonSchema = dict[str, Any]
Definitions = dict[str, JsonSchema]

ITEMS_MAX = 500
"""Entries of one list or table."""
TEXT_MAX = 2_000


class Shape(ABC):
    """How one part is written."""

    expected: str
    """A noun with its article: "a duration such as 200ms"."""

    @abstractmethod
    def read(self, node: Node, reading: Reading) -> Any:
        """The value; raises Unreadable after the problem was reported."""

    @abstractmethod
    def schema(self, definitions: Definitions) -> JsonSchema:
        """Its JSON Schema; named records are put into the definitions."""

    @abstractmethod
    def fits(self, node: Node) -> bool:
        """Whether the node is of this kind at all, before its content is looked at."""

    def parts(self) -> tuple[Shape, ...]:
        """The shapes that it is made of."""
        return ()

    def key(self, name: str) -> Shape:
        """The shape under a key; raises KeyError where it has no such key."""
        raise KeyError(name)

    def unfit(self, node: Node, reading: Reading) -> Unreadable:
        return reading.refuse(node, f"expected {self.expected}, found {_found(node)}")


def _found(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    return "nothing" if node.is_null else shown(node.text)


class Word(Shape):
    """One scalar of text with a pattern; `convert` raises ValueError for what the pattern cannot tell."""

    def __init__(
        self,
        expected: str,
        *,
        pattern: str = r"[^\x00-\x1f\x7f]+",
        convert: Callable[[str], Any] = str,
        examples: Many[str] = (),
        words: Map[str, str] | None = None,
        takes_numbers: bool = False,
    ) -> None:
        """`words` are the usual ones with what they mean, for completion; others that match are read as well."""
        self.expected = expected
        self.pattern = re.compile(pattern)
        self.convert = convert
        self.examples = tuple(examples)
        self.words = dict(words or {})
        self.takes_numbers = takes_numbers

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and not node.is_null

    def read(self, node: Node, reading: Reading) -> Any:
        if not isinstance(node, Scalar) or node.is_null:
            raise self.unfit(node, reading)
        if not node.is_text and not (self.takes_numbers and not isinstance(node.value, bool)):
            if not self.pattern.fullmatch(node.text):
                raise self.unfit(node, reading)
            raise reading.refuse(node, f"expected {self.expected}, found {shown(node.text)} without quotes")
        if len(node.text) > TEXT_MAX:
            raise reading.refuse(node, f"expected {self.expected}, found a text of {len(node.text):,} characters")
        if not self.pattern.fullmatch(node.text):
            raise self.unfit(node, reading)
        try:
            return self.convert(node.text)
        except ValueError as error:
            said = str(error)
            raise reading.refuse(
                node, f"expected {self.expected}, found {shown(node.text)}{f': {said}' if said else ''}"
            ) from None

    def unfit(self, node: Node, reading: Reading) -> Unreadable:
        text = node.text if isinstance(node, Scalar) else ""
        meant = next((each for each in reworded(text) if self.pattern.fullmatch(each)), "")
        near = f": did you mean {meant}?" if meant else ""
        return reading.refuse(node, f"expected {self.expected}, found {_found(node)}{near}")

    def schema(self, definitions: Definitions) -> JsonSchema:  # noqa: ARG002
        text: JsonSchema = {"type": "string", "pattern": f"^(?:{self.pattern.pattern})$", "maxLength": TEXT_MAX}
        if self.examples:
            text["examples"] = list(self.examples)
        if self.takes_numbers:
            return {"anyOf": [text, {"type": "number", "minimum": 0, "maximum": 1}]}
        usual = [{"const": word, "description": says} for word, says in self.words.items()]
        return {"anyOf": [*usual, text]} if usual else text


class Text(Shape):
    """Free text, on one line or several."""

    def __init__(self, expected: str = "a sentence", *, examples: Many[str] = ()) -> None:
        self.expected = expected
        self.examples = tuple(examples)

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and not node.is_null

    def read(self, node: Node, reading: Reading) -> str:
        if not isinstance(node, Scalar) or node.is_null:
            raise self.unfit(node, reading)
        if not node.is_text:
            raise reading.refuse(node, f"expected {self.expected}, found {shown(node.text)} without quotes")
        if len(node.text) > TEXT_MAX:
            raise reading.refuse(node, f"expected {self.expected} of at most {TEXT_MAX:,} characters")
        return " ".join(node.text.split())

    def schema(self, definitions: Definitions) -> JsonSchema:  # noqa: ARG002
        found: JsonSchema = {"type": "string", "maxLength": TEXT_MAX}
        return found | ({"examples": list(self.examples)} if self.examples else {})


class Number(Shape):
    """A number within bounds."""

    def __init__(self, least: float, most: float, *, is_whole: bool = True, example: float | None = None) -> None:
        self.least, self.most, self.is_whole, self.example = least, most, is_whole, example
        kind = "a whole number" if is_whole else "a number"
        self.expected = f"{kind} from {least:,} to {most:,}"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool)

    def read(self, node: Node, reading: Reading) -> int | float:
        value = node.value if isinstance(node, Scalar) else None
        kinds = int if self.is_whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not self.least <= value <= self.most:
            raise self.unfit(node, reading)
        return value

    def schema(self, definitions: Definitions) -> JsonSchema:  # noqa: ARG002
        kind = "integer" if self.is_whole else "number"
        found: JsonSchema = {"type": kind, "minimum": self.least, "maximum": self.most}
        return found if self.example is None else found | {"examples": [self.example]}


class Flag(Shape):
    expected = "true or false"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and isinstance(node.value, bool)

    def read(self, node: Node, reading: Reading) -> bool:
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            raise self.unfit(node, reading)
        return node.value

    def schema(self, definitions: Definitions) -> JsonSchema:  # noqa: ARG002
        return {"type": "boolean"}


class Anything(Shape):
    """A scalar that is kept as it is: a default value."""

    expected = "a text, a number, true or false"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and not node.is_null

    def read(self, node: Node, reading: Reading) -> str | int | float | bool:
        value = node.value if isinstance(node, Scalar) else None
        if value is None or (isinstance(value, str) and len(value) > TEXT_MAX):
            raise self.unfit(node, reading)
        if isinstance(value, float) and abs(value) > 1e300:
            raise self.unfit(node, reading)
        return value

    def schema(self, definitions: Definitions) -> JsonSchema:  # noqa: ARG002
        return {"type": ["string", "number", "boolean"]}


class Choice(Shape):
    """One of several words; each stands for a value."""

    def __init__(self, words: Map[str, tuple[Any, str]] | Map[str, str]) -> None:
        """Words with what they mean, or with the value that they stand for and what they mean."""
        self.values = {w: says[0] if isinstance(says, tuple) else w for w, says in words.items()}
        self.says = {w: says[1] if isinstance(says, tuple) else says for w, says in words.items()}
        self.expected = f"one of {', '.join(words)}" if len(words) > 1 else next(iter(words))

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and not node.is_null

    def read(self, node: Node, reading: Reading) -> Any:
        if not isinstance(node, Scalar) or node.is_null:
            raise self.unfit(node, reading)
        if not node.is_text or node.text not in self.values:
            raise reading.refuse(node, f"{shown(node.text)} is not known here: {advice(node.text, self.values)}")
        return self.values[node.text]

    def schema(self, definitions: Definitions) -> JsonSchema:  # noqa: ARG002
        if any(self.says.values()):
            return {"oneOf": [{"const": word, "description": says} for word, says in self.says.items()]}
        return {"enum": list(self.values)}


class Refers(Shape):
    """A name that is declared elsewhere in the blueprint."""

    def __init__(self, kind: str, *, pattern: str, expected: str, examples: Many[str] = ()) -> None:
        self.kind = kind
        self.word = Word(expected, pattern=pattern, examples=examples)
        self.expected = expected

    def fits(self, node: Node) -> bool:
        return self.word.fits(node)

    def read(self, node: Node, reading: Reading) -> str:
        name: str = self.word.read(node, reading)
        reading.refer(self.kind, name, node, of=reading.scope)
        return name

    def schema(self, definitions: Definitions) -> JsonSchema:
        return self.word.schema(definitions)
