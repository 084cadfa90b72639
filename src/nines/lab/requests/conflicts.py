"""Finding out what two objects of a kind must not have in common: by making one like the last, and changing one thing
at a time until it is accepted."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

import msgspec

from nines.lab.requests import answers
from nines.lab.requests.graph import Graph, asks_password, noun, stem
from nines.lab.requests.shapes import settled, words
from nines.lab.requests.variety import ENOUGH, NEAR_DAYS, PERIOD_DAYS, Facet, Key, Path, Variety, values_at
from nines.model.contract import Operation
from nines.model.experiment import Call
from nines.model.history import Exchange, Outcome
from nines.model.record import Record

PROBES_MAX = 24
"""So many requests may it take to find out what must differ."""
VALUES_MAX = 2
"""So many values of one field are tried before another field is."""
KEPT_MAX = 1_000
"""So many requests are remembered until it is heard how they were answered."""
REHEARSAL = "rehearsal"
CONFLICT = 409
MAYBE = (400, 422)
_SAYS = ("already", "duplicate", "unique constraint", "taken", "in use")

PARENT: Path = ("/",)
"""Stands for the parent in an operation's path among the references that are made anew."""

Send: TypeAlias = Callable[[Call], Awaitable[Exchange]]


class Composed(Record):
    """A request with the value of its body before it was written down."""

    call: Call
    kind: str = ""
    """Of what it makes or changes: the noun of its collection."""
    value: Any = None
    renewed: frozenset[str] = frozenset()
    """The names of fields that are different in every request."""

    @property
    def lasting(self) -> dict[Path, Any]:
        """The values that the next request may have as well, by their places."""
        marker = self.call.marker
        return {
            path: value
            for path, value in values_at(self.value).items()
            if not ({*path} & self.renewed) and not (marker and isinstance(value, str) and marker in value)
        }


class Compose(Protocol):
    """How a request is put together; `given` are values that it must have, `anew` references that it must make anew."""

    async def __call__(
        self,
        operation: Operation,
        identity: str,
        created: Exchange | None,
        *,
        given: Mapping[Path, Any] | None = None,
        anew: tuple[Path, ...] = (),
    ) -> Composed | None: ...


def is_conflict(exchange: Exchange) -> bool:
    """Whether the answer says that there is such a thing already: 409, or a 4xx that says so in words."""
    if exchange.status == CONFLICT:
        return True
    return exchange.status in MAYBE and any(word in exchange.body.lower() for word in _SAYS)


def kind_of(operation: Operation) -> str:
    return " ".join(noun(operation))


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
        if answer.outcome is Outcome.OK:
            again = await self.compose(operation, identity, _where(operation, answer), given=first.lasting)
            answer = await self.sent(again) or answer
            if not is_conflict(answer):
                return
        await self._find(operation, identity, first, answer)

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

    async def _find(self, operation: Operation, identity: str, base: Composed, refusal: Exchange) -> None:
        """Changes one thing at a time, what the refusal names first; then everything at once."""
        assert operation.body is not None
        alike = base.lasting
        probes = _Probes(self, operation, identity, _where(operation, refusal), alike)
        references = [path for path in self._references(operation) if path in alike]
        free = {path: value for path, value in alike.items() if path not in references}
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
                if await probes.given(alike, anew=(path,)):
                    key = msgspec.structs.replace(key, references=(*key.references, path))
            if self._is_below(operation) and await probes.elsewhere():
                key = msgspec.structs.replace(key, is_path=True)
        if key.has_parents:
            key = msgspec.structs.replace(key, facets=tuple(_near(facet) for facet in key.facets))
        if key == Key() and (len(facets) > 1 or references):
            key = await self._together(probes, operation, facets, tuple(references)) or key
        self._conclude(operation, key, refusal)

    def _is_enough(self, facet: Facet) -> bool:
        return self.variety.has(facet, ENOUGH) and not facet.is_of_days

    async def _together(
        self, probes: _Probes, operation: Operation, facets: list[Facet], references: tuple[Path, ...]
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


class _Probes:
    """The requests by which one refusal is examined, at most PROBES_MAX."""

    def __init__(
        self,
        study: Study,
        operation: Operation,
        identity: str,
        where: Exchange | None,
        alike: dict[Path, Any],
    ) -> None:
        self._study = study
        self._operation = operation
        self._identity = identity
        self._where = where
        self._alike = alike
        self._left = PROBES_MAX

    async def facet(self, facet: Facet) -> bool:
        """Whether another value of this alone is enough."""
        for _ in range(VALUES_MAX):
            if await self.given({**self._alike, **self._another(facet)}):
                return True
        return False

    def _another(self, facet: Facet) -> dict[Path, Any]:
        """Other values than those that were refused."""
        kind = kind_of(self._operation)
        values = self._study.variety.another(kind, facet)
        is_same = all(self._alike.get(path) == value for path, value in values.items())
        return self._study.variety.another(kind, facet) if is_same else values

    async def given(self, given: Mapping[Path, Any], *, anew: tuple[Path, ...] = ()) -> bool:
        """Whether a request with these values, and those references made anew, succeeds below the same parent."""
        kept = {path: value for path, value in given.items() if path not in anew}
        return await self._succeeds(self._where, kept, anew)

    async def elsewhere(self) -> bool:
        """Whether the same below another parent succeeds."""
        return await self._succeeds(None, self._alike, ())

    async def together(self, facets: list[Facet], references: tuple[Path, ...], *, is_path: bool) -> bool:
        """Whether other values of all these are enough."""
        values: dict[Path, Any] = {}
        for facet in facets:
            values |= self._another(facet)
        kept = {path: value for path, value in {**self._alike, **values}.items() if path not in references}
        return await self._succeeds(None if is_path else self._where, kept, references)

    async def _succeeds(self, where: Exchange | None, given: Mapping[Path, Any], anew: tuple[Path, ...]) -> bool:
        if self._left <= 0:
            return False
        self._left -= 1
        study = self._study
        composed = await study.compose(
            self._operation, self._identity, where, given=given, anew=(*anew, *(() if where else (PARENT,)))
        )
        answer = await study.sent(composed)
        return answer is not None and answer.outcome is Outcome.OK


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
