"""Commands that repeat what broke a claim, with what must be known and what must be so when they are run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from nines.model.experiment import FaultKind
from nines.model.history import Credential, Exchange, History, Mark

REPRODUCTIONS_MAX = 5
WORTH_SAYING_S = 0.1
"""How long somebody must have waited for an answer that the wait is told with it."""
_VARIABLE = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)")
_FAULTS = {
    FaultKind.DELAY: "every answer is late",
    FaultKind.STALL: "its connections stay open, and not a byte moves",
    FaultKind.RESET: "every connection to it is reset",
    FaultKind.REFUSE: "it refuses connections",
    FaultKind.CUT_REPLY: "it gets the request, and its reply is cut off",
    FaultKind.LIMIT: "it is slow to transmit",
    FaultKind.ERROR: "it answers with an error",
}


def reproductions(history: History, offenders: Iterable[int]) -> tuple[str, ...]:
    """One text for each of the first offenders that differ; a variable is explained where it is used first."""
    explained: set[str] = set()
    told: set[tuple[str, str]] = set()
    found: list[str] = []
    for index in offenders:
        exchange = history.exchanges[index]
        together = _together(exchange, history)
        command, answer = _command(exchange, history), _answer(exchange)
        if len(together) > 1:
            command = f"for each in $(seq {len(together)}); do {command} & done; wait"
            counts = Counter(map(_outcome, together))
            answer = ", ".join(f"{times} \N{MULTIPLICATION SIGN} {outcome}" for outcome, times in counts.most_common())
        kind = (command, "" if len(together) > 1 else _outcome(exchange))
        if len(found) == REPRODUCTIONS_MAX or kind in told:
            continue
        told.add(kind)
        lines = [*_variables(command, history.credentials, explained), *_circumstances(exchange, history)]
        found.append("\n".join([*lines, command, f"# answered: {answer}"]))
    return tuple(found)


def _together(exchange: Exchange, history: History) -> list[Exchange]:
    """Those that were released at the same moment."""
    if not exchange.group:
        return [exchange]
    kind = (exchange.group, exchange.phase, exchange.operation)
    return [each for each in history.exchanges if (each.group, each.phase, each.operation) == kind]


def _command(exchange: Exchange, history: History) -> str:
    if exchange.curl:
        return exchange.curl
    kind = (exchange.operation, exchange.identity)
    alike = next((e.curl for e in history.exchanges if e.curl and (e.operation, e.identity) == kind), "")
    return alike or f"{exchange.method} {exchange.path} as {exchange.identity or 'anonymous'}"


def _answer(exchange: Exchange) -> str:
    waited_s = exchange.ended_s - exchange.sent_s
    return _outcome(exchange) + (f" after {waited_s:.1f} s" if waited_s >= WORTH_SAYING_S else "")


def _outcome(exchange: Exchange) -> str:
    return str(exchange.status) if exchange.status is not None else exchange.error or "no answer"


def _variables(command: str, credentials: tuple[Credential, ...], explained: set[str]) -> Iterator[str]:
    """How to get what stands in the command, what that needs itself first."""
    for variable in _VARIABLE.findall(command):
        known = next((each for each in credentials if each.variable == variable), None)
        if known is not None and variable not in explained:
            explained.add(variable)
            yield from _variables(known.how, credentials, explained)
            yield f"# ${variable}: {known.how}"


def _circumstances(exchange: Exchange, history: History) -> Iterator[str]:
    """What was wrong with a dependency, who was dead, and which load there was while it was under way."""
    faults: dict[tuple[str, str], Mark] = {}
    loads: dict[str, Mark] = {}
    killed: dict[str, Mark] = {}
    for mark in history.marks:
        if mark.time_s > exchange.ended_s:
            break
        if mark.event == "fault on":
            faults[mark.name, mark.detail] = mark
        elif mark.event == "fault off" and mark.time_s <= exchange.sent_s:
            faults.pop((mark.name, mark.detail), None)
        elif mark.event == "killed":
            killed[mark.name] = mark
        elif mark.event == "ready" and mark.time_s <= exchange.sent_s:
            killed.pop(mark.name, None)
        elif mark.event == "load on":
            loads[mark.name] = mark
        elif mark.event == "load off" and mark.time_s <= exchange.sent_s:
            loads.pop(mark.name, None)
    for name, kind in faults:
        yield f"# while there is a fault at {name}: {_told(kind)}"
    yield from (f"# while the {name} is being killed and started again" for name in killed)
    yield from (f"# under a load of {mark.detail}" for mark in loads.values() if mark.detail)


def _told(kind: str) -> str:
    return next((words for known, words in _FAULTS.items() if known.value == kind), kind)
