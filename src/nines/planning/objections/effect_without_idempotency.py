"""A request that is repeated has its effect twice."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, FieldKind, Operation
from nines.model.design import Choice, Objection
from nines.planning.objecting import objection, option

_REPEATABLE = frozenset({Action.READ, Action.LIST, Action.DELETE, Action.TRANSITION})
"""A second transition finds its row moved already, and a second deletion finds none."""

_NO_NUMBER = frozenset({FieldKind.REFERENCE, FieldKind.ENUM, FieldKind.BOOLEAN, FieldKind.CURRENCY, FieldKind.COUNTRY})
"""What somebody may mean twice."""


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        effects = [f"calls {', '.join(operation.calls)}"] if operation.calls else []
        effects += [f"posts to {operation.posts}"] if operation.posts else []
        has_key = operation.idempotency is not None and operation.idempotency.is_required
        if has_key or not effects or operation.do in _REPEATABLE or _meets_itself(blueprint, operation):
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
                *_others(operation),
            ),
        )


def _meets_itself(blueprint: Blueprint, operation: Operation) -> bool:
    """Whether the second request is refused by what the first one left, before anybody is asked."""
    if operation.do is Action.UPDATE:
        return operation.needs_if_match
    return operation.do is Action.CREATE and bool(_chosen(blueprint, operation))


def _chosen(blueprint: Blueprint, operation: Operation) -> tuple[str, ...]:
    """The first unique key that holds a number or a text of the caller's own."""
    resource = blueprint.resource(operation.on)
    fields = {each.name: each for each in resource.fields} if resource else {}
    for key in resource.unique if resource else ():
        found = (fields.get(name.partition(".")[0]) for name in key)
        if any(each and not each.is_read_only and each.kind not in _NO_NUMBER for each in found):
            return key
    return ()


def _others(operation: Operation) -> tuple[Choice, ...]:
    if operation.do is Action.CREATE and operation.on:
        return (
            option(
                "a unique field that callers choose (their own number for it)",
                "the second request meets the first one's row",
                "they get 409 instead of the first answer",
                "such a number exists anyway",
            ),
        )
    if operation.do is Action.UPDATE:
        name = "if_match: required"
        return (option(name, "the second request names a version that is gone", "callers read before they change"),)
    return (
        option(
            "let a job call, for a row that the operation makes",
            "the job asks under one key, however often it does",
            "callers hear of the outcome later",
        ),
    )
