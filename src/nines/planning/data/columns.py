"""Fields as columns: each kind with its PostgreSQL type, its width, and the check that keeps its bounds."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.blueprint import Blueprint, Field, FieldKind, OnDelete, Resource
from nines.model.design import PlannedCheck, PlannedColumn
from nines.model.design.ddl import identifier, literal, quoted
from nines.model.record import Record
from nines.planning.data.names import snake, table_name

STRING_LENGTH_MAX = 255
"""Of a string without a bound of its own: without any, one caller could fill the disk (OWASP API4:2023)."""
TEXT_LENGTH_MAX = 65_536
BYTES_LENGTH_MAX = 65_536
EMAIL_LENGTH_MAX = 254
"""RFC 5321, 4.5.3.1.3, without the angle brackets."""
URL_LENGTH_MAX = 2_048
SUBJECT_LENGTH_MAX = 255
"""Of a token's subject (OpenID Connect Core 1.0, 2)."""
LIST_LENGTH_MAX = 100
_STRING_WIDTH_MAX = 64
_DOCUMENT_WIDTH = 200

TYPES = {
    FieldKind.STRING: "text",
    FieldKind.TEXT: "text",
    FieldKind.INT32: "integer",
    FieldKind.INT64: "bigint",
    FieldKind.DECIMAL: "numeric(19,4)",
    FieldKind.BOOLEAN: "boolean",
    FieldKind.DATE: "date",
    FieldKind.TIMESTAMP: "timestamptz",
    FieldKind.UUID: "uuid",
    FieldKind.UUID7: "uuid",
    FieldKind.JSON: "jsonb",
    FieldKind.BYTES: "bytea",
    FieldKind.EMAIL: "text",
    FieldKind.URL: "text",
    FieldKind.PHONE: "text",
    FieldKind.CURRENCY: "text",
    FieldKind.COUNTRY: "text",
    FieldKind.PASSWORD: "text",
    FieldKind.ENUM: "text",
    FieldKind.REFERENCE: "uuid",
}
_WIDTHS = {
    "integer": 4,
    "smallint": 2,
    "boolean": 1,
    "date": 4,
    "uuid": 16,
    "jsonb": _DOCUMENT_WIDTH,
    "numeric(19,4)": 10,
    "bytea": 33,
}
_PATTERNS = {
    FieldKind.PHONE: r"^\+[1-9][0-9]{1,14}$",
    FieldKind.CURRENCY: "^[A-Z]{3}$",
    FieldKind.COUNTRY: "^[A-Z]{2}$",
}
_KIND_WIDTHS = {
    FieldKind.EMAIL: 26,
    FieldKind.URL: 64,
    FieldKind.PHONE: 14,
    FieldKind.CURRENCY: 4,
    FieldKind.COUNTRY: 3,
    FieldKind.PASSWORD: 98,
    FieldKind.ENUM: 10,
}
_LENGTHS = {
    FieldKind.STRING: STRING_LENGTH_MAX,
    FieldKind.TEXT: TEXT_LENGTH_MAX,
    FieldKind.BYTES: BYTES_LENGTH_MAX,
    FieldKind.EMAIL: EMAIL_LENGTH_MAX,
    FieldKind.URL: URL_LENGTH_MAX,
}
CIPHERTEXT = "AES-256-GCM ciphertext: the number of its key, a nonce, the text, and the tag"
_CIPHER_OVERHEAD_BYTES = 4 + 12 + 16


class Stored(Record):
    """What one field becomes."""

    columns: tuple[PlannedColumn, ...]
    checks: tuple[tuple[str, str], ...] = ()
    """Column and expression."""


def column_type(kind: FieldKind) -> str:
    return TYPES.get(kind, "text")


