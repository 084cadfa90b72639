"""A request to an operation of a graph as it goes on the wire.

To everything else such an operation looks like any other: a method, a path, headers, a body. Here, and nowhere else,
that becomes a document with its variables."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from nines.model.contract import Document
from nines.model.experiment import Call

ACCEPT = "application/graphql-response+json, application/json;q=0.9"
_PARAMETER = re.compile(r"\{([^{}]+)\}")


def asked(call: Call, document: Document) -> Call:
    """The request that is really sent; without a text of its own the body is sent as it is."""
    if not document.text:
        headers = (*call.headers, ("accept", ACCEPT))
        return msgspec.structs.replace(call, method="POST", path=document.endpoint, headers=headers)
    variables, rest = _variables(call, document)
    head = json.dumps({"query": document.text}, separators=(",", ":"))[:-1]
    if rest is None:
        body = f'{head},"variables":{json.dumps(variables, separators=(",", ":"))}}}'.encode()
    else:
        # What is no object stays as it is, to the last byte: whoever sends it means it so.
        body = head.encode() + b',"variables":' + rest + b"}"
    named = {name.lower() for name, _ in document.places}
    kept = tuple((name, value) for name, value in call.headers if name.lower() not in {*named, "accept"})
    if not any(name.lower() == "content-type" for name, _ in kept):
        kept = (*kept, ("content-type", "application/json"))
    headers = (*kept, ("accept", ACCEPT))
    return msgspec.structs.replace(call, method="POST", path=document.endpoint, headers=headers, body=body)


def _variables(call: Call, document: Document) -> tuple[dict[str, Any], bytes | None]:
    """By their names; or the body as it is, where it is none that could hold variables."""
    found: dict[str, Any] = {}
    if call.body:
        try:
            told = json.loads(call.body)
        except (ValueError, RecursionError):
            return {}, call.body
        if not isinstance(told, dict):
            return {}, call.body
        found = told
    places, kinds = dict(document.places), dict(document.kinds)
    given: dict[str, list[str]] = {}
    parts = urlsplit(call.path)
    for name, value in (*_in_path(document.template, parts.path), *parse_qsl(parts.query, keep_blank_values=True)):
        given.setdefault(name, []).append(value)
    for name, value in call.headers:
        wanted = next((place for place in places if place.lower() == name.lower()), None)
        if wanted is not None:
            # Whatever the tag of an object is ("*"), no variable stands for it.
            given.setdefault(wanted, []).append(value.strip('"') if value != "*" else "")
    for name, values in given.items():
        if name in places and values != [""]:
            _put(found, places[name].split("."), _read(values, kinds.get(name, "")))
    return found, None


def _in_path(template: str, path: str) -> list[tuple[str, str]]:
    wanted, sent = template.split("/"), path.split("/")
    if len(wanted) != len(sent):
        return []
    pairs = zip(wanted, sent, strict=True)
    return [(name[1], unquote(value)) for part, value in pairs if (name := _PARAMETER.fullmatch(part))]


def _put(variables: dict[str, Any], names: list[str], value: Any) -> None:
    at = variables
    for name in names[:-1]:
        inner = at.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        at = inner
    at[names[-1]] = value


def _read(values: list[str], kind: str) -> Any:
    """A parameter is text; a variable has a type. What is not of the type is sent as text all the same."""
    if kind == "array":
        return values
    if len(values) > 1:
        return [_read([value], kind) for value in values]
    (text,) = values
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        return text
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text
