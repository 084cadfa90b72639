"""Accounts as objects of experiments: who makes them, who may list them, and how long making one takes."""

from __future__ import annotations

import msgspec

from nines.experiments import judging
from nines.experiments.choosing import ANSWER_LIMIT_S, actors
from nines.model.contract import Operation
from nines.model.experiment import Bench, Call
from nines.model.history import Exchange, Outcome


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


def told(tried: tuple[Call, Exchange] | None) -> str:
    """Why an account could not be made."""
    return judging.answered(tried[1]) if tried is not None else "no valid request could be made"
