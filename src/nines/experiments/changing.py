"""Changes of one's own account: by newcomers, who see afterwards whether what was acknowledged is there."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nines.checkers.registers import is_lost
from nines.experiments import judging
from nines.experiments.choosing import attempt, is_door, path_words
from nines.model.contract import Operation
from nines.model.experiment import Bench, Share
from nines.model.history import Check, Exchange, Outcome

UPDATERS = 4
"""Newcomers who change their own accounts before a crash; each crash gets its own, so that none hides another."""
GONE = (404, 410)
CONTROL, READ_BACK = "control", "read back"
_ENDING = frozenset(("password", "email", "deactivate", "delete", "close", "role", "roles", "avatar"))
_SELF = frozenset(("me", "self", "current", "user", "profile", "account"))


def updates_of_self(bench: Bench) -> Operation | None:
    """The operation by which somebody changes their own account without changing how they sign in."""
    door = bench.registration()
    reader = bench.reader_of(door) if door is not None else None
    paths = [get.path for get in bench.contract.operations if get.method == "GET" and _is_self(get)]
    if reader is not None:
        paths.append(reader.path)
    found = [
        operation
        for operation in bench.contract.operations
        if operation.method in ("PATCH", "PUT")
        and operation.path in paths
        and not operation.is_deprecated
        and not path_words(operation) & _ENDING
        and not (operation.method == "PUT" and is_door(operation))
    ]
    return min(found, key=lambda o: (o.method != "PATCH", is_door(o), len(o.path_parameters)), default=None)


def _is_self(operation: Operation) -> bool:
    last = operation.path.rstrip("/").rpartition("/")[2].lower()
    return operation.is_secured and last in _SELF


async def updating(bench: Bench, update: Operation) -> list[Share]:
    """Newcomers whose change of their own account shows itself to them on the healthy system: the control."""
    found: list[Share] = []
    for newcomer in await bench.newcomers(UPDATERS):
        call = await bench.prepare(update, newcomer.identity)
        if call is None or not call.marker:
            bench.skip(update.id, "no change of one's own account could be made that can be found again")
            break
        answer = await bench.send(msgspec.structs.replace(call, phase=CONTROL))
        seen = await _own(bench, update, newcomer.identity)
        if answer.outcome is not Outcome.OK or seen is None or call.marker not in seen.body:
            bench.skip(update.id, f"a change of one's own account is not seen again: {judging.answered(answer)}")
            break
        found.append(Share(operation=update.id, identity=newcomer.identity))
    return found


async def _own(bench: Bench, update: Operation, identity: str) -> Exchange | None:
    """The account as its owner reads it."""
    reader = bench.contract.at("GET", update.path)
    tried = await attempt(bench, reader, identity, READ_BACK) if reader is not None else None
    return tried[1] if tried is not None else None


async def read_updates(bench: Bench, update: Operation, shares: Sequence[Share], *, during: str) -> None:
    """Whether each account is as its last acknowledged change left it."""
    for share in shares:
        sent = [
            (index, e)
            for index, e in judging.indexed(bench.history(), during)
            if e.operation == update.id and e.identity == share.identity and e.marker
        ]
        acknowledged = [index for index, e in sent if e.outcome is Outcome.OK]
        seen = await _own(bench, update, share.identity) if acknowledged else None
        if seen is None:
            continue
        lost = is_lost([e for _, e in sent], [e.marker for _, e in sent if e.marker in seen.body])
        bench.check(
            Check(
                subject=update.id,
                variant=READ_BACK,
                expected="the last acknowledged change",
                got=judging.answered(seen),
                passed=not lost if seen.outcome is Outcome.OK else False if seen.status in GONE else None,
                exchanges=(acknowledged[-1], bench.last()),
            )
        )
