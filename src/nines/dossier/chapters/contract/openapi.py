"""The contract as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from nines.checkers.contracts import guards
from nines.dossier.chapters.contract import headers, recovered, security, wellknown
from nines.model.blueprint import Action
from nines.model.design import Design, PlannedAnswer, PlannedEndpoint, PlannedParameter, Shape
from nines.model.design.shaping import references

VERSION = "3.1.1"
_REFERENCE = "#/components/schemas/"
_TRACING = ("X-Request-Id", "traceparent")
UNKNOWN = "What it answers was not understood from the code."

Json = dict[str, Any]


def document(design: Design) -> Json:
    """Every operation with all that it may answer; only what is used is among the components."""
    design = recovered.describable(design) if design.is_recovered else wellknown.described(design)
    known = design.endpoints
    found: Json = {
        "openapi": VERSION,
        "info": _info(design),
        "servers": [{"url": "/", "description": "Where the service runs; the version is part of each path."}],
        "tags": [_tag(name, design) for name in _tags(known)],
        "paths": _paths(design),
    }
    schemes = security.schemes(design)
    if schemes:
        found["security"] = [{name: []} for name in schemes]
        if design.tenancy is not None:
            found[guards.TENANT] = design.tenancy.key
        found |= security.tokens(design)
    found["components"] = {
        key: value
        for key, value in (
            ("securitySchemes", schemes),
            ("parameters", {name: _tracing(name) for name in _shared(design)}),
            ("headers", {name: headers.described(name) for name in headers.used(design)}),
            ("schemas", {shape.name: _schema(shape) for shape in used_shapes(design)}),
        )
        if value
    }
    return found


def _info(design: Design) -> Json:
    card = design.card
    says = card.purpose or f"The interface of {card.name}."
    if design.is_recovered:
        says += " Recovered from code: what is not said here is not known, which is not the same as not there."
    found: Json = {"title": card.name, "version": f"{_major(card.api)}.0.0", "description": says}
    if card.owner:
        found["contact"] = {"name": card.owner}
    return found


def _major(api: str) -> str:
    digits = "".join(each for each in api if each.isdigit())
    return digits or "0"


def _tags(endpoints: Iterable[PlannedEndpoint]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag_of(each) for each in endpoints))


def tag_of(endpoint: PlannedEndpoint) -> str:
    """What an operation is listed under: its resource, else the first name of its path after the version."""
    if endpoint.resource:
        return endpoint.resource
    named = [part for part in endpoint.path.split("/") if part and "{" not in part]
    telling = [part for part in named if not _PREFIX.fullmatch(part)]
    return next(iter((*telling, *named)), "root")


_PREFIX = re.compile(r"api|rest|v[0-9]+([.][0-9]+)*")


def _tag(name: str, design: Design) -> Json:
    shape = design.shape(name)
    says = shape.schema.get("description", "") if shape else ""
    return {"name": name, **({"description": says} if says else {})}


def _paths(design: Design) -> Json:
    """In the order of the operations; what one path has in common is said once."""
    found: Json = {}
    for endpoint in design.endpoints:
        shared = [_parameter_reference(name) for name in _shared(design)]
        item = found.setdefault(endpoint.path, {"parameters": shared} if shared else {})
        item[endpoint.method.lower()] = _operation(endpoint, design)
    return found


def _operation(endpoint: PlannedEndpoint, design: Design) -> Json:
    found: Json = {
        "operationId": endpoint.id,
        "tags": [tag_of(endpoint)],
        "summary": endpoint.summary or endpoint.id,
        "description": description(endpoint),
    }
    if endpoint.deprecation is not None:
        found["deprecated"] = True
        if endpoint.deprecation.sunset:
            found["x-sunset"] = endpoint.deprecation.sunset
    found |= security.guarded(endpoint, design)
    if endpoint.parameters:
        found["parameters"] = [_parameter(each) for each in endpoint.parameters]
    if endpoint.request:
        media_type = endpoint.request_media_type or "application/json"
        body: Json = {"schema": {"$ref": _REFERENCE + endpoint.request}}
        if endpoint.request_example is not None:
            body["examples"] = {"example": {"value": endpoint.request_example}}
        found["requestBody"] = {"required": True, "content": {media_type: body}}
    found["responses"] = _responses(endpoint, design)
    if endpoint.is_public and security.schemes(design):
        found["security"] = []
    if design.is_recovered and (gaps := recovered.unknown(endpoint)):
        found["x-nines-unknown"] = list(gaps)
    return found


def description(endpoint: PlannedEndpoint) -> str:
    """Who may call it, how often, and what a caller must know before trying again."""
    said = [security.who(endpoint)]
    if endpoint.idempotency is not None:
        hours = endpoint.idempotency.ttl_s / 3_600
        said.append(f"An Idempotency-Key is kept for {hours:g} hours.")
    if endpoint.limit is not None:
        said.append(f"{_sentence(headers.says(endpoint.limit))}.")
    if endpoint.body_bytes_max:
        said.append(f"A body has at most {endpoint.body_bytes_max:,} bytes.")
    if endpoint.deprecation is not None:
        said.append(headers.ending(endpoint.deprecation))
    return " ".join(each for each in said if each)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _shared(design: Design) -> tuple[str, ...]:
    """What every operation takes; of code that was read nobody knows it."""
    return _TRACING if design.endpoints and not design.is_recovered else ()


def _parameter_reference(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}


def _tracing(name: str) -> Json:
    says = {
        "X-Request-Id": "Your own name for this request; without it one is made.",
        "traceparent": "The trace that this request is a part of (W3C Trace Context).",
    }
    pattern = {"X-Request-Id": "^[A-Za-z0-9_-]{1,64}$", "traceparent": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"}
    return {
        "name": name,
        "in": "header",
        "description": says[name],
        "schema": {"type": "string", "pattern": pattern[name]},
    }


def _parameter(parameter: PlannedParameter) -> Json:
    found: Json = {"name": parameter.name, "in": parameter.location}
    if parameter.says:
        found["description"] = parameter.says
    if parameter.is_required or parameter.location == "path":
        found["required"] = True
    if parameter.schema.get("type") == "array":
        found |= {"style": "form", "explode": False}
    found["schema"] = parameter.schema
    return found | ({"example": parameter.example} if parameter.example is not None else {})


def _responses(endpoint: PlannedEndpoint, design: Design) -> Json:
    found: Json = {}
    for status in dict.fromkeys(answer.status for answer in endpoint.answers):
        same = [answer for answer in endpoint.answers if answer.status == status]
        found[str(status)] = _response(same, endpoint, design)
    return found or {"default": {"description": UNKNOWN}}


def _response(same: list[PlannedAnswer], endpoint: PlannedEndpoint, design: Design) -> Json:
    found: Json = {"description": " Or: ".join(answer.says for answer in same) or f"Status {same[0].status}."}
    names = sorted({name for answer in same for name in answer.headers})
    if names:
        found["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    content: Json = {}
    for answer in same:
        if answer.shape or answer.example is not None:
            body = content.setdefault(answer.media_type, _content(answer))
            if answer.example is not None:
                body.setdefault("examples", {})[answer.problem or "example"] = {"value": answer.example}
    if content:
        found["content"] = content
    links = dict(_links(same[0], endpoint, design))
    return found | ({"links": links} if links else {})


def _content(answer: PlannedAnswer) -> Json:
    return {"schema": {"$ref": _REFERENCE + answer.shape} if answer.shape else {}}


def _links(answer: PlannedAnswer, endpoint: PlannedEndpoint, design: Design) -> Iterator[tuple[str, Json]]:
    """From an object that was made to everything that can be done with it."""
    is_made = endpoint.action is Action.CREATE and answer.status in (201, 202)
    if not is_made or "Location" not in answer.headers or answer.shape != endpoint.resource:
        return
    for target in design.endpoints:
        names = [each.name for each in target.parameters if each.location == "path"]
        if target.resource == endpoint.resource and len(names) == 1:
            yield target.id, {"operationId": target.id, "parameters": {names[0]: "$response.body#/id"}}


def _schema(shape: Shape) -> Json:
    return shape.schema | ({"examples": [shape.example]} if shape.example is not None else {})


def used_shapes(design: Design) -> tuple[Shape, ...]:
    """The shapes that the operations reach, by themselves or through one another, by name."""
    wanted = [each.request for each in design.endpoints if each.request]
    wanted += [answer.shape for each in design.endpoints for answer in each.answers if answer.shape]
    return reached(design, wanted)


def reached(design: Design, wanted: Iterable[str]) -> tuple[Shape, ...]:
    waiting, found = list(dict.fromkeys(wanted)), dict[str, Shape]()
    while waiting:
        name = waiting.pop()
        shape = design.shape(name)
        if shape is None or name in found:
            continue
        found[name] = shape
        waiting += references(shape.schema)
    return tuple(found[name] for name in sorted(found))
