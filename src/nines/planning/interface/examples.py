"""Plausible values for examples, always the same for the same field."""

from __future__ import annotations

import hashlib
import math
from typing import Any

from nines.model.blueprint import Blueprint, Field, FieldKind, Identifier, Resource
from nines.planning.data.names import kebab, snake, words

CREATED_AT = "2030-01-02T03:04:05.678Z"
UPDATED_AT = "2030-01-02T03:09:41.120Z"
_CREATED_HEX = "01b8e0949b2e"
"""CREATED_AT in milliseconds, as RFC 9562 puts it in front of a version 7 identifier."""
REQUEST_ID = "req_01b8e0949b2e7c41a5d3f8096e2b7c14"
KEY = "4f0f5a8e-7f0c-4a64-9d0e-6d8b7f4f2c11"
CURSOR = "eyJhZnRlciI6IjAxYjhlMWI3NmIyZSJ9"
SUBJECT = "248289761001"
TENANT = "north"
OPERATION = "01b8e094-9b2e-7e55-8a1b-2c3d4e5f6071"
_WORDS: dict[str, Any] = {
    "address": "1 Analytical Way",
    "body": "Your order is on its way.",
    "brand": "Northwind",
    "carrier": "DHL",
    "channel": "email",
    "city": "London",
    "code": "K7Q2M9",
    "colour": "blue",
    "color": "blue",
    "comment": "As agreed on the telephone",
    "company": "Analytical Engines Ltd",
    "department": "Research",
    "description": "Two books",
    "device": "pixel-9",
    "first": "Ada",
    "household": "Lovelace",
    "label": "Household",
    "language": "en",
    "last": "Lovelace",
    "line": "Two books",
    "locale": "en-GB",
    "message": "Your order is on its way.",
    "name": "Ada Lovelace",
    "note": "Leave it with the neighbours",
    "postcode": "SW1A 1AA",
    "postal": "SW1A 1AA",
    "reason": "requested_by_customer",
    "region": "Greater London",
    "sku": "BK-1042",
    "slug": "two-books",
    "street": "1 Analytical Way",
    "subject": "Your order",
    "summary": "Two books",
    "template": "order-shipped",
    "text": "Your order is on its way.",
    "ref": "order-1042",
    "reference": "order-1042",
    "secret": "s3cr3t-7f3a9c51e2",
    "token": "tok_7f3a9c51e2d04b68",
    "timezone": "Europe/London",
    "title": "Two books",
    "tracking": "00340434292135100186",
    "zip": "SW1A 1AA",
}
_NUMBERS = {"minor": 1_250, "cents": 1_250, "price": 1_250, "amount": 1_250, "quantity": 2, "count": 2, "attempts": 1}
_KINDS: dict[FieldKind, Any] = {
    FieldKind.BOOLEAN: True,
    FieldKind.BYTES: "bmluZXM=",
    FieldKind.COUNTRY: "GB",
    FieldKind.CURRENCY: "EUR",
    FieldKind.DATE: "2030-01-02",
    FieldKind.DECIMAL: "12.50",
    FieldKind.EMAIL: "ada@example.com",
    FieldKind.JSON: {"source": "web"},
    FieldKind.PASSWORD: "correct horse battery staple",
    FieldKind.PHONE: "+441632960123",
    FieldKind.TIMESTAMP: "2030-01-02T03:04:05.678Z",
    FieldKind.URL: "https://www.example.com/orders/1042",
}
_SHORTER: dict[FieldKind, tuple[str, ...]] = {
    FieldKind.EMAIL: ("ada@b.io",),
    FieldKind.URL: ("https://example.com", "https://b.io"),
    FieldKind.PASSWORD: ("correct horse b",),
}
"""For fields with a narrow bound."""


def identifier(name: str, written: Identifier, number: int = 0) -> str | int:
    """The identifier of the one object that all examples of a resource speak of."""
    if written.kind in (FieldKind.INT32, FieldKind.INT64):
        return 1042 + number
    return written_as(written, _digits(f"{name} {number}"))


def written_as(written: Identifier, digits: str) -> str:
    """32 hexadecimal digits as callers see them."""
    if written.prefix:
        return f"{written.prefix}_{digits}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _digits(seed: str) -> str:
    tail = hashlib.sha256(seed.encode()).hexdigest()
    return f"{_CREATED_HEX}7{tail[:3]}a{tail[3:18]}"


def of_resource(resource: Resource) -> str | int:
    return identifier(resource.name, resource.identifier)


def event_id(kind: str) -> str:
    return written_as(Identifier(), _digits(kind))


def value(field: Field, blueprint: Blueprint) -> Any:
    """What the field could hold."""
    one = _one(field, blueprint)
    return [one] if field.is_list else one


def _one(field: Field, blueprint: Blueprint) -> Any:
    if field.kind is FieldKind.VALUE:
        found = blueprint.value_type(field.of)
        return {snake(part.name): value(part, blueprint) for part in found.fields} if found else {}
    if field.kind is FieldKind.REFERENCE:
        target = blueprint.resource(field.of)
        return of_resource(target) if target else identifier(field.of, Identifier())
    if field.default is not None and not field.is_list:
        return _as_written(field)
    return _of_kind(field)


def _of_kind(field: Field) -> Any:
    if field.kind is FieldKind.ENUM:
        return next(iter(field.values), "")
    if field.kind in (FieldKind.INT32, FieldKind.INT64):
        return int(_number(field, whole=True))
    if field.kind is FieldKind.DECIMAL and (field.minimum is not None or field.maximum is not None):
        return f"{_number(field, whole=False):.2f}"
    if field.kind in (FieldKind.UUID, FieldKind.UUID7):
        return written_as(Identifier(), _digits(field.name))
    if field.kind in _SHORTER:
        usual = (_KINDS[field.kind], *_SHORTER[field.kind])
        most = field.length_max or len(usual[0])
        return next((each for each in usual if len(each) <= most), usual[-1][:most])
    if field.kind in _KINDS:
        return _KINDS[field.kind]
    return _text(field)


def _as_written(field: Field) -> Any:
    if field.kind is FieldKind.DECIMAL:
        return str(field.default)
    whole = field.kind in (FieldKind.INT32, FieldKind.INT64) and isinstance(field.default, float)
    return int(field.default) if whole and field.default is not None else field.default


def _text(field: Field) -> str:
    named = words(field.name)
    if field.is_read_only and named[-1:] in (("ref",), ("reference",)):
        found: Any = f"{named[0]}_7f3a9c51e2"
    else:
        found = next((_WORDS[word] for word in reversed(named) if word in _WORDS), None)
    text = str(found) if found else f"{kebab(field.name)}-1042"
    return text if field.length_max is None else text[: field.length_max].strip() or text[: field.length_max]


def _number(field: Field, *, whole: bool) -> float:
    """A usual figure, moved to within the field's bounds."""
    wanted = float(next((_NUMBERS[word] for word in reversed(words(field.name)) if word in _NUMBERS), 12))
    step = 1.0 if whole else 0.01
    if field.minimum is not None:
        least = math.ceil(field.minimum) if whole else field.minimum
        beyond = field.is_minimum_exclusive and least == field.minimum
        wanted = max(wanted, least + (step if beyond else 0))
    if field.maximum is not None:
        wanted = min(wanted, math.floor(field.maximum) if whole else field.maximum)
    return wanted
