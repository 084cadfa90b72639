"""Accounts as objects of experiments: who may list them, how long making one takes, and what changes one's own."""

from __future__ import annotations

import msgspec

from nines.experiments import judging
from nines.experiments.choosing import ANSWER_LIMIT_S, actors, is_door, path_words
from nines.model.contract import Operation
from nines.model.experiment import Bench, Call
from nines.model.history import Exchange, Outcome

_ENDING = frozenset(("password", "email", "deactivate", "delete", "close", "role", "roles", "avatar"))


def makers(bench: Bench, creator: Operation) -> tuple[str, ...]:
    """As whom accounts are made: as nobody where strangers register, else as whoever may."""
    return actors(bench) if creator.is_secured else ("",)


async def made(bench: Bench, creator: Operation, phase: str) -> tuple[Call, Exchange] | None:
    """An account by the first who may make one, and the answer; None where no valid request could be made."""
    tried: tuple[Call, Exchange] | None = None
    for identity in makers(bench, creator):
        call = await bench.prepare(creator, identity)
        if call is None:
            continue
        call = msgspec.structs.replace(call, phase=phase)
        tried = (call, await bench.send(call, timeout_s=ANSWER_LIMIT_S))
        if tried[1].outcome is Outcome.OK:
            return tried
    return tried


async def viewer(bench: Bench, lister: Operation) -> str | None:
    """The first who may list accounts, None where nobody may."""
    for identity in actors(bench):
        call = await bench.prepare(lister, identity)
        if (
            call is not None
            and (await bench.send(msgspec.structs.replace(call, phase="who lists"))).outcome is Outcome.OK
        ):
            return identity
    return None


def seconds_of(answer: Exchange) -> float:
    return max(answer.ended_s - answer.sent_s, 0.001)


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
    return operation.is_secured and last in ("me", "self", "current", "user", "profile", "account")


def told(tried: tuple[Call, Exchange] | None) -> str:
    """Why an account could not be made."""
    return judging.answered(tried[1]) if tried is not None else "no valid request could be made"
