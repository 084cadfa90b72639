"""Transactions: what begins, keeps and ends them."""

from __future__ import annotations

from nines.effects.interpret.state.frame import Frame
from nines.effects.nodes import Node, ScopeNode, TransactionNode
from nines.effects.values import ObjectThing, Value


def begin_and_commit(
    frame: Frame,
    connection: str,
    nodes: list[Node],
    line: int,
    column: int,
    *,
    library: str = "",
    isolation: str = "",
    blocks: bool = False,
    begins: bool = True,
    end_line: int = 0,
) -> ScopeNode:
    """A body that runs in a transaction of its own, or in a savepoint of the one that is open."""
    place = frame.place(line, column)
    end = frame.place(end_line or line)
    enter: list[Node] = []
    if begins:
        begin = TransactionNode("begin", connection, place, True, isolation, library, "", blocks, is_scope=True)
        enter.append(begin)
    commit = TransactionNode("commit", connection, end, True, "", library, "", blocks, is_scope=True)
    return ScopeNode(enter, nodes, [commit])


def transaction_scope(  # noqa: PLR0917
    frame: Frame, name: str, bound: dict[str, Value], nodes: list[Node], line: int, column: int
) -> ScopeNode:
    """The scope that a decorator puts around its function."""
    signatures = frame.world.signatures
    signature = signatures.calls[name]
    type = signature.returns or name
    connection = str(signatures.trait(type, "connection_name") or type)
    using = bound.get("using")
    if using is not None and isinstance(using.constant, str):
        connection = using.constant
    library = signatures.libraries.get(name, "")
    return begin_and_commit(frame, connection, nodes, line, column, library=library, blocks=signature.blocks)


def exits(frame: Frame, value: Value) -> tuple[str, str]:
    """How leaving `with value` ends a transaction, and on which connection."""
    thing = value.thing
    if not isinstance(thing, ObjectThing):
        return "", ""
    signatures = frame.world.signatures
    how = signatures.trait(thing.type, "exit")
    name = signatures.trait(thing.type, "connection_name")
    using = dict(thing.fields).get("using")
    if using is not None and isinstance(using.constant, str):
        name = using.constant
    return (str(how) if how else ""), str(name) if name else thing.site or thing.type
