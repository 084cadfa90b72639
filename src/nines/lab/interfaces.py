"""What a service offers beside its contract: a graph (GraphQL), methods over gRPC; and all of it as one contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from nines.lab.graph.doors import with_doors
from nines.lab.graph.finding import Ask, FoundGraph, GraphFinder, GraphReader, unread
from nines.lab.graph.joining import joined
from nines.lab.requests.login import propose
from nines.lab.typed import calling
from nines.lab.typed.finding import TypedCalls, find, unasked
from nines.model.contract import Contract, Operation
from nines.model.experiment import Need
from nines.model.report import Unexamined
from nines.model.service import Endpoint
from nines.model.settings import Settings


class Interfaces:
    """`ask` posts to the service, as somebody who is signed in once there is anybody."""

    def __init__(self, root: Path, ask: Ask, graphs: GraphReader | None) -> None:
        self.graph: FoundGraph | None = None
        self.typed: TypedCalls | None = None
        self.tried = Contract()
        """The contract and, where the service has one, the operations of its graph."""
        self.unexamined: list[Unexamined] = []
        self._root = root
        self._finder = GraphFinder(root, ask, graphs) if graphs is not None else None

    @property
    def has_graph(self) -> bool:
        """Whether there is one of which it is known what can be asked."""
        return self.graph is not None and self.graph.schema is not None

    @property
    def missing(self) -> set[Need]:
        """Those of which there is nothing to try."""
        offered = {Need.GRAPH: self.has_graph, Need.TYPED: self.typed is not None}
        return {need for need, is_there in offered.items() if not is_there}

    async def doors(self, settings: Settings, contract: Contract, endpoints: Iterable[Endpoint]) -> Settings:
        """How somebody signs in: as the settings or the contract say, else through the graph."""
        if not settings.login.is_given and not propose(contract)[1].is_given:
            await self._look(contract, endpoints)
        return with_doors(settings, self.graph) if self.graph is not None else settings

    async def open(
        self,
        contract: Contract,
        endpoints: Iterable[Endpoint],
        attempt: Callable[[Operation], Awaitable[int | None]],
        grpc_port: int,
    ) -> tuple[str, ...]:
        """When everybody is signed in, for a graph may tell its schema to nobody else; what was found, in words."""
        self.tried = contract
        told: list[str] = []
        await self._look(contract, endpoints)
        if self.graph is not None and self.graph.schema is None:
            self.unexamined.append(unread(self.graph))
        elif self.graph is not None:
            self.tried = await joined(contract, self.graph, attempt)
            asked = sum(1 for operation in self.tried.operations if operation.document is not None)
            from_where = f"{asked} operations of it were read from {self.graph.source}"
            told.append(f"a graph answers at {self.graph.endpoint}; {from_where}")
        typed = find(self._root)
        if typed is not None and grpc_port and calling.is_installed():
            self.typed = typed
            told.append(f"{len(typed.methods)} methods over gRPC were read from {typed.source}")
        elif typed is not None:
            self.unexamined.append(unasked(typed, has_port=bool(grpc_port)))
        return tuple(told)

    async def _look(self, contract: Contract, endpoints: Iterable[Endpoint]) -> None:
        if self._finder is not None and not self.has_graph:
            self.graph = await self._finder.find(contract, endpoints)
