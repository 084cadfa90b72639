"""YAML to nodes that know their places: a strict subset, so that a blueprint means one thing to every reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from nines.model.errors import NinesError
from nines.model.record import Record

BYTES_MAX = 512 * 1024
DEPTH_MAX = 16
NODES_MAX = 20_000

_NULL = re.compile(r"(null|Null|NULL|~)?")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD_NUMBER = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN")
_DIGITS_MAX = 40

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


class Mark(Record):
    """Where a node begins; both count from 1."""

    line: int = 1
    column: int = 1


class Scalar(Record):
    text: str
    is_plain: bool = True
    """Written without quotes, so that it may be a number, a truth value or nothing."""
    mark: Mark = Mark()

    @property
    def is_null(self) -> bool:
        return self.is_plain and _NULL.fullmatch(self.text) is not None

    @property
    def value(self) -> str | int | float | bool | None:
        """What it stands for in YAML 1.2's core schema; text where it is none of the rest."""
        if not self.is_plain:
            return self.text
        if _NULL.fullmatch(self.text):
            return None
        if _TRUE.fullmatch(self.text) or _FALSE.fullmatch(self.text):
            return self.text[0] in "tT"
        if len(self.text) <= _DIGITS_MAX:
            if _WHOLE.fullmatch(self.text):
                return int(self.text)
            if _NUMBER.fullmatch(self.text):
                return float(self.text)
        return self.text

    @property
    def is_text(self) -> bool:
        """Whether every reader of YAML takes it for text."""
        return isinstance(self.value, str) and not (
            self.is_plain and (_NUMBER.fullmatch(self.text) or _ODD_NUMBER.fullmatch(self.text))
        )


class Entry(Record):
    key: Scalar
    value: Node


class Mapping(Record):
    entries: tuple[Entry, ...] = ()
    mark: Mark = Mark()

    def get(self, key: str) -> Node | None:
        return next((entry.value for entry in self.entries if entry.key.text == key), None)


class Sequence(Record):
    items: tuple[Node, ...] = ()
    mark: Mark = Mark()


Node = Scalar | Mapping | Sequence


class BrokenDocumentError(NinesError):
    """The text is no YAML, or not of the subset; nothing behind this place can be read."""

    def __init__(self, says: str, mark: Mark) -> None:
        super().__init__(says)
        self.mark = mark


class Repeated(Record):
    """A key that stands twice in one mapping."""

    key: Scalar
    first: Mark


class Document(Record):
    root: Node
    repeated: tuple[Repeated, ...] = ()


def compose(text: str) -> Document:
    """The only document of a text; raises BrokenDocumentError for what is not of the subset."""
    if len(text) > BYTES_MAX:
        raise BrokenDocumentError(f"it is larger than {BYTES_MAX // 1024} KiB", Mark())
    builder = _Builder()
    events = _events(text.removeprefix("\ufeff"))
    for event in events:
        builder.take(event)
    if builder.root is None:
        raise BrokenDocumentError("it is empty; a blueprint begins with `nines: 1` and `service: {name: ...}`", Mark())
    return Document(root=builder.root, repeated=tuple(builder.repeated))


def _events(text: str) -> Iterator[Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.parse(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BrokenDocumentError(_said(error, text), Mark() if mark is None else _mark(mark)) from None
    except yaml.YAMLError as error:
        raise BrokenDocumentError(*_unreadable(error, text)) from None
    except (ValueError, UnicodeError, RecursionError) as error:
        raise BrokenDocumentError(f"it is no YAML: {error}", Mark()) from None


def _said(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    lines = text.splitlines()
    if mark is not None and mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        return "there is a tab; YAML is indented with spaces"
    is_cut = "',' or" in str(error.problem)
    quoted = " (between brackets a text with , : { or [ stands in quotes)" if is_cut else ""
    return f"it is no YAML: {error.problem or error.context or 'it cannot be parsed'}{quoted}"


def _unreadable(error: yaml.YAMLError, text: str) -> tuple[str, Mark]:
    """For what YAML allows nowhere: control characters and lone surrogates."""
    for number, line in enumerate(text.split("\n"), 1):
        for column, character in enumerate(line, 1):
            if (character < " " and character not in "\t\r") or "\ud800" <= character <= "\udfff":
                return f"there is a character that no text holds (U+{ord(character):04X})", Mark(
                    line=number, column=column
                )
    return f"it is no YAML: {' '.join(str(error).split())}", Mark()


def _mark(mark: Any) -> Mark:
    return Mark(line=mark.line + 1, column=mark.column + 1)


class _Open:
    """A mapping or sequence whose end was not reached yet."""

    def __init__(self, *, is_mapping: bool, mark: Mark) -> None:
        self.is_mapping = is_mapping
        self.mark = mark
        self.key: Scalar | None = None
        self.entries: list[Entry] = []
        self.items: list[Node] = []
        self.keys: dict[str, Mark] = {}

    def closed(self) -> Node:
        if self.is_mapping:
            return Mapping(entries=tuple(self.entries), mark=self.mark)
        return Sequence(items=tuple(self.items), mark=self.mark)


class _Builder:
    """Puts nodes together from events, without recursion, so that depth is a number and not a crash."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.repeated: list[Repeated] = []
        self._open: list[_Open] = []
        self._nodes = 0

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise BrokenDocumentError(
                "there is a second document; one file holds one blueprint", _mark(event.start_mark)
            )
        if isinstance(event, yaml.AliasEvent):
            raise BrokenDocumentError(
                f"there is an alias (*{event.anchor}); write the value out, for a blueprint has no references",
                _mark(event.start_mark),
            )
        if isinstance(event, yaml.NodeEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._put(self._open.pop().closed())

    def _begin(self, event: Any) -> None:
        mark = _mark(event.start_mark)
        if event.anchor is not None:
            raise BrokenDocumentError(f"there is an anchor (&{event.anchor}); a blueprint has none", mark)
        if event.tag is not None:
            raise BrokenDocumentError(f"there is a tag ({event.tag}); a blueprint has none", mark)
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise BrokenDocumentError(f"it has more than {NODES_MAX:,} values", mark)
        if isinstance(event, yaml.ScalarEvent):
            self._put(Scalar(text=event.value, is_plain=event.style in (None, ""), mark=mark))
            return
        if len(self._open) >= DEPTH_MAX:
            raise BrokenDocumentError(f"it is nested more than {DEPTH_MAX} deep", mark)
        if self._open and self._open[-1].is_mapping and self._open[-1].key is None:
            raise BrokenDocumentError("a key is a plain word, not a list or a mapping", mark)
        self._open.append(_Open(is_mapping=isinstance(event, yaml.MappingStartEvent), mark=mark))

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        holder = self._open[-1]
        if not holder.is_mapping:
            holder.items.append(node)
        elif holder.key is None:
            assert isinstance(node, Scalar)
            holder.key = node
        else:
            key, holder.key = holder.key, None
            if key.text in holder.keys:
                self.repeated.append(Repeated(key=key, first=holder.keys[key.text]))
                return
            holder.keys[key.text] = key.mark
            holder.entries.append(Entry(key=key, value=node))


def plain(node: Node) -> Plain:
    """The node as JSON has it: what an editor's schema check sees."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {entry.key.text: plain(entry.value) for entry in node.entries}
