"""JSON Schema as annotations that msgspec keeps: what the contract says of a member, said to Python."""

from __future__ import annotations

from typing import Any

from nines.building import names, python
from nines.model.contract import Schema

_REFERENCE = "#/components/schemas/"
_FORMATS = {"date-time": ("datetime", "datetime"), "date": ("datetime", "date"), "uuid": ("uuid", "UUID")}
_EMAIL = r"^[^@\s]+@[^@\s]+\Z"
_URI = r"^[A-Za-z][A-Za-z0-9+.-]*:\S+\Z"


def constant(value: Any, format: str, imports: python.Imports) -> str:
    """A default as Python says it."""
    if not isinstance(value, str):
        return repr(value)
    text = python.quoted(value)
    if format not in _FORMATS:
        return text
    module, name = _FORMATS[format]
    imports.add(module, name)
    return f"{name}({text})" if name == "UUID" else f"{name}.fromisoformat({text})"


def annotation(schema: Schema, imports: python.Imports, *, is_request: bool) -> str:
    """The type of a member, with its bounds where callers send it."""
    if "anyOf" in schema:
        return " | ".join(annotation(each, imports, is_request=is_request) for each in schema["anyOf"])
    if "$ref" in schema:
        return names.class_of(str(schema["$ref"]).removeprefix(_REFERENCE))
    type = schema.get("type")
    if isinstance(type, list):
        plain = schema | {"type": next(each for each in type if each != "null")}
        plain = plain | {"enum": [each for each in plain["enum"] if each is not None]} if "enum" in plain else plain
        return f"{annotation(plain, imports, is_request=is_request)} | None"
    if type == "null":
        return "None"
    if "enum" in schema:
        imports.add("typing", "Literal")
        return f"Literal[{', '.join(python.quoted(str(each)) for each in schema['enum'])}]"
    plain_type, bounds = _plain(schema, imports, is_request=is_request)
    if not bounds or not is_request:
        return plain_type
    imports.add("typing", "Annotated")
    imports.add("msgspec", "Meta")
    return f"Annotated[{plain_type}, Meta({', '.join(f'{name}={value}' for name, value in bounds.items())})]"


def _plain(schema: Schema, imports: python.Imports, *, is_request: bool) -> tuple[str, dict[str, str]]:
    match schema.get("type"):
        case "string":
            return _string(schema, imports)
        case "integer":
            bounds = {"minimum": "ge", "exclusiveMinimum": "gt", "maximum": "le"}
            return "int", {bounds[key]: str(schema[key]) for key in bounds if key in schema}
        case "boolean":
            return "bool", {}
        case "array":
            inner = annotation(schema.get("items", {}), imports, is_request=is_request)
            bounds = {"max_length": str(schema["maxItems"])} if "maxItems" in schema else {}
            return f"list[{inner}]", bounds
        case _:
            imports.add("typing", "Any")
            bounds = {"max_length": str(schema["maxProperties"])} if "maxProperties" in schema else {}
            return "dict[str, Any]", bounds


def _string(schema: Schema, imports: python.Imports) -> tuple[str, dict[str, str]]:
    format = schema.get("format", "")
    if format in _FORMATS:
        imports.add(*_FORMATS[format])
        return _FORMATS[format][1], {"tz": "True"} if format == "date-time" else {}
    if schema.get("contentEncoding") == "base64":
        return "bytes", {"max_length": str(int((schema["maxLength"] - 4) * 3 / 4))} if "maxLength" in schema else {}
    bounds = {}
    for key, name in (("minLength", "min_length"), ("maxLength", "max_length")):
        if key in schema:
            bounds[name] = str(schema[key])
    pattern = schema.get("pattern", {"email": _EMAIL, "uri": _URI}.get(format, ""))
    if pattern:
        # In Python `$` also matches before a line feed at the end.
        exact = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
        bounds["pattern"] = f'r"{exact}"' if '"' not in exact else repr(exact)
    return "str", bounds


def default_of(schema: Schema) -> Any:
    """What a member is when it is left out; None where that is not said."""
    return schema.get("default")
