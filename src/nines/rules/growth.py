"""How the rows of a table come to be: with traffic, by an operator's hand, or unseen."""

from __future__ import annotations

import re
from enum import Enum

from nines.model.effect import Condition, Effect
from nines.model.schema import Table
from nines.model.service import Endpoint, EndpointKind, GuardKind, Service

_OPERATOR = re.compile(
    r"admin|superuser|staff|backoffice|operator|setup|install|configuration|(?:^|/)(?:settings?|preferences|config)/"
)
"""In a path or the name of a guard: only those who run the service come here, or it is set once and for all."""
_IS_OPERATOR = re.compile(r"admin|superuser|is_?staff")
"""In the text of a test that stands before a statement."""
_PEOPLE_OR_USE = re.compile(
    r"user|customer|member|event|log|histor|message|comment|notification|submission|activit|audit|track|transaction|order"
    r"|payment|invoice|ping|metric|measure|sample|reading|record|visit|click|session|job|execution|deliver|attempt|post"
    r"|finding|alert|ticket|entr(?:y|ies)|upload|document"
)
"""Rows that can hardly come by hand, wherever they are made."""
_INSTANT = re.compile(r"time|date")


class Growth(Enum):
    """Where the rows of a table come from."""

    USE = "use"
    """Whoever uses the service adds rows."""
    OPERATORS = "operators"
    """Only endpoints of those who run the service add rows."""
    BY_HAND = "by hand"
    """Only commands do, or nothing that was read while other tables are filled."""
    LIKELY = "likely"
    """Nothing was seen that adds rows, but what the rows are comes with use."""
    UNKNOWN = "unknown"


def is_operated(endpoint: Endpoint) -> bool:
    """Whether only those who run the service come here."""
    names = (guard.name for guard in endpoint.guards if guard.kind is not GuardKind.RATE_LIMIT)
    return any(_OPERATOR.search(text.lower()) for text in (endpoint.path, *names))


def comes_with_use(name: str) -> bool:
    """Whether rows of this name can hardly be written by hand."""
    return bool(_PEOPLE_OR_USE.search(name.rpartition("_")[2]))


def last_word(effect: Effect) -> str:
    """Of the table's name: what its rows are."""
    return effect.target.rpartition("_")[2]


def is_its_list(endpoint: Endpoint, effect: Effect) -> bool:
    """Whether the endpoint is there to list exactly these rows."""
    last = endpoint.path.strip("/").rpartition("/")[2].lower().replace("-", "_").removesuffix("s")
    names = {name.removesuffix("s") for name in (effect.target, last_word(effect), effect.target.partition("_")[2])}
    return endpoint.kind is EndpointKind.HTTP and endpoint.is_safe and bool(last) and last in names


class Growing:
    """Answers for the tables of one service."""

    def __init__(self, service: Service) -> None:
        self._by_use: set[str] = set()
        self._by_operators: set[str] = set()
        for endpoint, trace in service.judged():
            if endpoint.kind is EndpointKind.COMMAND:
                continue
            is_closed = is_operated(endpoint)
            for _, effect in trace.writes():
                if effect.action.upper() in ("INSERT", "UPSERT"):
                    is_theirs = is_closed or _is_for_operators(effect)
                    (self._by_operators if is_theirs else self._by_use).add(effect.target)

    def of(self, name: str, table: Table | None) -> Growth:
        if name in self._by_use:
            return Growth.OPERATORS if _is_reference(name, table) else Growth.USE
        if comes_with_use(name):
            return Growth.USE if name in self._by_operators else Growth.LIKELY
        if name in self._by_operators:
            return Growth.OPERATORS
        # A row that was added to a table that was not understood may have been this one's.
        is_seen = bool(self._by_use | self._by_operators) and "" not in self._by_use
        return Growth.BY_HAND if is_seen else Growth.UNKNOWN


def _is_for_operators(effect: Effect) -> bool:
    return any(_lets_operators_in(condition) for condition in effect.conditions)


def _lets_operators_in(condition: Condition) -> bool:
    is_denied = condition.text.startswith("not ")
    return condition.arm == int(is_denied) and bool(_IS_OPERATOR.search(condition.text.lower()))


def _is_reference(name: str, table: Table | None) -> bool:
    """A list of names that others refer to: it belongs to nothing and has no time."""
    if table is None or not table.is_complete or comes_with_use(name):
        return False
    return not any(c.references or _INSTANT.search(c.type) or _INSTANT.search(c.name) for c in table.columns)
