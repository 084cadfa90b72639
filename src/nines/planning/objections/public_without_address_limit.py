"""Whoever did not sign in is limited by nothing of their own."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import GUESSABLE, objection, option

_OWN = frozenset({"address", "account", "all"})


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        limit = blueprint.limit_of(operation.name)
        if operation.do in GUESSABLE:
            # Refused already: guessing-without-limit.
            continue
        if not operation.is_public or (limit is not None and limit.per in _OWN):
            continue
        how = f"limited per {limit.per}" if limit else "not limited"
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}.public",
            f"anybody may call {operation.name}, and it is {how}: a caller without a name has no count of its own "
            "(API4:2023)",
            (
                option(
                    f"limits: {{{operation.name}: 60/m per address}}",
                    "one address cannot take everybody's share",
                    "people behind one address share it",
                ),
                option(
                    "answer from the edge, and limit there",
                    "the load never arrives here",
                    "the edge has to know the limits",
                    "the answers can be cached",
                ),
            ),
            is_fatal=False,
        )
