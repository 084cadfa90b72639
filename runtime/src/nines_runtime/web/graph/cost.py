"""What a document costs, by the schema's own @cost: known before it is carried out, and published with the schema.

A field costs its weight and what is below it, as often as its list is long: by the size that the caller asks for, or
the one that is assumed where it asks for none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from nines_runtime.web.graph.bounds import Bounds, refused

DIRECTIVE = "cost"


class Price(msgspec.Struct, frozen=True):
    """Of a field: @cost(weight: 1, sizedBy: "pageSize", size: 50)."""

    weight: int = 0
    sized_by: str = ""
    size: int = 1


class Node(msgspec.Struct, frozen=True):
    """A field that was selected."""

    price: Price
    size: int
    """As it is written, or as it is assumed."""
    variable: str
    """Where it is given by a variable; empty: it is known."""
    inner: tuple[Node, ...]


class Prices:
    """Those of a schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._prices: dict[int, Price] = {}
        for each in schema.type_map.values():
            if isinstance(each, GraphQLObjectType):
                for field in each.fields.values():
                    self._prices[id(field)] = _price(field)

    def nodes(
        self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> tuple[Node, ...]:
        """Of a document that is valid, and whose size is bounded."""
        roots = {
            OperationType.QUERY: self._schema.query_type,
            OperationType.MUTATION: self._schema.mutation_type,
        }
        defaults: dict[str, int] = {}
        for each in operation.variable_definitions or ():
            if isinstance(each.default_value, IntValueNode):
                defaults[each.variable.name.value] = int(each.default_value.value)
        found = roots.get(operation.operation)
        return tuple(self._of(operation.selection_set, found, fragments, defaults)) if found else ()

    def _of(
        self,
        selection: SelectionSetNode | None,
        around: Any,
        fragments: Mapping[str, FragmentDefinitionNode],
        defaults: Mapping[str, int],
    ) -> Iterator[Node]:
        for each in selection.selections if selection else ():
            if isinstance(each, FieldNode):
                yield self._node(each, around, fragments, defaults)
                continue
            inner: Any = fragments.get(each.name.value) if isinstance(each, FragmentSpreadNode) else each
            if isinstance(inner, InlineFragmentNode | FragmentDefinitionNode):
                condition = inner.type_condition
                on = self._schema.get_type(condition.name.value) if condition else around
                yield from self._of(inner.selection_set, on, fragments, defaults)

    def _node(
        self,
        node: FieldNode,
        around: Any,
        fragments: Mapping[str, FragmentDefinitionNode],
        defaults: Mapping[str, int],
    ) -> Node:
        field = getattr(around, "fields", {}).get(node.name.value)
        if field is None:
            # __typename, or what tells of the schema.
            return Node(Price(), 1, "", ())
        price = self._prices.get(id(field), Price())
        size, variable = price.size, ""
        for argument in node.arguments or ():
            if price.sized_by and argument.name.value == price.sized_by:
                if isinstance(argument.value, IntValueNode):
                    size = int(argument.value.value)
                elif isinstance(argument.value, VariableNode):
                    variable = argument.value.name.value
                    size = defaults.get(variable, size)
        inner = tuple(self._of(node.selection_set, get_named_type(field.type), fragments, defaults))
        return Node(price, max(1, size), variable, inner)


def check(nodes: tuple[Node, ...], variables: Mapping[str, Any], bounds: Bounds) -> int:
    """What it costs; raises Problem where that is too much."""
    cost, values = _sum(nodes, variables)
    if cost > bounds.cost_max:
        raise refused(f"It costs {cost:,}, and one may cost {bounds.cost_max:,}: ask for smaller pages, or for less.")
    if values > bounds.values_max:
        raise refused(f"Its answer may hold {values:,} values, and one may hold {bounds.values_max:,}.")
    return cost


def _sum(nodes: tuple[Node, ...], variables: Mapping[str, Any]) -> tuple[int, int]:
    cost = values = 0
    for node in nodes:
        inner_cost, inner_values = _sum(node.inner, variables) if node.inner else (0, 0)
        given = variables.get(node.variable) if node.variable else None
        is_size = isinstance(given, int) and not isinstance(given, bool)
        size = max(1, given) if is_size and given is not None else node.size
        cost += size * (node.price.weight + inner_cost)
        values += 1 + size * inner_values
    return cost, values


def _price(field: GraphQLField) -> Price:
    for each in (field.ast_node.directives or ()) if field.ast_node else ():
        if each.name.value == DIRECTIVE:
            given = {argument.name.value: getattr(argument.value, "value", "") for argument in each.arguments or ()}
            return Price(int(given.get("weight", 1)), str(given.get("sizedBy", "")), int(given.get("size", 1)))
    return Price()
