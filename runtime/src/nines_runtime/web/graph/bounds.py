"""How much one document may ask for, judged before anything of it is carried out.

A document is measured with its fragments in their places: what is written once and used ten times counts ten times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import msgspec
from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from nines_runtime.web.problem import Problem

NESTING_MAX = 64
"""Brackets within one another: a parser that descends needs a bottom."""
_UNSEEN = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*', re.DOTALL)
_BRACKETS = re.compile(r"[\[\](){}]")
_TOKENS = re.compile(r"[\w.]+|[^\s\w,.]")
_TELLING = frozenset({"__schema", "__type"})


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Of one document."""

    bytes_max: int = 16_384
    tokens_max: int = 2_000
    depth_max: int = 8
    """Of fields within one another."""
    fields_max: int = 300
    repeats_max: int = 3
    """Of one name among the fields of one object: whether all of them agree takes time that grows with their square."""
    fragments_max: int = 20
    aliases_max: int = 15
    directives_max: int = 30
    cost_max: int = 1_000
    """In units of the directive @cost: about one for each object that is read."""
    values_max: int = 10_000
    """That an answer may hold at most, by its page sizes."""


class Measured(msgspec.Struct, frozen=True):
    """What a selection comes to, its fragments in their places."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    repeats: int = 0
    is_introspective: bool = False

    def __add__(self, other: Measured) -> Measured:
        return Measured(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            max(self.repeats, other.repeats),
            self.is_introspective or other.is_introspective,
        )


def check_text(text: str, bounds: Bounds) -> None:
    """Raises Problem for what is not worth parsing."""
    if len(text) > bounds.bytes_max or len(text.encode("utf-8", "replace")) > bounds.bytes_max:
        raise refused(f"It is longer than {bounds.bytes_max:,} bytes.")
    seen = _UNSEEN.sub(" ", text)
    if len(_TOKENS.findall(seen)) > bounds.tokens_max:
        raise refused(f"It has more than {bounds.tokens_max:,} tokens.")
    depth = 0
    for bracket in _BRACKETS.findall(seen):
        depth += 1 if bracket in "[({" else -1
        if depth > NESTING_MAX:
            raise refused(f"Its brackets are nested more than {NESTING_MAX} deep.")


def check(document: DocumentNode, bounds: Bounds) -> tuple[OperationDefinitionNode, Measured]:
    """The one operation of a document and what it comes to; raises Problem where that is too much."""
    fragments: dict[str, FragmentDefinitionNode] = {}
    operations: list[OperationDefinitionNode] = []
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            operations.append(each)
        elif isinstance(each, FragmentDefinitionNode) and each.name.value not in fragments:
            fragments[each.name.value] = each
        else:
            raise refused("It holds something beside one operation and its fragments, each under its own name.")
    if len(operations) != 1:
        raise refused(f"It holds {len(operations)} operations; one is carried out at a time.")
    if len(fragments) > bounds.fragments_max:
        raise refused(f"It has more than {bounds.fragments_max} fragments.")
    measuring = _Measuring(fragments)
    for name in fragments:
        measuring.fragment(name)
    found = measuring.selection(operations[0].selection_set) + Measured(directives=len(operations[0].directives or ()))
    for what, is_much, most in (
        ("It is deeper than {} fields.", found.depth, bounds.depth_max),
        ("It has more than {} fields.", found.fields, bounds.fields_max),
        ("It has more than {} aliases.", found.aliases, bounds.aliases_max),
        ("It has more than {} directives.", found.directives, bounds.directives_max),
        ("It has more than {} fields of one name in one object.", found.repeats, bounds.repeats_max),
    ):
        if is_much > most:
            raise refused(what.format(f"{most:,}"))
    return operations[0], found


def refused(why: str) -> Problem:
    return Problem("invalid-request", f"The document is refused. {why}")


class _Measuring:
    """Each fragment is measured once, so that fragments which double one another cost nothing to see through."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._known: dict[str, Measured] = {}
        self._open: set[str] = set()

    def selection(self, selection: SelectionSetNode | None) -> Measured:
        found = Measured()
        names: Counter[str] = Counter()
        for each in selection.selections if selection else ():
            found += self._one(each) + Measured(directives=len(_directives(each)))
            if isinstance(each, FieldNode):
                names[(each.alias or each.name).value] += 1
        return found + Measured(repeats=max(names.values(), default=0))

    def fragment(self, name: str) -> Measured:
        if name in self._known or name not in self._fragments:
            # One that is not there is what validation tells.
            return self._known.get(name, Measured())
        if name in self._open:
            raise refused(f"The fragment {name[:64]} holds itself.")
        self._open.add(name)
        found = self._fragments[name]
        self._known[name] = self.selection(found.selection_set) + Measured(directives=len(found.directives or ()))
        self._open.discard(name)
        return self._known[name]

    def _one(self, node: object) -> Measured:
        if isinstance(node, FragmentSpreadNode):
            return self.fragment(node.name.value)
        if isinstance(node, InlineFragmentNode):
            return self.selection(node.selection_set)
        if not isinstance(node, FieldNode):
            return Measured()
        inner = self.selection(node.selection_set)
        is_telling = node.name.value in _TELLING
        # What tells of the schema is as deep as the schema's types are; its fields are counted like all others.
        depth = 1 if is_telling else inner.depth + 1
        aliases = inner.aliases + (node.alias is not None)
        is_introspective = inner.is_introspective or is_telling
        return Measured(depth, inner.fields + 1, aliases, inner.directives, inner.repeats, is_introspective)


def _directives(node: object) -> tuple[DirectiveNode, ...]:
    return tuple(getattr(node, "directives", None) or ())