def width(type: str, length_max: int | None = None) -> int:
    """Bytes on average: text is taken to fill half of its bound, up to a limit."""
    if type == "text":
        return 1 + min(_STRING_WIDTH_MAX, max(1, (length_max or STRING_LENGTH_MAX) // 2))
    return _WIDTHS.get(type, 8)


def is_child(field: Field) -> bool:
    """Lists of references and of composites are rows of a table of their own."""
    return field.is_list and field.kind in (FieldKind.REFERENCE, FieldKind.VALUE)


def column_names(blueprint: Blueprint, resource: Resource, path: str) -> tuple[str, ...]:
    """The columns that a path of the blueprint means: "account", "amount.currency", "status"; () where none does."""
    head, _, rest = path.partition(".")
    field = resource.field(head)
    if field is None:
        by_key = next((f for f in resource.fields if f.kind is FieldKind.REFERENCE and f"{f.name}_id" == head), None)
        return (head,) if by_key or head in _IMPLIED or _is_tenant(blueprint, head) else ()
    if is_child(field):
        return ()
    if field.kind is FieldKind.VALUE:
        value = blueprint.value_type(field.of)
        inner = value.fields if value else ()
        return tuple(_own_name(_within(field, part)) for part in inner if not rest or part.name == rest)
    return (_own_name(field),)


_IMPLIED = frozenset({"id", "status", "owner_id", "version", "created_at", "updated_at"})


def _is_tenant(blueprint: Blueprint, name: str) -> bool:
    return blueprint.tenancy is not None and blueprint.tenancy.key == name


def lookup_name(field: Field) -> str:
    """The column by which a field is looked up: of an encrypted one its keyed digest."""
    return f"{snake(field.name)}_digest" if field.is_encrypted else _own_name(field)


def _own_name(field: Field) -> str:
    name = snake(field.name)
    if field.kind is FieldKind.REFERENCE and not name.endswith("_id"):
        return f"{name}_id"
    return f"{name}_hash" if field.kind is FieldKind.PASSWORD else name


def _within(outer: Field, part: Field) -> Field:
    """A part of a composite: `amount.amount_minor` is "amount_minor", `fee.amount_minor` is "fee_amount_minor"."""
    prefix, name = snake(outer.name), snake(part.name)
    return replace(
        part,
        name=name if name == prefix or name.startswith(f"{prefix}_") else f"{prefix}_{name}",
        is_optional=part.is_optional or outer.is_optional,
        is_personal=part.is_personal or outer.is_personal,
        is_encrypted=part.is_encrypted or outer.is_encrypted,
    )


def stored(blueprint: Blueprint, field: Field, *, lookups: frozenset[str] = frozenset()) -> Stored:
    """The columns of a field; `lookups` are the fields that must be found by value."""
    if field.kind is FieldKind.VALUE:
        value = blueprint.value_type(field.of)
        inner = value.fields if value else ()
        parts = [stored(blueprint, _within(field, part)) for part in inner]
        return Stored(
            columns=tuple(
                replace(column, member=f"{snake(field.name)}.{snake(each.name)}")
                for each, part in zip(inner, parts, strict=True)
                for column in part.columns
            ),
            checks=tuple(check for part in parts for check in part.checks),
        )
    if field.is_encrypted:
        return _encrypted(field, with_digest=field.name in lookups)
    name, type = _own_name(field), column_type(field.kind)
    default = _default(field)
    column = PlannedColumn(
        name=name,
        type=f"{type}[]" if field.is_list else type,
        is_nullable=field.is_optional,
        default=default,
        is_personal=field.is_personal,
        width_bytes=_KIND_WIDTHS.get(field.kind, width(type, field.length_max)) * (3 if field.is_list else 1),
        says=field.says,
        member=name,
        place=field.place,
    )
    if field.kind is FieldKind.REFERENCE:
        column = _reference(blueprint, field, column)
    expression = _list_check(field, name) if field.is_list else " AND ".join(_conditions(field, quoted(name)))
    return Stored(columns=(column,), checks=((name, expression),) if expression else ())


def _encrypted(field: Field, *, with_digest: bool) -> Stored:
    plain = width(column_type(field.kind), field.length_max)
    secret = PlannedColumn(
        name=snake(field.name),
        type="bytea",
        is_nullable=field.is_optional,
        is_personal=field.is_personal,
        is_encrypted=True,
        width_bytes=_CIPHER_OVERHEAD_BYTES + plain,
        says=field.says or CIPHERTEXT,
        member=snake(field.name),
        place=field.place,
    )
    if not with_digest:
        return Stored(columns=(secret,))
    digest = PlannedColumn(
        name=lookup_name(field),
        type="bytea",
        is_nullable=field.is_optional,
        is_personal=field.is_personal,
        width_bytes=_WIDTHS["bytea"],
        member=snake(field.name),
        says="HMAC-SHA-256 of the normalised value under a key of its own: equal values are found without decryption",
    )
    return Stored(columns=(secret, digest), checks=((digest.name, f"octet_length({quoted(digest.name)}) = 32"),))


def _reference(blueprint: Blueprint, field: Field, column: PlannedColumn) -> PlannedColumn:
    target = blueprint.resource(field.of)
    if target is None:
        return column
    on_delete = {OnDelete.CASCADE: "CASCADE", OnDelete.SET_NULL: "SET NULL"}.get(field.on_delete, "RESTRICT")
    if on_delete == "SET NULL" and not field.is_optional:
        on_delete = "RESTRICT"
    return replace(
        column,
        type=column_type(target.identifier.kind),
        references=f"{table_name(target.name)}.id",
        on_delete=on_delete,
        width_bytes=width(column_type(target.identifier.kind)),
    )


def _default(field: Field) -> str:
    if field.default is None or field.is_list:
        return "'{}'" if field.is_list and not field.is_optional else ""
    if isinstance(field.default, bool):
        return "true" if field.default else "false"
    if isinstance(field.default, str):
        return literal(field.default)
    return number(field.default)


def number(value: float) -> str:
    """As SQL writes it: 1000000 rather than 1e6."""
    return str(int(value)) if value == int(value) else repr(float(value))


def _list_check(field: Field, name: str) -> str:
    if field.kind is FieldKind.ENUM:
        values = ", ".join(map(literal, field.values))
        return f"cardinality({quoted(name)}) <= {LIST_LENGTH_MAX} AND {quoted(name)} <@ ARRAY[{values}]"
    return f"cardinality({quoted(name)}) <= {LIST_LENGTH_MAX}"


def _conditions(field: Field, name: str) -> Iterator[str]:
    kind = field.kind
    if kind in _LENGTHS:
        measure = "octet_length" if kind is FieldKind.BYTES else "char_length"
        yield f"{measure}({name}) <= {field.length_max or _LENGTHS[kind]}"
    if kind is FieldKind.ENUM:
        yield f"{name} IN ({', '.join(map(literal, field.values))})"
    if kind is FieldKind.EMAIL:
        yield f"{name} = lower({name})"
        yield f"position('@' in {name}) > 1"
    if kind in _PATTERNS:
        yield f"{name} ~ {literal(_PATTERNS[kind])}"
    if field.minimum is not None:
        yield f"{name} {'>' if field.is_minimum_exclusive else '>='} {number(field.minimum)}"
    if field.maximum is not None:
        yield f"{name} <= {number(field.maximum)}"


def named_checks(table: str, checks: tuple[tuple[str, str], ...]) -> tuple[PlannedCheck, ...]:
    return tuple(
        PlannedCheck(name=identifier(table, column, "check"), expression=expression) for column, expression in checks
    )
