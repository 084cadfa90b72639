"""A request that is repeated has its effect twice."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option

_REPEATABLE = frozenset({Action.READ, Action.LIST, Action.DELETE, Action.TRANSITION})
"""A second transition finds its row moved already, and a second deletion finds none."""


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        effects = [f"calls {', '.join(operation.calls)}"] if operation.calls else []
        effects += [f"posts to {operation.posts}"] if operation.posts else []
        has_key = operation.idempotency is not None and operation.idempotency.is_required
        if has_key or not effects or operation.do in _REPEATABLE:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}",
            f"{operation.name} {' and '.join(effects)}, and a caller whose answer was lost asks again: without a key "
            "it happens twice",
            (
                option(
                    "idempotency: required",
                    "whoever got no answer asks again and gets the first answer",
                    "callers keep a key for each request, and a row for each is kept for a day",
                ),
                option(
                    "a unique field that callers choose (their own number for it)",
                    "the second request meets the first one's row",
                    "they get 409 instead of the first answer",
                    "such a number exists anyway",
                ),
            ),
        )
