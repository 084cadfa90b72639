"""Callers of a graph are told what only they would notice."""

from __future__ import annotations

from nines.checkers.contracts.graphs import changes_of

BEFORE = """\
type Query {
  "Get order"
  getOrder(orderId: ID!): Order @cost
  listOrders(pageSize: Int): OrderPage @cost(sizedBy: "pageSize", size: 50)
}

type Order {
  id: ID!
  note: String
  customer: Customer @cost
  lines(first: Int = 10): [Line!] @cost(sizedBy: "first", size: 10)
}

type Customer {
  id: ID!
  home: Order @cost
}
"""
ALL = ("getOrder", "listOrders")


def told(after: str, operations: tuple[str, ...] = ALL) -> list[tuple[str, str]]:
    found = list(changes_of(BEFORE, after, operations))
    assert all(each.is_breaking and each.whom and each.operation == "POST /graphql" for each in found)
    return [(each.rule, each.where) for each in found]


def test_what_stays_or_grows_breaks_nobody() -> None:
    assert told(BEFORE) == []
    assert told(BEFORE.replace("  id: ID!\n", "  id: ID!\n  more: Customer @cost\n")) == []
    assert list(changes_of("", BEFORE, ALL)) == []


def test_a_graph_that_is_gone_breaks_its_callers() -> None:
    assert told("") == [("graph-removed", "")]


def test_what_objects_lead_to_is_relied_on() -> None:
    assert told(BEFORE.replace("  customer: Customer @cost\n", "")) == [("graph-field-removed", "Order.customer")]
    assert told(BEFORE.replace("[Line!]", "[Row!]")) == [("graph-field-changed", "Order.lines")]


def test_an_operation_that_only_the_graph_has_lost_is_told() -> None:
    after = BEFORE.replace("  getOrder(orderId: ID!): Order @cost\n", "")
    assert told(after) == [("graph-field-removed", "Query.getOrder")]


def test_what_the_other_contract_tells_is_not_told_twice() -> None:
    """An operation, a member of a body, a whole resource that is gone."""
    assert told(BEFORE.replace("  getOrder(orderId: ID!): Order @cost\n", ""), ("listOrders",)) == []
    assert told(BEFORE.replace("  note: String\n", "")) == []
    assert told(BEFORE.partition("type Customer")[0]) == []
