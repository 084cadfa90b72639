"""A contract with the operations of a graph beside its own."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import msgspec

from nines.lab.graph.finding import FoundGraph
from nines.lab.graph.operations import operations_of
from nines.lab.graph.selecting import Reach
from nines.model.contract import Contract, Operation

Try = Callable[[Operation], Awaitable[int | None]]
"""The status of an operation that needs no values."""
_WHOEVER = (401, 403, 429)
"""Refusals that speak of who is asking, or how often, and not of the document."""
LISTS_MAX = 60
"""Lists that are asked how far they may look."""


async def joined(contract: Contract, graph: FoundGraph, attempt: Try) -> Contract:
    """What the contract says of the graph's own address is left out: the graph says it better.

    Graphs limit what a document may cost. How far a list looks behind its objects is tried, and shortened where that
    is refused."""
    if graph.schema is None:
        return contract
    own = tuple(each for each in contract.operations if each.path.rstrip("/") != graph.endpoint.rstrip("/"))
    reach = {field.name: Reach.OBJECTS for field in graph.schema.queries}
    wide = operations_of(graph.schema, graph.endpoint, contract, dict.fromkeys(reach, Reach.LISTS))
    for operation in [each for each in wide if _is_plain_list(each)][:LISTS_MAX]:
        name = operation.id.partition(" ")[2]
        reach[name] = await _settled(contract, graph, operation, name, attempt)
    return msgspec.structs.replace(
        contract, operations=(*own, *operations_of(graph.schema, graph.endpoint, contract, reach))
    )


async def _settled(contract: Contract, graph: FoundGraph, operation: Operation, name: str, attempt: Try) -> Reach:
    assert graph.schema is not None
    for wanted in (Reach.LISTS, Reach.OBJECTS, Reach.ITSELF):
        written = operations_of(graph.schema, graph.endpoint, contract, {name: wanted})
        tried = next((each for each in written if each.id == operation.id), operation)
        status = await attempt(tried)
        if status is None or status < 400 or status in _WHOEVER:
            return wanted
    return Reach.ITSELF


def _is_plain_list(operation: Operation) -> bool:
    is_read = operation.method == "GET" and not operation.path_parameters
    shown = json.dumps([answer.schema for answer in operation.answers])
    return is_read and '"array"' in shown and not any(each.is_required for each in operation.parameters)
