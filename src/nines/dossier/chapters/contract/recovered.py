"""Operations that were found in code, put so that an OpenAPI document can hold them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.design import Design, PlannedEndpoint, PlannedParameter

METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")
_CONVERTED = re.compile(r"\{([^{}:]+):[^{}]*\}")
_NAMED = re.compile(r"\{([^{}]+)\}")
_IN_DOCUMENT = ("path", "query", "header", "cookie")


def describable(design: Design) -> Design:
    """The design with those operations that a document can hold, each once and with an identifier of its own."""
    found: dict[tuple[str, str], PlannedEndpoint] = {}
    taken: set[str] = set()
    for endpoint in design.endpoints:
        path = _path(endpoint.path)
        key = (endpoint.method.upper(), _NAMED.sub("{}", path))
        if key[0] not in METHODS or key in found:
            continue
        identifier = _identifier(key[0], path, taken)
        taken.add(identifier)
        summary = endpoint.summary or f"{key[0]} {path}"
        parameters = tuple(_parameters(endpoint, path))
        found[key] = replace(endpoint, id=identifier, method=key[0], path=path, summary=summary, parameters=parameters)
    return replace(design, endpoints=tuple(found.values()))


def left_out(design: Design) -> int:
    """How many operations no document can hold: their method is not known, or they are there twice."""
    return len(design.endpoints) - len(describable(design).endpoints)


def unknown(endpoint: PlannedEndpoint) -> tuple[str, ...]:
    """What the code did not tell, in words for the document."""
    gaps = (("callers", endpoint.guards_known), ("answers", bool(endpoint.answers)))
    bodiless = endpoint.request or endpoint.is_safe or endpoint.method in ("DELETE", "TRACE")
    return tuple(name for name, is_known in (*gaps, ("body", bool(bodiless))) if not is_known)


def _path(path: str) -> str:
    """With a slash in front, and without the converters of a framework."""
    return _CONVERTED.sub(r"{\1}", path if path.startswith("/") else f"/{path}")


def _parameters(endpoint: PlannedEndpoint, path: str) -> Iterator[PlannedParameter]:
    """Those of the path are known by the path; the others as the code names them, each once."""
    said = {(each.location, each.name): each for each in endpoint.parameters if each.location in _IN_DOCUMENT}
    names = list(dict.fromkeys(_NAMED.findall(path)))
    for name in names:
        plain = PlannedParameter(name=name, location="path", schema={})
        yield replace(said.get(("path", name), plain), is_required=True)
    yield from (each for (location, _), each in said.items() if location != "path")


def _identifier(method: str, path: str, taken: set[str]) -> str:
    """ "GET /items/{item_id}" is "getItemsItemId"; a number tells apart what is spelt alike."""
    words = re.findall(r"[A-Za-z0-9]+", path)
    plain = method.lower() + "".join(word[:1].upper() + word[1:] for word in words)
    number = 2
    found = plain
    while found in taken:
        found, number = f"{plain}{number}", number + 1
    return found
