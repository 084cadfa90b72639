"""The notation for an observed trace on a page.

The fence names the endpoint; each line is a moment, what was seen, and words about it:

    0.001 BEGIN
    0.002 SELECT books WHERE id x40 per shelves rows=many limit
    0.010 POST gateway /charges 1.204s error=timeout key
    0.020 PUBLISH celery
    0.030 COMMIT
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from nines.model.effect import Effect, EffectKind, Known, Loop, Predicate, Rows
from nines.model.origin import Origin, OriginKind
from nines.model.place import Place
from nines.model.service import Endpoint, EndpointKind, Service
from nines.model.trace import Trace, Transaction, Witness
from tests.rules.cases import without_mark

_BOUNDS = {"BEGIN": EffectKind.BEGIN, "COMMIT": EffectKind.COMMIT, "ROLLBACK": EffectKind.ROLLBACK}
_STATEMENTS = {"SELECT": EffectKind.DATABASE_READ}
_STATEMENTS |= dict.fromkeys(("INSERT", "UPDATE", "DELETE"), EffectKind.DATABASE_WRITE)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_BOUND = (Origin(kind=OriginKind.UNKNOWN),)


def service_of(endpoint: str, text: str) -> Service:
    """A service that has this one endpoint and this one trace."""
    method, _, path = endpoint.partition(" ")
    return Service(
        name="observed",
        endpoints=(
            Endpoint(
                id=endpoint,
                kind=EndpointKind.HTTP,
                function=f"app.{method.lower()}",
                place=Place(file="app.py", line=1),
                method=method,
                path=path,
            ),
        ),
        traces=(trace_of(endpoint, text),),
    )


def trace_of(endpoint: str, text: str) -> Trace:
    effects: list[Effect] = []
    transactions: list[Transaction] = []
    current: int | None = None
    for number, line in enumerate(text.splitlines()):
        words = without_mark(line).split()
        if not words:
            continue
        at_s, verb = float(words[0]), words[1]
        if verb == "BEGIN":
            current = len(transactions)
            transactions.append(Transaction(ordinal=current))
        effect, times = _effect(verb, words[2:], effects, loop=number)
        effects += [_placed(effect, current, at_s)] * times
        if verb in ("COMMIT", "ROLLBACK"):
            current = None
    return Trace(endpoint=endpoint, witness=Witness.OBSERVED, effects=tuple(effects), transactions=tuple(transactions))


def _placed(effect: Effect, transaction: int | None, at_s: float) -> Effect:
    return replace(effect, transaction=transaction, at_s=at_s)


def _effect(verb: str, words: list[str], before: list[Effect], *, loop: int) -> tuple[Effect, int]:
    if verb in _BOUNDS:
        return Effect(kind=_BOUNDS[verb], dependency="database"), 1
    if verb == "PUBLISH":
        return Effect(kind=EffectKind.PUBLISH, target=words[0], action="LPUSH", dependency="redis"), 1
    if verb in _METHODS and len(words) > 1 and words[1].startswith("/"):
        return _request(verb, words), 1
    return _statement(verb, words, before, loop=loop)


def _request(verb: str, words: list[str]) -> Effect:
    flags = words[2:]
    took = next((float(word[:-1]) for word in flags if re.fullmatch(r"[\d.]+s", word)), None)
    return Effect(
        kind=EffectKind.REMOTE_CALL,
        action=verb,
        target=words[0] + words[1],
        dependency=words[0],
        text=f"{verb} {words[1]}",
        duration_s=took,
        error=next((word.partition("=")[2] for word in flags if word.startswith("error=")), ""),
        idempotency=Known.UNKNOWN if verb == "GET" else Known.SET if "key" in flags else Known.MISSING,
    )


def _statement(verb: str, words: list[str], before: list[Effect], *, loop: int) -> tuple[Effect, int]:
    table, flags = words[0], words[1:]
    columns = flags[flags.index("WHERE") + 1].split(",") if "WHERE" in flags else []
    times = next((int(word[1:]) for word in flags if re.fullmatch(r"x\d+", word)), 1)
    driver = None
    if "per" in flags:
        name = flags[flags.index("per") + 1]
        driver = next(i for i, e in reversed(list(enumerate(before))) if e.target == name)
    rows = next((Rows(word.partition("=")[2]) for word in flags if word.startswith("rows=")), Rows.UNKNOWN)
    effect = Effect(
        kind=_STATEMENTS[verb],
        action=verb,
        target=table,
        text=f"{verb} {table} {' '.join(columns)}".strip(),
        dependency="database",
        predicates=tuple(Predicate(column=column, origins=_BOUND) for column in columns),
        predicates_known=True,
        rows=rows,
        limit=Known.MISSING if "no-limit" in flags else Known.SET if "limit" in flags else Known.UNKNOWN,
        locks_rows="lock" in flags,
        loops=(Loop(ordinal=loop, effect=driver),) if times > 1 else (),
    )
    return effect, times
