"""Asking for one more object with one thing changed, to see what must differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from nines.lab.requests.graph import noun
from nines.lab.requests.variety import PARENT, Facet, Path, Variety, values_at
from nines.model.contract import Operation
from nines.model.experiment import Call
from nines.model.history import Exchange, Outcome
from nines.model.record import Record

PROBES_MAX = 24
"""So many requests may it take to find out what must differ."""
VALUES_MAX = 2
"""So many values of one field are tried before another field is."""
ONCE = -1
"""What is made anew for one request only is not remembered."""


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
        anew: Mapping[Path, int] | None = None,
    ) -> Composed | None: ...


class Requesting(Protocol):
    """How what was put together is sent, and what is known of values."""

    variety: Variety
    compose: Compose

    async def sent(self, composed: Composed | None) -> Exchange | None: ...


def kind_of(operation: Operation) -> str:
    return " ".join(noun(operation))


class Probes:
    """The requests by which one refusal is examined, at most PROBES_MAX."""

    def __init__(
        self,
        request: Requesting,
        operation: Operation,
        identity: str,
        where: Exchange | None,
        alike: dict[Path, Any],
    ) -> None:
        self._request = request
        self._operation = operation
        self._identity = identity
        self._where = where
        self._alike = alike
        self._left = PROBES_MAX

    async def same(self) -> Exchange | None:
        """The answer to another that is as like the first as it may be for all that is known."""
        return await self._asked({}, (), is_elsewhere=False)

    async def facet(self, facet: Facet) -> bool:
        """Whether another value of this alone is enough."""
        for _ in range(VALUES_MAX):
            if await self.differs(self._another(facet)):
                return True
        return False

    async def together(self, facets: list[Facet], references: tuple[Path, ...], *, is_path: bool) -> bool:
        """Whether other values of all these are enough."""
        values: dict[Path, Any] = {}
        for facet in facets:
            values |= self._another(facet)
        return await self.differs(values, references, is_elsewhere=is_path)

    async def differs(
        self,
        values: Mapping[Path, Any] | None = None,
        anew: tuple[Path, ...] = (),
        *,
        is_elsewhere: bool = False,
    ) -> bool:
        """Whether it succeeds with these values, with those references made anew, or below another parent."""
        if self._left <= 0:
            return False
        self._left -= 1
        answer = await self._asked(values or {}, anew, is_elsewhere=is_elsewhere)
        return answer is not None and answer.outcome is Outcome.OK

    def _another(self, facet: Facet) -> dict[Path, Any]:
        """Other values than those that were refused."""
        kind = kind_of(self._operation)
        values = self._request.variety.another(kind, facet)
        is_same = all(self._alike.get(path) == value for path, value in values.items())
        return self._request.variety.another(kind, facet) if is_same else values

    async def _asked(
        self, values: Mapping[Path, Any], anew: tuple[Path, ...], *, is_elsewhere: bool
    ) -> Exchange | None:
        keys = self._request.variety.keys(self._operation.id)
        given = {**self._alike, **values}
        for key in keys:
            for facet in key.facets:
                given |= self._another(facet)
        renewed = (*anew, *(path for key in keys for path in key.references))
        where = None if is_elsewhere or any(key.is_path for key in keys) else self._where
        parents = dict.fromkeys((*renewed, *(() if where is not None else (PARENT,))), ONCE)
        kept = {path: value for path, value in given.items() if path not in renewed}
        composed = await self._request.compose(self._operation, self._identity, where, given=kept, anew=parents)
        return await self._request.sent(composed)
