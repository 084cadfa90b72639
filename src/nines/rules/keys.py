"""How the key of a look-up and the row that is created for it meet the constraints of their table."""

from __future__ import annotations

from nines.model.effect import Effect, Predicate
from nines.model.origin import Origin, OriginKind
from nines.model.schema import Table
from nines.rules.growth import comes_with_use

_ORDERS = (">", ">=", "<", "<=", "between")
_STATES = ("", "none", "null", "true", "false")


def is_filled(key: Predicate, write: Effect) -> bool:
    """Whether the new row gets the value that was looked for; "*" stands for columns that were not told apart."""
    sources = {(origin.kind, origin.name) for origin in key.origins}
    return (
        key.operator in ("=", "ilike", "iexact")
        and is_key(key)
        and any(
            (assignment.column == key.column and _is_alike(key.origins, assignment.origins))
            or (assignment.column == "*" and sources & {(o.kind, o.name) for o in assignment.origins})
            for assignment in write.assignments
        )
    )


def _is_alike(wanted: tuple[Origin, ...], given: tuple[Origin, ...]) -> bool:
    """Whether two values may be one: nothing is known of either, or they have a source in common."""
    clear = [{_identity(origin) for origin in origins} for origins in (wanted, given)]
    return any(_is_vague(origins) for origins in (wanted, given)) or bool(clear[0] & clear[1])


def _identity(origin: Origin) -> tuple[OriginKind, str | int | None]:
    """A row and its key are one thing, and so is the caller with all that is known of him."""
    if origin.kind is OriginKind.PRINCIPAL:
        return origin.kind, None
    return origin.kind, origin.effect if origin.effect is not None else origin.name


def _is_vague(origins: tuple[Origin, ...]) -> bool:
    return not origins or any(o.kind in (OriginKind.UNKNOWN, OriginKind.REMOTE) for o in origins)


def is_key(predicate: Predicate) -> bool:
    """Whether the value tells one row from another, which none of those that a state may have does."""
    return any(o.kind is not OriginKind.CONSTANT or o.name.lower() not in _STATES for o in predicate.origins)


def asks_for_more(read: Effect, write: Effect) -> bool:
    """Whether the look-up wants a value that the new row surely lacks, so that it finds none a second time either."""
    filled = {assignment.column for assignment in write.assignments}
    is_whole = "*" not in filled and all("." not in column for column in filled)
    return is_whole and any(_wants_a_value(p) and p.column not in filled for p in read.predicates)


def _wants_a_value(predicate: Predicate) -> bool:
    """`IS NOT NULL`; any other comparison may be met by a default."""
    is_null = all(o.kind is OriginKind.CONSTANT and o.name.lower() in ("none", "null") for o in predicate.origins)
    return predicate.operator in ("!=", "is not", "not is") and is_null


def is_by_number(read: Effect, table: Table | None) -> bool:
    """Whether the look-up is by the number that the database itself gives to new rows."""
    columns = [table.column(p.column) if table else None for p in read.predicates if p.operator == "="]
    return len(columns) == 1 and columns[0] is not None and columns[0].is_primary and "int" in columns[0].type


def names_one(table: Table, write: Effect, read: Effect) -> bool:
    """Whether the look-up means one row; of what comes with use one parent has many, and another one was looked for."""
    keys = {predicate.column for predicate in read.predicates if is_filled(predicate, write)}
    columns = [table.column(key) for key in keys]
    is_parent = len(columns) == 1 and columns[0] is not None and bool(columns[0].references)
    others = [p for p in read.predicates if p.column not in keys and p.operator not in ("checked", "join")]
    is_recent = any(p.operator in _ORDERS for p in others)
    return not (is_recent or (is_parent and (others or comes_with_use(table.name))))


def collides(table: Table, write: Effect, read: Effect) -> bool:
    """Whether a wider constraint holds the key, and else only what both requests fill, or what was not understood."""
    filled = {assignment.column for assignment in write.assignments}
    key = {p.column for p in read.predicates if is_filled(p, write)}
    others = [set(columns) - key for columns in table.unique if key and key <= set(columns)]
    return any(all(c in filled or "*" in filled or table.column(c) is None for c in more) for more in others)
