"""Valid requests for any operation, after creating whatever they refer to."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

import msgspec

from nines.lab.requests.builder import Builder
from nines.lab.requests.graph import Graph
from nines.lab.requests.headers import KEY_HEADERS, fresh_key
from nines.lab.requests.listing import PAGES_MAX, Listing, page_of
from nines.lab.requests.mutants import mutants_of
from nines.lab.requests.supply import Send
from nines.lab.requests.variety import Variety
from nines.model.contract import Contract, Operation
from nines.model.experiment import Call, Mutant
from nines.model.history import Exchange, Outcome, Seen

Note: TypeAlias = Callable[[str], None]

FIND_MAX = 500
"""How many objects are read back one by one."""
PARENTS_MAX = 20
"""How many different lists are walked for one reading."""


class Planner:
    """Plans requests against one running service; everything that it creates for later use is in its stock.

    `send` adds the identity's credentials and never raises for what the service does. `note` takes why something
    could not be built. `admin` and `helpers` are identities that do what has to be done first and is forbidden to the
    one who asks. `subject` tells whom an identity's token speaks of. A planner is as short-lived as the service's data:
    make a new one for a fresh database; `variety` keeps what was learnt beyond that."""

    def __init__(
        self,
        contract: Contract,
        *,
        send: Send,
        note: Note,
        seed: int,
        today: date,
        values: Mapping[str, Any] | None = None,
        admin: str = "",
        helpers: tuple[str, ...] = (),
        subject: Callable[[str], str] | None = None,
        variety: Variety | None = None,
    ) -> None:
        self.contract = contract
        self.graph = Graph(contract)
        self._sends = send
        self._note = note
        self._rng = random.Random(seed)  # noqa: S311 - repeatable on purpose, not a secret.
        self._seed = seed
        self._values = dict(values or {})
        self._said: set[str] = set()
        self._builder = Builder(
            contract,
            self.graph,
            send=self._send,
            say=self._say,
            rng=self._rng,
            today=today,
            values=self._values,
            helpers=(*filter(None, (admin,)), *helpers),
            variety=variety or Variety(seed, today),
            subject=subject,
        )

    def creators(self) -> tuple[Operation, ...]:
        return self.graph.creators

    def reader_of(self, operation: Operation) -> Operation | None:
        return self.graph.reader_of(operation)

    def lister_of(self, operation: Operation) -> Operation | None:
        return self.graph.lister_of(operation)

    def mutants(self, call: Call, limit: int) -> tuple[Mutant, ...]:
        operation = self.contract.operation(call.operation)
        return mutants_of(operation, call, limit, self._seed) if operation else ()

    async def prepare(self, operation: Operation, identity: str, *, like: Call | None = None) -> Call | None:
        """A valid request with fresh unique values; `like` repeats one with another idempotency key."""
        if like is not None:
            return self.again(like, identity)
        await self._builder.supplier.rehearse(operation, identity)
        if not self._builder.supplier.needs_steps(operation):
            await self._builder.study.learn(operation, identity)
        call = await self._builder.build(operation, identity, None, 0)
        if call is not None:
            await self._builder.supplier.make_ready(call)
        return call

    def is_single(self, operation: Operation) -> bool:
        """Whether a request of it may be sent once only, however its marker is renewed: what must differ is learnt."""
        return self._builder.is_single(operation)

    def again(self, call: Call, identity: str) -> Call:
        """The same request under a new idempotency key."""
        key = fresh_key(self._rng) if call.key else ""
        headers = tuple((n, key if n.lower() in KEY_HEADERS else value) for n, value in call.headers)
        return msgspec.structs.replace(call, identity=identity, headers=headers, key=key)

    async def prepare_read(self, created: Exchange, identity: str) -> Call | None:
        creator = self.contract.operation(created.operation)
        reader = self.graph.reader_of(creator) if creator else None
        if creator is None or reader is None:
            self._say(f"{created.operation}: no operation reads back what it creates")
            return None
        return await self._builder.build(reader, identity, created, 0)

    async def prepare_on(self, operation: Operation, created: Exchange, identity: str) -> Call | None:
        """A request of `operation` on the object that `created` made; None when no value can be found for it."""
        await self._builder.supplier.rehearse(operation, created.identity)
        call = await self._builder.build(operation, identity, created, 0)
        if call is not None:
            await self._builder.supplier.make_ready(call)
        return call

    async def find(
        self, creator: Operation, markers: Sequence[str], identity: str, exchanges: Sequence[Exchange]
    ) -> tuple[Seen, ...] | None:
        """How often each marker exists, by reading single objects and lists back; None when there is no way.

        `exchanges` are those in which the markers were sent, for the identifiers in their answers."""
        by_marker = {each.marker: each for each in exchanges if each.marker}
        reader = self.graph.reader_of(creator)
        listed = await self._listed(creator, identity, [by_marker[m] for m in markers if m in by_marker])
        if listed is None and reader is None:
            return None
        counts = {marker: listed.count(marker) if listed is not None else 0 for marker in markers}
        for marker in [m for m in markers if counts[m] == 0 and m in by_marker][:FIND_MAX]:
            created = by_marker[marker]
            if created.outcome is Outcome.OK and reader is not None:
                call = await self.prepare_read(created, identity)
                answer = await self._send(msgspec.structs.replace(call, phase="find")) if call else None
                counts[marker] = int(answer is not None and answer.status == 200 and marker in answer.body)
        return tuple(Seen(marker=marker, count=count) for marker, count in counts.items())

    async def _listed(self, creator: Operation, identity: str, exchanges: Sequence[Exchange]) -> Listing | None:
        """Every page of the lists in which what `creator` made should stand: one for each parent."""
        lister = self.graph.lister_of(creator)
        if lister is None:
            return None
        found = Listing()
        parents = {each.path: each for each in exchanges}
        for created in list(parents.values())[:PARENTS_MAX]:
            call = await self._builder.build(lister, identity, created, 0)
            for page in range(PAGES_MAX if call is not None else 0):
                target = page_of(lister, call.path, page, self._values) if call is not None else None
                if call is None or target is None:
                    break
                answer = await self._send(msgspec.structs.replace(call, path=target, phase="find"))
                if answer.outcome is not Outcome.OK or not found.add(answer):
                    break
        return found

    def hear(self, call: Call, answer: Exchange) -> None:
        """Tells what a request that was prepared here was answered, so that the next one can be made otherwise."""
        self._builder.study.hear(call, answer)

    async def _send(self, call: Call) -> Exchange:
        answer = await self._sends(call)
        self.hear(call, answer)
        return answer

    def _say(self, text: str) -> None:
        """Notes a reason once."""
        if text not in self._said:
            self._said.add(text)
            self._note(text)
