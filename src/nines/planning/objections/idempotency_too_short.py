"""Answers are forgotten before callers stop asking again."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import duration
from nines.planning.objecting import objection, option

_LEAST_S = 86_400.0


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        kept = operation.idempotency
        if kept is None or kept.ttl_s >= _LEAST_S:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}.idempotency.ttl",
            f"{operation.name} keeps an answer for {duration(kept.ttl_s)}; a queue that was down overnight asks again "
            "after that, and it happens twice",
            (
                option("ttl: 24h", "outlasts a night", f"{86_400 / kept.ttl_s:.0f} times as many rows"),
                option("a unique field that callers choose", "holds for ever", "409 instead of the first answer"),
            ),
            is_fatal=False,
        )
