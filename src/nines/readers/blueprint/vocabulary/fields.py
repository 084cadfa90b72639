"""Fields: the short form ("int64 > 0") and the long one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from nines.model.blueprint import Field, FieldKind, OnDelete, ValueType
from nines.readers.blueprint.combined import Either, Listed, Made
from nines.readers.blueprint.document import Mapping, Node
from nines.readers.blueprint.reading import Reading, shown
from nines.readers.blueprint.records import Key, Keys, Table
from nines.readers.blueprint.shapes import Anything, Choice, Flag, Number, Text, Word
from nines.readers.blueprint.vocabulary import names

_LENGTH_MAX = 10_000_000
_FIGURE_MAX = 2**63 - 1
_NUMERIC = (FieldKind.INT32, FieldKind.INT64, FieldKind.DECIMAL)
_MEASURED = (FieldKind.STRING, FieldKind.TEXT, FieldKind.BYTES, FieldKind.EMAIL, FieldKind.URL, FieldKind.PASSWORD)
_COMPOSED = (FieldKind.ENUM, FieldKind.REFERENCE, FieldKind.VALUE)
"""Said by other keys: values, ref, and the name of a composite type."""
_KINDS = {kind.value: kind for kind in FieldKind if kind not in _COMPOSED}
_WHOLE = {FieldKind.INT32: 2**31 - 1, FieldKind.INT64: _FIGURE_MAX}

_WITHOUT_DEFAULT = (FieldKind.REFERENCE, FieldKind.VALUE, FieldKind.PASSWORD, FieldKind.JSON, FieldKind.BYTES)
_DATED = (FieldKind.DATE, FieldKind.TIMESTAMP)
_UUID = (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "0190f5a2-7c3e-7b1a-9d2e-3f4a5b6c7d8e")
_WRITTEN = {
    FieldKind.DATE: (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "2030-01-31"),
    FieldKind.TIMESTAMP: (r"[0-9-]{10}T[0-9:]{8}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})", '"2030-01-31T08:00:00Z"'),
    FieldKind.UUID: _UUID,
    FieldKind.UUID7: _UUID,
    FieldKind.EMAIL: (r"[^@\s]+@[^@\s]+", "ada@example.com"),
    FieldKind.URL: (r"https?://\S+", '"https://www.example.com"'),
    FieldKind.PHONE: (r"\+[1-9][0-9]{1,14}", '"+441632960123"'),
    FieldKind.CURRENCY: (r"[A-Z]{3}", "EUR"),
    FieldKind.COUNTRY: (r"[A-Z]{2}", "PT"),
}
"""Texts of a form: the form, and how one is written."""

_BOUND = r"(?:>=|<=|>|<) ?-?[0-9]{1,18}(?:\.[0-9]{1,9})?"
_SHORT = re.compile(rf"([A-Za-z][A-Za-z0-9]*)(\?)?((?: {_BOUND}){{0,2}})")
_BOUNDS = re.compile(r"(>=|<=|>|<) ?(-?[0-9.]+)")

_SAYS = {
    FieldKind.STRING: "text on one line; say how long it may be",
    FieldKind.TEXT: "text of any length",
    FieldKind.INT32: "a whole number up to two thousand million",
    FieldKind.INT64: "a whole number; money is one, in minor units",
    FieldKind.DECIMAL: "an exact number with digits behind the point",
    FieldKind.BOOLEAN: "true or false",
    FieldKind.DATE: "a day",
    FieldKind.TIMESTAMP: "a moment, in UTC (RFC 3339)",
    FieldKind.UUID: "an identifier, of somebody else's",
    FieldKind.UUID7: "an identifier in the order of time",
    FieldKind.JSON: "a document that the service does not look into",
    FieldKind.BYTES: "bytes, in base64",
    FieldKind.EMAIL: "an address for mail",
    FieldKind.URL: "a link",
    FieldKind.PHONE: "a telephone number (E.164)",
    FieldKind.CURRENCY: "a currency, such as EUR",
    FieldKind.COUNTRY: "a country, such as PT",
    FieldKind.PASSWORD: "written only; kept as an argon2id hash",
}
TYPE = Word(
    'a type such as string, "int64 > 0" or the name of a composite type',
    pattern=_SHORT.pattern,
    examples=("int64 > 0", "string <= 200", "string?", "Money"),
    words={word: _SAYS[kind] for word, kind in _KINDS.items()},
)


def _short(text: str, node: Node, reading: Reading) -> dict[str, Any]:
    """The arguments of a Field that "int64 > 0" stands for."""
    match = _SHORT.fullmatch(text)
    assert match is not None
    word, optional, bounds = match.groups()
    told: dict[str, Any] = {"is_optional": True} if optional else {}
    kind = _KINDS.get(word)
    if kind is None:
        reading.refer("type", word, node, also=_KINDS)
        told |= {"kind": FieldKind.VALUE, "of": word}
    else:
        told["kind"] = kind
    return told | _bounds(kind, bounds, node, reading)


def _bounds(kind: FieldKind | None, text: str, node: Node, reading: Reading) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for sign, figure in _BOUNDS.findall(text):
        if kind in _NUMERIC:
            value = float(figure) if "." in figure else int(figure)
        elif kind in _MEASURED and sign in ("<=", "<"):
            told["length_max"] = int(float(figure)) - (sign == "<")
            continue
        else:
            raise reading.refuse(node, f"{shown(text.strip())} does not go with {kind or 'a composite type'}")
        if sign in (">", ">="):
            told |= {"minimum": value, "is_minimum_exclusive": sign == ">"}
        elif sign == "<=":
            told["maximum"] = value
        else:
            raise reading.refuse(node, f"write the largest value that is allowed: <= instead of {sign} {figure}")
    return told


_ON_DELETE = Choice(
    {
        "restrict": (OnDelete.RESTRICT, "what is referred to cannot be deleted"),
        "cascade": (OnDelete.CASCADE, "this goes with it"),
        "set-null": (OnDelete.SET_NULL, "this stays, without the reference"),
    }
)
_BOUND_VALUE = Number(-_FIGURE_MAX, _FIGURE_MAX, is_whole=False)


def _long(**told: Any) -> dict[str, Any]:
    return told


def _consistent(told: dict[str, Any], node: Mapping, reading: Reading) -> None:
    # One that could not be read is missing here, and was reported.
    is_reference = node.get("ref") is not None
    told |= told.pop("type", {})
    if "of" in told and is_reference:
        told["kind"] = FieldKind.REFERENCE
    if "values" in told:
        told["kind"] = FieldKind.ENUM
    _bounded(told, node, reading)
    if node.get("on_delete") is not None and not is_reference:
        reading.report(node, "on_delete goes with ref only")
    if told.get("on_delete") is OnDelete.SET_NULL and not told.get("is_optional"):
        reading.report(node, "on_delete: set-null needs optional: true, for the reference may be missing then")
    _defaulted(told, node, reading)


def _bounded(told: dict[str, Any], node: Mapping, reading: Reading) -> None:
    kind = told.get("kind")
    most = told.pop("max", None)
    if most is not None and kind in _NUMERIC:
        told["maximum"] = most
    elif most is not None and kind in _MEASURED and most == int(most) and 0 < most <= _LENGTH_MAX:
        told["length_max"] = int(most)
    elif most is not None:
        reading.report(node, f"max: {most:g} does not go with {kind}")
    if "minimum" in told and kind not in _NUMERIC:
        reading.report(node, f"min goes with numbers only, not with {kind}")
    minimum, maximum = told.get("minimum"), told.get("maximum")
    if minimum is not None and maximum is not None and minimum > maximum:
        reading.report(node, f"min is {minimum:g} and max is {maximum:g}: no value lies between them")


def _defaulted(told: dict[str, Any], node: Mapping, reading: Reading) -> None:
    default, kind = told.get("default"), told.get("kind")
    if default is None or kind is None:
        return
    at = node.get("default") or node
    if told.get("is_list"):
        reading.report(at, "a list begins empty: it has no default")
    elif kind is FieldKind.ENUM and default not in told["values"]:
        reading.report(at, f"the default {shown(str(default))} is none of the values")
    elif kind in _WHOLE and (isinstance(default, bool) or not isinstance(default, int)):
        reading.report(at, f"the default of {kind} is a whole number, found {shown(str(default))}")
    elif kind is FieldKind.BOOLEAN and not isinstance(default, bool):
        reading.report(at, f"the default of a boolean is true or false, found {shown(str(default))}")
    elif kind in _WITHOUT_DEFAULT:
        reading.report(at, f"a field of this kind ({kind}) has no default")
    elif kind is FieldKind.DECIMAL and not _is_decimal(default):
        reading.report(at, f"the default of a decimal is a number, found {shown(str(default))}")
    elif kind in (FieldKind.STRING, FieldKind.TEXT) and not isinstance(default, str):
        reading.report(at, f"the default is a text; write it in quotes: {shown(str(default))}")
    elif kind in _WRITTEN and not _is_written(kind, default):
        reading.report(at, f"the default of {kind} is written like {_WRITTEN[kind][1]}, found {shown(str(default))}")
    elif kind in _NUMERIC:
        _within(told, float(default), at, reading)
    elif len(str(default)) > (told.get("length_max") or _LENGTH_MAX):
        reading.report(at, f"the default has {len(str(default))} characters, and max is {told['length_max']}")


def _is_decimal(default: Any) -> bool:
    return not isinstance(default, bool) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,4})?", str(default)) is not None


def _is_written(kind: FieldKind, default: Any) -> bool:
    """Whether a text is one of those that such a field can hold."""
    if re.fullmatch(_WRITTEN[kind][0], str(default)) is None:
        return False
    try:
        return kind not in _DATED or datetime.fromisoformat(str(default)) is not None
    except ValueError:
        return False


def _within(told: dict[str, Any], default: float, at: Node, reading: Reading) -> None:
    minimum, maximum = told.get("minimum"), told.get("maximum")
    if (minimum is not None and default < minimum) or (maximum is not None and default > maximum):
        reading.report(at, f"the default {default:g} is outside of what min and max allow")


_LONG = Keys(
    "field",
    "One field, in the long form.",
    (
        Key(name="type", shape=Made(TYPE, _short), says="What it holds."),
        Key(name="ref", shape=names.RESOURCE, to="of", says="The resource that it points to."),
        Key(
            name="values",
            shape=Listed(Word("a word such as express", pattern=r"[A-Za-z][\w-]{0,39}"), least=1),
            says="The words that it may hold.",
        ),
        Key(name="max", shape=_BOUND_VALUE, says="The largest number, or the most characters."),
        Key(name="min", shape=_BOUND_VALUE, to="minimum", says="The smallest number."),
        Key(name="optional", shape=Flag(), to="is_optional", says="It may be missing.", default="false"),
        Key(name="read_only", shape=Flag(), to="is_read_only", says="The service sets it, never a caller."),
        Key(name="list", shape=Flag(), to="is_list", says="There may be several.", default="false"),
        Key(name="default", shape=Anything(), says="Its value where nobody says one."),
        Key(
            name="pii",
            shape=Flag(),
            to="is_personal",
            says="Personal data: redacted in logs, kept out of events, listed for erasure.",
            default="false",
        ),
        Key(name="encrypted", shape=Flag(), to="is_encrypted", says="Encrypted in its column.", default="false"),
        Key(name="on_delete", shape=_ON_DELETE, says="When that which it points to goes.", default="restrict"),
        Key(name="says", shape=Text(), says="What it means."),
    ),
    _long,
    check=_consistent,
    one_of=("type", "ref", "values"),
)

FIELD = Either(Made(TYPE, _short), _LONG)


def _field(name: str, told: dict[str, Any], node: Node, reading: Reading) -> Field:
    return Field(name=name, place=reading.place(node.mark), **told)


FIELDS = Table("fields", FIELD, _field, pattern=names.SNAKE, style=names.SNAKE_STYLE, declares="field")

BODY = Table("fields", FIELD, _field, pattern=names.SNAKE, style=names.SNAKE_STYLE)
"""Fields that no resource keeps: what a request carries or an answer tells."""


def _value_type(name: str, fields: tuple[Field, ...], node: Node, reading: Reading) -> ValueType:
    if not fields:
        reading.report(node, f"the type {name} has no fields")
    for field in fields:
        if field.kind in (FieldKind.VALUE, FieldKind.REFERENCE) or field.is_list:
            reading.report(node, f"a type is made of plain fields; {field.name} is none")
    return ValueType(name=name, fields=fields, place=reading.place(node.mark))


TYPES = Table(
    "types",
    FIELDS,
    _value_type,
    pattern=names.PASCAL,
    style=names.PASCAL_STYLE,
    declares="type",
    scope=str,
)
