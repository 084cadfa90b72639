"""Identifiers that requests need: of something made for the purpose, of oneself, or from a list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from nines.lab.requests import answers, paths
from nines.lab.requests.conflicts import Study, is_conflict
from nines.lab.requests.graph import Graph, noun
from nines.lab.requests.stock import Stock
from nines.model.contract import Operation, Schema
from nines.model.experiment import Call
from nines.model.history import Exchange, Outcome
from nines.model.record import Record

DEPTH_MAX = 4
"""How many generations of parents are created for one request."""

ACCEPTED = 202
SETTLE_LOOKS_MAX, SETTLE_LOOK_S = 12, 0.25
"""How often, and how long apart, it is asked whether work that was accepted is done."""

UNTIMELY = (400, 409, 412, 422)
"""Answers that may mean that something else must be done first."""

Send: TypeAlias = Callable[[Call], Awaitable[Exchange]]
Build: TypeAlias = Callable[[Operation, str, Exchange | None, int], Awaitable[Call | None]]
"""A request of an operation as an identity, on what an exchange created, at a depth of parents."""


class Wanted(Record):
    """An identifier that a request needs, and who could give it."""

    name: str
    schema: Schema
    maker: Operation | None = None
    lister: Operation | None = None
    is_consumed: bool = False
    is_acted_on: bool = False
    """Whether the request brings it into another state, for which work that was accepted must be done first."""
    may_be_self: bool = False
    """Whether the identity's own id will do where nobody else can be made: only for what changes nothing."""


