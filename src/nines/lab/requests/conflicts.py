"""Finding out what two objects of a kind must not have in common: by making one like the last, and changing one thing
at a time until it is accepted."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec

from nines.lab.requests import answers
from nines.lab.requests.graph import Graph, asks_password, stem
from nines.lab.requests.probing import Compose, Composed, Probes
from nines.lab.requests.shapes import settled, words
from nines.lab.requests.variety import ENOUGH, NEAR_DAYS, PERIOD_DAYS, Facet, Key, Path, Variety, values_at
from nines.model.contract import Operation
from nines.model.experiment import Call
from nines.model.history import Exchange, Outcome

KEYS_MAX = 3
"""So many things that refuse, each by itself, are looked for."""
KEPT_MAX = 1_000
"""So many requests are remembered until it is heard how they were answered."""
REHEARSAL = "rehearsal"
CONFLICT = 409
MAYBE = (400, 422)
_SAYS = ("already", "duplicate", "unique constraint", "taken", "in use")

Send: TypeAlias = Callable[[Call], Awaitable[Exchange]]


def is_conflict(exchange: Exchange) -> bool:
    """Whether the answer says that there is such a thing already: 409, or a 4xx that says so in words."""
    if exchange.status == CONFLICT:
        return True
    return exchange.status in MAYBE and any(word in exchange.body.lower() for word in _SAYS)


class Study:
    """Learns, once for each operation that makes or changes something, what must differ; `ready` does what comes first.

    It begins with what somebody else made, so that the only one that can be made is not taken away from them."""

    def __init__(
        self,
        graph: Graph,
        variety: Variety,
        *,
        compose: Compose,
        send: Send,
        ready: Callable[[Call], Awaitable[None]],
        say: Callable[[str], None],
        references: Callable[[Operation], list[Path]],
        fixed: Callable[[Operation, str], bool],
    ) -> None:
        self._graph = graph
        self.variety = variety
        self.compose = compose
        self._send = send
        self._ready = ready
        self._say = say
        self._references = references
        self._fixed = fixed
        self._composed: dict[tuple[str, str], Composed] = {}
        self._heard: dict[tuple[str, str], tuple[Composed, Exchange]] = {}

    def keep(self, operation: Operation, composed: Composed) -> None:
        """Remembers the last request of an operation, until it is heard how it was answered."""
        if self._comes_into_question(operation) and len(self._composed) < KEPT_MAX:
            self._composed[operation.id, composed.call.identity] = composed

    def hear(self, call: Call, answer: Exchange) -> None:
        """What a request was answered; of repetitions only the first counts, for the others must be refused."""
        place = (call.operation, call.identity)
        composed = self._composed.get(place)
        if composed is None or (composed.call.body, composed.call.path) != (call.body, call.path):
            return
        del self._composed[place]
        if answer.outcome is Outcome.OK or answer.status == CONFLICT:
            self._heard[place] = (composed, answer)
            self.variety.take(composed.kind, values_at(composed.value))

    async def learn(self, operation: Operation, identity: str) -> None:
        """Makes one that is as like the last one as it can be; where it is refused, finds out why."""
        first, answer = self._heard.get((operation.id, identity), (None, None))
        if first is None or answer is None or operation.id in self.variety.settled:
            return
        self.variety.settled.add(operation.id)
        for _ in range(KEYS_MAX):
            if answer.outcome is Outcome.OK:
                probes = Probes(self, operation, identity, _where(operation, answer), first.lasting)
                answer = await probes.same()
            if answer is None or not is_conflict(answer):
                return
            key = await self._find(operation, identity, first, answer)
            self._conclude(operation, key, answer)
            varied = _varied(self.variety, operation)
            if key == Key() or key.is_all or not first.lasting.keys() - varied:
                return
            # Once more with another of these, for there may be something else that refuses.
            answer = msgspec.structs.replace(answer, outcome=Outcome.OK)

    def _comes_into_question(self, operation: Operation) -> bool:
        if operation.id in self.variety.settled or operation.body is None:
            return False
        changes = operation.method in ("PUT", "PATCH") and operation.path.endswith("}")
        return (changes or operation in self._graph.creators) and not asks_password(operation)

    def _is_below(self, operation: Operation) -> bool:
        """Whether it makes something below a parent in its path."""
        return operation.method == "POST" and bool(operation.path_parameters)

    async def sent(self, composed: Composed | None) -> Exchange | None:
        if composed is None:
            return None
        await self._ready(composed.call)
        answer = await self._send(msgspec.structs.replace(composed.call, phase=REHEARSAL))
        self.variety.take(composed.kind, values_at(composed.value))
        return answer

    async def _find(self, operation: Operation, identity: str, base: Composed, refusal: Exchange) -> Key:
        """Changes one thing at a time, what the refusal names first; then everything at once."""
        assert operation.body is not None
        alike = base.lasting
        probes = Probes(self, operation, identity, _where(operation, refusal), alike)
        varied = _varied(self.variety, operation)
        references = [path for path in self._references(operation) if path in alike and path not in varied]
        free = {path: value for path, value in alike.items() if path not in (*references, *varied)}
        free = {path: value for path, value in free.items() if not self._fixed(operation, path[-1])}
        named = _named(refusal)
        facets = self.variety.facets(settled(operation.body.schema), base.value, free)
        facets.sort(key=lambda facet: not any(_words_of(part.name) & named for part in facet.parts))
        key = Key()
        for facet in facets:
            if await probes.facet(facet):
                key = msgspec.structs.replace(key, facets=(*key.facets, facet))
                if self._is_enough(facet):
                    break
        if not any(self._is_enough(facet) for facet in key.facets):
            for path in references:
                if await probes.differs(anew=(path,)):
                    key = msgspec.structs.replace(key, references=(*key.references, path))
            if self._is_below(operation) and await probes.differs(is_elsewhere=True):
                key = msgspec.structs.replace(key, is_path=True)
        if key.has_parents:
            key = msgspec.structs.replace(key, facets=tuple(_near(facet) for facet in key.facets))
        if key == Key() and (len(facets) > 1 or references):
            key = await self._together(probes, operation, facets, tuple(references)) or key
        return key

    def _is_enough(self, facet: Facet) -> bool:
        return self.variety.has(facet, ENOUGH) and not facet.is_of_days

    async def _together(
        self, probes: Probes, operation: Operation, facets: list[Facet], references: tuple[Path, ...]
    ) -> Key | None:
        """What must be changed at once, for no single change is enough: everything without what can be left alone."""
        is_path = self._is_below(operation)
        if not await probes.together(facets, references, is_path=is_path):
            return None
        for facet in tuple(facets):
            rest = [each for each in facets if each != facet]
            if await probes.together(rest, references, is_path=is_path):
                facets = rest
        for path in references:
            others = tuple(each for each in references if each != path)
            if await probes.together(facets, others, is_path=is_path):
                references = others
        if is_path and (facets or references) and await probes.together(facets, references, is_path=False):
            is_path = False
        return Key(facets=tuple(facets), references=references, is_path=is_path, is_all=True)

    def _conclude(self, operation: Operation, key: Key, refusal: Exchange) -> None:
        names = [facet.name for facet in key.facets] + [path[-1] for path in key.references]
        names += ["the parent in its path"] if key.is_path else []
        if key == Key():
            if operation.method == "POST":
                self._say(
                    f"{operation.id}: a second one is answered {refusal.status}, whatever of it is changed, "
                    "so that only one could be made"
                )
            return
        self.variety.learn(operation.id, key)
        self._say(
            f"{operation.id}: a second one with the same {' and '.join(names)} is answered {refusal.status}, "
            "so each gets another"
        )


def _varied(variety: Variety, operation: Operation) -> set[Path]:
    """What is known already to need another value each time."""
    keys = variety.keys(operation.id)
    parts = {part.path for key in keys for facet in key.facets for part in facet.parts}
    return parts | {path for key in keys for path in key.references}


def _near(facet: Facet) -> Facet:
    """Days within a year, where another parent can be had after that."""
    places = NEAR_DAYS if len(facet.parts) == 1 else NEAR_DAYS // PERIOD_DAYS
    return msgspec.structs.replace(facet, places_max=places) if facet.is_of_days else facet


def _where(operation: Operation, answer: Exchange) -> Exchange | None:
    """Below the same parent for what is made; what is changed is another object each time."""
    return answer if operation.method == "POST" else None


def _named(refusal: Exchange) -> set[str]:
    """The words of what the refusal says."""
    body = answers.parsed(refusal)
    text = json.dumps(body) if body is not None else refusal.body
    return set(words(text[:4_000]))


def _words_of(name: str) -> set[str]:
    return set(stem(name) or words(name))
