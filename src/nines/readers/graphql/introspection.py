"""What a graph answers about itself."""

from __future__ import annotations

import json
from typing import Any

from nines.model.errors import SourceError
from nines.model.graph import GraphArgument, GraphField, GraphKind, GraphRef, GraphSchema, GraphType

WRAPS_MAX = 7
"""How deep a type is wrapped into lists and demands; the query asks no deeper."""
_REF = "kind name" + " ofType { kind name" * WRAPS_MAX + " }" * WRAPS_MAX
QUERY = (
    "query nines { __schema { queryType { name } mutationType { name } types { kind name "
    f"fields(includeDeprecated: true) {{ name description isDeprecated args {{ name defaultValue type {{ {_REF} }} }} "
    f"type {{ {_REF} }} }} inputFields {{ name defaultValue type {{ {_REF} }} }} enumValues {{ name }} "
    "possibleTypes { name } } } }"
)
_KINDS = {
    "OBJECT": GraphKind.OBJECT,
    "INTERFACE": GraphKind.INTERFACE,
    "UNION": GraphKind.UNION,
    "ENUM": GraphKind.ENUM,
    "INPUT_OBJECT": GraphKind.INPUT,
    "SCALAR": GraphKind.SCALAR,
}


def read_answer(body: bytes) -> GraphSchema:
    """Raises SourceError for anything but an answer to QUERY."""
    try:
        told = json.loads(body)["data"]["__schema"]
        types = {each["name"]: _type(each) for each in told["types"] if not each["name"].startswith("__")}
        return GraphSchema(types=types, query=_name(told, "queryType"), mutation=_name(told, "mutationType"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError("this is no answer to a question for a schema", detail=repr(error)[:200]) from error


def _name(told: dict[str, Any], root: str) -> str:
    return str((told.get(root) or {}).get("name") or "")


def _type(told: dict[str, Any]) -> GraphType:
    return GraphType(
        name=told["name"],
        kind=_KINDS[told["kind"]],
        fields=tuple(_field(each) for each in told.get("fields") or ()),
        inputs=tuple(_argument(each) for each in told.get("inputFields") or ()),
        values=tuple(str(each["name"]) for each in told.get("enumValues") or ()),
        members=tuple(str(each["name"]) for each in told.get("possibleTypes") or ()),
    )


def _field(told: dict[str, Any]) -> GraphField:
    return GraphField(
        name=told["name"],
        type=_ref(told["type"]),
        arguments=tuple(_argument(each) for each in told.get("args") or ()),
        is_deprecated=bool(told.get("isDeprecated")),
        says=str(told.get("description") or "").partition("\n")[0],
    )


def _argument(told: dict[str, Any]) -> GraphArgument:
    return GraphArgument(
        name=told["name"], type=_ref(told["type"]), has_default=told.get("defaultValue") not in (None, "null")
    )


def _ref(told: dict[str, Any]) -> GraphRef:
    wraps, at = "", told
    while at.get("ofType"):
        wraps += "!" if at["kind"] == "NON_NULL" else "["
        at = at["ofType"]
    return GraphRef(name=str(at["name"]), wraps=wraps)
