"""A contract with the operations of a graph beside its own."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import msgspec

from nines.lab.graph.finding import FoundGraph
from nines.lab.graph.operations import operations_of, text_of
from nines.lab.graph.selecting import Reach, Selecting
from nines.model.contract import Contract, Document, Operation

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
    selecting = Selecting(graph.schema)
    fields = {field.name: field for field in graph.schema.queries}
    written: list[Operation] = []
    tried = 0
    for operation in operations_of(graph.schema, graph.endpoint, contract):
        name = operation.id.removeprefix("query ")
        if operation.document is None or not _is_plain_list(operation) or tried >= LISTS_MAX:
            written.append(operation)
            continue
        tried += 1
        wider = [
            _asking(operation, operation.document, text_of(selecting, "query", fields[name], reach))
            for reach in (Reach.LISTS, Reach.OBJECTS, Reach.ITSELF)
        ]
        written.append(await _settled(wider, attempt))
    return msgspec.structs.replace(contract, operations=(*own, *written))


def _asking(operation: Operation, document: Document, text: str) -> Operation:
    return msgspec.structs.replace(operation, document=msgspec.structs.replace(document, text=text))


async def _settled(wider: list[Operation], attempt: Try) -> Operation:
    """The widest that is not refused."""
    for operation in wider[:-1]:
        status = await attempt(operation)
        if status is None or status < 400 or status in _WHOEVER:
            return operation
    return wider[-1]


def _is_plain_list(operation: Operation) -> bool:
    is_read = operation.method == "GET" and not operation.path_parameters
    shown = json.dumps([answer.schema for answer in operation.answers])
    return is_read and '"array"' in shown and not any(each.is_required for each in operation.parameters)
