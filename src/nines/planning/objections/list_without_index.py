"""A list whose filter or order no index can serve."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Field, FieldKind, Operation, Resource
from nines.model.design import Objection
from nines.planning.objecting import listed, objection, option

_WIDE = frozenset({FieldKind.JSON, FieldKind.BYTES, FieldKind.TEXT})
_PAGE_B = 2_704
"""The widest entry of a B-tree in PostgreSQL."""
_FILTERS_MAX = 4
_WIDTH_MAX = 600
"""Characters; of four bytes at most, the entry still fits."""


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        resource = blueprint.resource(operation.on)
        if operation.do is not Action.LIST or resource is None:
            continue
        yield from _unindexable(blueprint, operation, resource)
        if len(operation.filters) > _FILTERS_MAX:
            yield _too_many(blueprint, operation)


def _unindexable(blueprint: Blueprint, operation: Operation, resource: Resource) -> Iterator[Objection]:
    for name in operation.filters:
        field = resource.field(name)
        why = _why_not(field) if field else ""
        if why:
            yield _objection(blueprint, f"operations.{operation.name}.filter", operation, f"filters by {name}", why)
    for part in operation.order:
        field = resource.field(part.column)
        why = _why_no_order(field) if field else ""
        if why:
            path = f"operations.{operation.name}.order"
            yield _objection(blueprint, path, operation, f"is ordered by {part.column}", why)


def _why_not(field: Field) -> str:
    if field.kind is FieldKind.PASSWORD:
        return "a password is kept as a hash with a salt, so that no two are alike"
    if field.is_list:
        return "a B-tree finds whole lists only"
    if field.kind in _WIDE:
        return f"it is {field.kind}, and an entry of a B-tree has at most {_PAGE_B:,} bytes; every call reads all rows"
    if field.length_max and field.length_max > _WIDTH_MAX:
        return f"it has up to {field.length_max:,} characters, and an entry of a B-tree at most {_PAGE_B:,} bytes"
    return ""


def _why_no_order(field: Field) -> str:
    if field.is_encrypted:
        return "it is encrypted, and what is encrypted has no order"
    if field.is_optional:
        return "it may be missing, and a page cannot begin after a value that is missing"
    return _why_not(field)


def _objection(blueprint: Blueprint, path: str, operation: Operation, does: str, why: str) -> Objection:
    return objection(
        __name__,
        blueprint,
        path,
        f"{operation.name} {does}, and no index serves that: {why}",
        (
            option("another field, such as created_at", "an index serves it", "callers see another order"),
            option(
                "a field that is made for it (shorter, required, plain)",
                "an index serves it",
                "one more field, which has to agree with the first",
            ),
            option(
                "a search index beside the database",
                "finds words in long texts",
                "one more system, which is a little behind",
                "people search in texts",
            ),
        ),
    )


def _too_many(blueprint: Blueprint, operation: Operation) -> Objection:
    count = len(operation.filters)
    return objection(
        __name__,
        blueprint,
        f"operations.{operation.name}.filter",
        f"{operation.name} has {count} filters ({listed(operation.filters)}): {2**count} combinations, of which a "
        "few indexes serve a few; the others read and throw away",
        (
            option(
                "the three that callers use", "each combination has its index", "the others are filtered by callers"
            ),
            option("measure, and index what is slow", "nothing is built in vain", "the first callers find out"),
        ),
        is_fatal=False,
    )