class Supplier:
    """Makes and remembers what requests refer to."""

    def __init__(
        self,
        graph: Graph,
        *,
        send: Send,
        build: Build,
        say: Callable[[str], None],
        helpers: tuple[str, ...] = (),
        subject: Callable[[str], str] | None = None,
    ) -> None:
        self._graph = graph
        self._send = send
        self._build = build
        self._say = say
        self._helpers = helpers
        self._subject = subject
        self._stock = Stock()
        self.study: Study | None = None
        """Set by whoever builds requests: it needs both."""
        self._awaited: set[str] = set()
        self._rehearsed: set[tuple[str, str]] = set()
        self._steps: dict[str, tuple[Operation, str]] = {}

    def needs_steps(self, operation: Operation) -> bool:
        """Whether an action must come first, so that each request needs a parent of its own."""
        return operation.id in self._steps

    async def rehearse(self, operation: Operation, identity: str) -> None:
        """Creates something below a parent once, to learn whether the parent must be brought into a state first."""
        if operation.path_parameters and operation in self._graph.creators:
            if (operation.id, identity) in self._rehearsed:
                return
            self._rehearsed.add((operation.id, identity))
            if self._graph.steps_before(operation):
                await self._made(operation, identity, 0, is_consumed=True)

    async def make_ready(self, call: Call) -> None:
        """Takes the step that a prepared request was found to need."""
        known = self._steps.get(call.operation)
        if known is not None:
            await self._step(known[0], known[1], call)

    async def _step(self, action: Operation, identity: str, call: Call) -> bool:
        """Acts on the parent of what `call` is about to create."""
        tried = Exchange(operation=call.operation, method=call.method, path=call.path, outcome=Outcome.FAILED)
        step = await self._build(action, identity, tried, DEPTH_MAX)
        if step is None:
            return False
        answer = await self._send(msgspec.structs.replace(step, phase="setup"))
        return answer.outcome is Outcome.OK

    async def _after_steps(self, maker: Operation, call: Call, identity: str) -> Exchange | None:
        """The creation once more, after whatever action on the parent makes it succeed; remembers which that was."""
        tried = Exchange(operation=maker.id, method=maker.method, path=call.path, outcome=Outcome.FAILED)
        for action in self._graph.steps_before(maker):
            for who in dict.fromkeys((identity, *self._helpers)):
                if await self._step(action, who, call):
                    again = await self._build(maker, identity, tried, DEPTH_MAX)
                    answer = await self._send(msgspec.structs.replace(again, phase="setup")) if again else None
                    if answer is not None and answer.outcome is Outcome.OK:
                        self._steps[maker.id] = (action, who)
                        return answer
        return None

    async def supplied(self, wanted: Wanted, identity: str, depth: int) -> tuple[Any, Exchange | None]:
        """An identifier: one's own, of something created for it, or of the first thing in a list."""
        name, schema, maker = wanted.name, wanted.schema, wanted.maker
        if maker is None and self._graph.is_person(name):
            own = await self._own_id(name, schema, identity)
            if own is not None:
                return own, None
        if maker is not None and wanted.may_be_self and self._graph.is_registration(maker):
            # Whoever may read or change accounts may do so with their own.
            own = await self._own_id(name, schema, identity)
            if own is not None:
                return own, None
        if maker is not None and depth < DEPTH_MAX:
            for maybe in dict.fromkeys((identity, *self._helpers)):
                made = await self._made(maker, maybe, depth, is_consumed=wanted.is_consumed)
                if made is not None and wanted.is_acted_on and made.status == ACCEPTED:
                    await self._settled(made, maker)
                found = await self.id_of(made, maker, name, schema) if made is not None else None
                if found is not None:
                    return found, made
        if wanted.lister is not None and depth < DEPTH_MAX:
            listed = await self._first_listed(wanted.lister, name, schema, identity, depth)
            if listed is not None:
                return listed, None
        if maker is not None and wanted.may_be_self and self._graph.is_person(name):
            return await self._own_id(name, schema, identity), None
        return None, None

    async def _made(self, maker: Operation, identity: str, depth: int, *, is_consumed: bool) -> Exchange | None:
        """Something that `maker` created as this identity: fresh while the stock is small, then in turn."""
        if self._stock.has_failed(maker.id, identity):
            return None if is_consumed else self._stock.next(maker.id, identity)
        if not is_consumed and self._stock.is_full(maker.id, identity):
            return self._stock.next(maker.id, identity)
        call = await self._build(maker, identity, None, depth + 1)
        if call is None:
            self._stock.failed(maker.id, identity)
            return None
        await self.make_ready(call)
        exchange = await self._send(msgspec.structs.replace(call, phase="setup"))
        is_untimely = exchange.status in UNTIMELY and maker.path_parameters and maker.id not in self._steps
        if is_untimely:
            exchange = await self._after_steps(maker, call, identity) or exchange
        if is_conflict(exchange):
            exchange = await self._otherwise(maker, identity, depth) or exchange
        if exchange.outcome is not Outcome.OK:
            self._say(
                f"{maker.id}: answered {exchange.status or exchange.error} to {identity or 'nobody'} in setting up"
            )
            self._stock.failed(maker.id, identity)
            return self._stock.next(maker.id, identity)
        if not is_consumed:
            self._stock.put(maker.id, identity, exchange)
        return exchange

    async def _otherwise(self, maker: Operation, identity: str, depth: int) -> Exchange | None:
        """The creation once more, with another value of whatever must differ, as soon as that is known."""
        if self.study is not None:
            await self.study.learn(maker, identity)
        call = await self._build(maker, identity, None, depth + 1)
        return await self._send(msgspec.structs.replace(call, phase="setup")) if call is not None else None

    async def _settled(self, made: Exchange, maker: Operation) -> None:
        """Waits until what was accepted reads otherwise than at first, or long enough."""
        reader = self._graph.reader_of(maker)
        call = await self._build(reader, made.identity, made, DEPTH_MAX) if reader is not None else None
        if call is None or made.body in self._awaited:
            return
        self._awaited.add(made.body)
        first = answers.parsed(made)
        for _ in range(SETTLE_LOOKS_MAX):
            answer = await self._send(msgspec.structs.replace(call, phase="setup"))
            if answer.outcome is not Outcome.OK or answers.parsed(answer) != first:
                return
            await asyncio.sleep(SETTLE_LOOK_S)

    async def id_of(self, created: Exchange, creator: Operation, name: str, schema: Schema) -> Any:
        """The identifier of what was created: in a link, in the answer, in Location, or in the list by its marker."""
        names = names_of(name, noun(creator))
        for link in creator.links:
            if link.parameter == name:
                linked = answers.pointed(answers.parsed(created), link.pointer)
                if isinstance(linked, str | int):
                    return linked
        found = answers.identifier(created, names, schema)
        reader = self._graph.reader_of(creator)
        if found is None and created.header("location") and reader is not None:
            located = paths.values_in(reader.path, created.header("location")) or {}
            found = next(reversed(located.values()), None)
        if found is None and created.marker and created.identity == created.marker:
            # A newcomer's registration, of which an answer need not tell what the account is called.
            found = await self._own_id(name, schema, created.identity)
        if found is None and created.marker:
            found = await self._listed_id(created, creator, names, schema)
        return found

    async def _listed_id(self, created: Exchange, creator: Operation, names: Sequence[str], schema: Schema) -> Any:
        lister = self._graph.lister_of(creator)
        call = await self._build(lister, created.identity, created, DEPTH_MAX) if lister else None
        if call is None:
            return None
        answer = await self._send(msgspec.structs.replace(call, phase="setup"))
        for item in answers.items(answers.parsed(answer)) or ():
            if created.marker in str(item):
                return answers.identifier_in(item, [name.replace("_", "") for name in names], schema)
        return None

    async def _first_listed(self, lister: Operation, name: str, schema: Schema, identity: str, depth: int) -> Any:
        if self._stock.has_failed(lister.id, identity):
            return None
        call = await self._build(lister, identity, None, depth + 1)
        answer = await self._send(msgspec.structs.replace(call, phase="setup")) if call else None
        listed = answers.items(answers.parsed(answer)) if answer else None
        if not listed:
            self._stock.failed(lister.id, identity)
            return None
        names = [each.replace("_", "") for each in names_of(name, noun(lister))]
        return answers.identifier_in(listed[0], names, schema)

    async def _own_id(self, name: str, schema: Schema, identity: str) -> Any:
        """The signed-in identity's own id: as the service tells it, asked once, or as its token does."""
        reader = self._graph.reader_of_self()
        if not identity:
            return None
        known = self._stock.next(reader.id, identity) if reader is not None else None
        if known is None and reader is not None:
            known = await self._send(
                Call(
                    operation=reader.id,
                    method="GET",
                    path=reader.path,
                    identity=identity,
                    phase="setup",
                    document=reader.document,
                )
            )
            if known.outcome is Outcome.OK:
                self._stock.put(reader.id, identity, known)
        if known is not None and known.outcome is Outcome.OK:
            return answers.identifier(known, names_of(name, ("user",)), schema)
        own = self._subject(identity) if self._subject is not None else ""
        return own if own and answers.fits(schema, own) else None


def names_of(parameter: str, named: tuple[str, ...]) -> tuple[str, ...]:
    """The keys under which an answer may hold an identifier, the likeliest first."""
    own = "_".join(named)
    return tuple(
        dict.fromkeys(
            (
                parameter,
                f"{own}_id",
                "id",
                "uuid",
                f"{own}_uuid",
                "_id",
                "guid",
                "slug",
                "key",
                "code",
                "number",
                "name",
            )
        )
    )
