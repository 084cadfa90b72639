"""Passwords and codes may be guessed as fast as somebody likes."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import rate
from nines.planning.objecting import GUESSABLE, objection, option

_FAST_HZ = 1.0


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        if operation.do not in GUESSABLE:
            continue
        limit = blueprint.limit_of(operation.name)
        if limit is None:
            says = "has no limit"
        elif limit.per not in ("account", "address") and operation.is_public:
            says = f"is limited per {limit.per}, which whoever did not sign in has none of, or shares with all"
        elif limit.count / limit.period_s > _FAST_HZ:
            tries_hz = limit.count / limit.period_s
            says = f"is limited to {rate(tries_hz)}, which is {tries_hz * 86_400:,.0f} tries a day"
        else:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}",
            f"{operation.name} {says}: somebody may {GUESSABLE[operation.do]} (API2:2023)",
            (
                option(
                    f"limits: {{{operation.name}: 10/m per account}}",
                    "an account is tried 10 times a minute, from wherever",
                    "whoever knows the name can keep its owner out for a minute",
                    "it is a password that is guessed",
                ),
                option(
                    f"limits: {{{operation.name}: 20/m per address}}",
                    "nobody is kept out by somebody else",
                    "many addresses try together",
                    "it is mails or codes",
                ),
            ),
        )
