"""Fields as JSON Schema 2020-12: what a caller may send, and what an answer holds."""

from __future__ import annotations

from typing import Any

from nines.model.blueprint import Blueprint, Field, FieldKind, Identifier
from nines.model.contract import Schema
from nines.planning.data.columns import (
    BYTES_LENGTH_MAX,
    EMAIL_LENGTH_MAX,
    LIST_LENGTH_MAX,
    STRING_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    URL_LENGTH_MAX,
)
from nines.planning.data.names import snake
from nines.planning.interface.naming import derived

INTEGER_MAX = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exactly (RFC 7493, 2.2)."""
DOCUMENT_MEMBERS_MAX = 100
DOCUMENT_DEPTH_MAX = 8
PASSWORD_LENGTH_MIN = 15
"""Of a password that is the only factor (NIST SP 800-63B-4, 3.1.1.2)."""
PASSWORD_WITH_SECOND_FACTOR_MIN = 8
PASSWORD_LENGTH_MAX = 128
_BASE64_SHARE = 4 / 3
_INT32 = 2**31


def reference(shape: str) -> Schema:
    return {"$ref": f"#/components/schemas/{shape}"}


def of_identifier(identifier: Identifier) -> Schema:
    """As callers see it: a prefix and 32 hexadecimal digits, or a plain UUID."""
    if identifier.kind in (FieldKind.INT32, FieldKind.INT64):
        return {"type": "integer", "format": str(identifier.kind), "minimum": 1, "maximum": INTEGER_MAX}
    if identifier.prefix:
        return {"type": "string", "pattern": f"^{identifier.prefix}_[0-9a-f]{{32}}$"}
    return {"type": "string", "format": "uuid"}


def name_of(field: Field) -> str:
    """The member of a body: "account" refers to another resource, so its member is "account_id"."""
    name = snake(field.name)
    if field.kind is not FieldKind.REFERENCE or name.endswith(("_id", "_ids")):
        return name
    return f"{_singular(name)}_ids" if field.is_list else f"{name}_id"


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return name.removesuffix("ies") + "y"
    return name.removesuffix("s")


def of_field(field: Field, blueprint: Blueprint, *, is_request: bool) -> Schema:
    """One member of a body; a list without elements is empty, never null."""
    schema = _one(field, blueprint, is_request=is_request)
    if field.is_list:
        schema = {"type": "array", "items": schema, "maxItems": LIST_LENGTH_MAX}
    elif field.is_optional:
        schema = nullable(schema)
    kept = "" if field.is_list else schema.get("description", "")
    described = " ".join(each for each in (field.says, kept, _personal(field)) if each)
    if described:
        schema = schema | {"description": described}
    if is_request and field.default is not None and not field.is_list:
        schema = schema | {"default": str(field.default) if field.kind is FieldKind.DECIMAL else field.default}
    return schema


def nullable(schema: Schema) -> Schema:
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    wider = schema | {"type": [schema["type"], "null"]}
    return wider | {"enum": [*schema["enum"], None]} if "enum" in schema else wider


def closed(members: dict[str, Schema], required: tuple[str, ...]) -> Schema:
    """A body that callers send: what is not known is refused, for a misspelt member must not be ignored."""
    schema: Schema = {"type": "object", "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {}) | {"properties": members}


def opened(members: dict[str, Schema], required: tuple[str, ...]) -> Schema:
    """A body that is answered: members may be added without notice, so readers ignore those that they do not know."""
    schema: Schema = {"type": "object"}
    return schema | ({"required": list(required)} if required else {}) | {"properties": members}


def _personal(field: Field) -> str:
    return "Personal data." if field.is_personal else ""


def _one(field: Field, blueprint: Blueprint, *, is_request: bool) -> Schema:
    if field.kind is FieldKind.VALUE:
        return reference(derived(field.of, "Input") if is_request else field.of)
    if field.kind is FieldKind.REFERENCE:
        target = blueprint.resource(field.of)
        return of_identifier(target.identifier if target else Identifier())
    if field.kind is FieldKind.ENUM:
        return {"type": "string", "enum": list(field.values)}
    if field.kind is FieldKind.PASSWORD:
        return password(field, blueprint)
    if field.kind in (FieldKind.INT32, FieldKind.INT64):
        return _integer(field)
    simple = _SIMPLE.get(field.kind)
    return dict(simple) if simple is not None else _text(field)


def password(field: Field | None, blueprint: Blueprint) -> Schema:
    """Long where it is the only factor; blanks and any letter are welcome."""
    has_second = bool(blueprint.roles) and all(role.needs_second_factor for role in blueprint.roles)
    least = PASSWORD_WITH_SECOND_FACTOR_MIN if has_second else PASSWORD_LENGTH_MIN
    most = field.length_max if field and field.length_max else PASSWORD_LENGTH_MAX
    return {
        "type": "string",
        "format": "password",
        "writeOnly": True,
        "minLength": min(least, most),
        "maxLength": most,
    }


def _integer(field: Field) -> Schema:
    is_short = field.kind is FieldKind.INT32
    schema: Schema = {"type": "integer", "format": str(field.kind)}
    if field.minimum is None:
        schema["minimum"] = -_INT32 if is_short else -INTEGER_MAX
    else:
        schema["exclusiveMinimum" if field.is_minimum_exclusive else "minimum"] = _whole(field.minimum)
    schema["maximum"] = (_INT32 - 1 if is_short else INTEGER_MAX) if field.maximum is None else _whole(field.maximum)
    return schema


def _text(field: Field) -> Schema:
    usual = TEXT_LENGTH_MAX if field.kind is FieldKind.TEXT else STRING_LENGTH_MAX
    most = field.length_max or usual
    if field.kind is FieldKind.EMAIL:
        return {"type": "string", "format": "email", "maxLength": field.length_max or EMAIL_LENGTH_MAX}
    if field.kind is FieldKind.URL:
        return {"type": "string", "format": "uri", "maxLength": field.length_max or URL_LENGTH_MAX}
    if field.kind is FieldKind.BYTES:
        limit = int((field.length_max or BYTES_LENGTH_MAX) * _BASE64_SHARE) + 4
        return {"type": "string", "contentEncoding": "base64", "maxLength": limit}
    return {"type": "string", "maxLength": most}


def _whole(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


_SIMPLE: dict[FieldKind, dict[str, Any]] = {
    FieldKind.BOOLEAN: {"type": "boolean"},
    FieldKind.DATE: {"type": "string", "format": "date"},
    FieldKind.TIMESTAMP: {"type": "string", "format": "date-time"},
    FieldKind.UUID: {"type": "string", "format": "uuid"},
    FieldKind.UUID7: {"type": "string", "format": "uuid"},
    FieldKind.JSON: {
        "type": "object",
        "maxProperties": DOCUMENT_MEMBERS_MAX,
        "description": f"At most {DOCUMENT_DEPTH_MAX} levels deep.",
    },
    FieldKind.DECIMAL: {"type": "string", "format": "decimal", "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$"},
    FieldKind.PHONE: {"type": "string", "pattern": r"^\+[1-9][0-9]{1,14}$"},
    FieldKind.CURRENCY: {"type": "string", "pattern": "^[A-Z]{3}$"},
    FieldKind.COUNTRY: {"type": "string", "pattern": "^[A-Z]{2}$"},
}
