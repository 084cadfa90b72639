"""Documents that were read, judged and validated once, and are carried out many times."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import msgspec
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)

from nines_runtime.web.graph.bounds import Bounds, check, check_text, refused
from nines_runtime.web.graph.cost import Node, Prices
from nines_runtime.web.graph.failures import HINT
from nines_runtime.web.problem import Problem

CACHE_BYTES_MAX = 1_048_576
"""Of the texts of documents that are kept; what was asked for longest ago goes first."""
ERRORS_MAX = 5


class Document(msgspec.Struct, frozen=True):
    node: DocumentNode
    operation: OperationDefinitionNode
    prices: tuple[Node, ...]
    is_introspective: bool

    @property
    def name(self) -> str:
        return self.operation.name.value if self.operation.name else ""

    @property
    def is_mutation(self) -> bool:
        return self.operation.operation is OperationType.MUTATION


class Invalid(Problem):
    """A document that does not fit the schema."""

    def __init__(self, code: str, errors: list[GraphQLError], *, is_hinted: bool) -> None:
        super().__init__(code)
        self.found = tuple((_said(each, is_hinted=is_hinted), each) for each in errors[:ERRORS_MAX])


class Documents:
    """`bounds` hold for every document; only those that keep them are kept."""

    def __init__(self, schema: GraphQLSchema, bounds: Bounds) -> None:
        self._schema = schema
        self._bounds = bounds
        self._prices = Prices(schema)
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, text: str, *, is_hinted: bool) -> Document:
        """Raises Problem; `is_hinted`: whoever asks may be told what the schema has."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
            return found
        found = self._read(text, is_hinted=is_hinted)
        self._kept[text] = found
        self._bytes += len(text)
        while self._bytes > CACHE_BYTES_MAX:
            oldest, _ = self._kept.popitem(last=False)
            self._bytes -= len(oldest)
        return found

    def _read(self, text: str, *, is_hinted: bool) -> Document:
        check_text(text, self._bounds)
        try:
            node = parse(text, max_tokens=self._bounds.tokens_max)
        except GraphQLSyntaxError as error:
            raise Invalid("malformed-request", [error], is_hinted=is_hinted) from None
        except RecursionError:
            raise refused("It is nested too deep.") from None
        # Before validation, which takes time that grows with the square of what is repeated.
        operation, measured = check(node, self._bounds)
        errors = validate(self._schema, node, max_errors=ERRORS_MAX)
        if errors:
            raise Invalid("invalid-request", list(errors), is_hinted=is_hinted)
        if operation.operation is OperationType.SUBSCRIPTION:
            raise refused("Nothing can be subscribed to.")
        fragments: Mapping[str, FragmentDefinitionNode] = {
            each.name.value: each for each in node.definitions if isinstance(each, FragmentDefinitionNode)
        }
        return Document(node, operation, self._prices.nodes(operation, fragments), measured.is_introspective)


def _said(error: GraphQLError, *, is_hinted: bool) -> str:
    """What the schema has is not told to those who may not read it."""
    return error.message if is_hinted else HINT.sub("", error.message)
