"""Reads the operations of an OpenAPI 3 document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from msgspec import structs

from nines.model.contract import Answer, Body, ContractParameter, Link, Operation, SecurityScheme
from nines.readers.openapi.schemas import Resolver

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
OPERATIONS_MAX = 5_000
ITEMS_MAX = 200
"""Parameters, answers, links, examples of one operation that are kept, each."""
PARAMETER_LOCATIONS = frozenset({"path", "query", "header", "cookie"})
_RANK_JSON, _RANK_FORM, _RANK_MULTIPART, _RANK_OTHER = range(4)


class Operations:
    """The operations of one document; what is malformed is left out, not a reason to stop."""

    def __init__(self, document: dict[str, Any], resolver: Resolver) -> None:
        self._document = document
        self._resolver = resolver
        self._security = _alternatives(document.get("security"))
        self._base = base_path(document.get("servers"))

    def read(self) -> tuple[Operation, ...]:
        found = [self._operation(path, item, method, node) for path, item, method, node in self._nodes()]
        uses = Counter(operation.id for operation in found)
        unique = [operation if uses[operation.id] == 1 else _renamed(operation) for operation in found]
        return tuple(self._with_links(unique, [node for *_, node in self._nodes()]))

    def _nodes(self) -> Iterator[tuple[str, dict[str, Any], str, dict[str, Any]]]:
        left = OPERATIONS_MAX
        for path, value in _items(self._document.get("paths")):
            item = self._resolver.mapping(value)
            for method in METHODS:
                node = item.get(method)
                if isinstance(node, dict) and left > 0 and path.startswith("/"):
                    left -= 1
                    yield path, item, method, node

    def _operation(self, path: str, item: dict[str, Any], method: str, node: dict[str, Any]) -> Operation:
        base = next((base_path(level["servers"]) for level in (node, item) if level.get("servers")), self._base)
        full = base + path
        return Operation(
            id=_text(node.get("operationId")) or f"{method.upper()} {full}",
            method=method.upper(),
            path=full,
            summary=_text(node.get("summary")) or _text(node.get("description")).partition("\n")[0],
            tags=tuple(tag for tag in _list(node.get("tags")) if isinstance(tag, str)),
            parameters=self._parameters(item, node),
            body=self._body(node.get("requestBody")),
            answers=tuple(self._answers(node.get("responses"))),
            security=_alternatives(node["security"]) if isinstance(node.get("security"), list) else self._security,
            is_deprecated=node.get("deprecated") is True,
        )

    def _parameters(self, item: dict[str, Any], node: dict[str, Any]) -> tuple[ContractParameter, ...]:
        """The path's parameters, where the operation does not say otherwise, then its own."""
        found: dict[tuple[str, str], ContractParameter] = {}
        for value in [*_list(item.get("parameters")), *_list(node.get("parameters"))][:ITEMS_MAX]:
            parameter = self._resolver.mapping(value)
            name, location = _text(parameter.get("name")), _text(parameter.get("in"))
            if name and location in PARAMETER_LOCATIONS:
                found[location, name] = self._parameter(parameter, name, location)
        return tuple(found.values())

    def _parameter(self, parameter: dict[str, Any], name: str, location: str) -> ContractParameter:
        schema = parameter.get("schema")
        if schema is None:
            schema = next((self._resolver.mapping(m).get("schema") for _, m in _items(parameter.get("content"))), None)
        resolved = self._resolver.schema(schema)
        examples = self._examples(parameter, resolved)
        return ContractParameter(
            name=name,
            location=location,
            is_required=location == "path" or parameter.get("required") is True,
            schema=resolved,
            example=examples[0] if examples else None,
        )

    def _body(self, value: Any) -> Body | None:
        body = self._resolver.mapping(value)
        media = sorted(_items(body.get("content")), key=lambda pair: _media_rank(pair[0]))
        if not media:
            return None
        media_type, node = media[0]
        content = self._resolver.mapping(node)
        schema = self._resolver.schema(content.get("schema"))
        return Body(
            media_type=media_type,
            schema=schema,
            is_required=body.get("required") is True,
            examples=tuple(self._examples(content, schema)),
        )

    def _answers(self, responses: Any) -> Iterator[Answer]:
        for status, value in list(_items(responses))[:ITEMS_MAX]:
            if status.startswith("x-"):
                continue
            response = self._resolver.mapping(value)
            media = sorted(_items(response.get("content")), key=lambda pair: _media_rank(pair[0]))
            media_type, node = media[0] if media else ("", {})
            yield Answer(
                status=status,
                media_type=media_type,
                schema=self._resolver.schema(self._resolver.mapping(node).get("schema")),
                headers=tuple(name for name, _ in _items(response.get("headers"))),
            )

    def _examples(self, node: dict[str, Any], schema: dict[str, Any]) -> list[Any]:
        """The examples beside a schema before those within it."""
        found = [node["example"]] if "example" in node else []
        for _, value in _items(node.get("examples")):
            example = self._resolver.mapping(value)
            if "value" in example:
                found.append(example["value"])
        inside = schema.get("examples")
        return (found + (inside if isinstance(inside, list) else []))[:ITEMS_MAX]

    def _with_links(self, operations: list[Operation], nodes: list[dict[str, Any]]) -> Iterator[Operation]:
        by_id = {
            _text(node.get("operationId")): operation.id for operation, node in zip(operations, nodes, strict=True)
        }
        by_place = {
            (operation.path.removeprefix(self._base), operation.method): operation.id for operation in operations
        }
        for operation, node in zip(operations, nodes, strict=True):
            links = tuple(self._links(node, by_id, by_place))[:ITEMS_MAX]
            yield _replaced(operation, links=links) if links else operation

    def _links(
        self, node: dict[str, Any], by_id: dict[str, str], by_place: dict[tuple[str, str], str]
    ) -> Iterator[Link]:
        for _, value in _items(node.get("responses")):
            for _, link_value in _items(self._resolver.mapping(value).get("links")):
                link = self._resolver.mapping(link_value)
                target = by_id.get(_text(link.get("operationId"))) or by_place.get(_place(link.get("operationRef")))
                for parameter, expression in _items(link.get("parameters")):
                    pointer = _text(expression).partition("$response.body#")[2]
                    if target and pointer:
                        yield Link(target=target, parameter=parameter.rpartition(".")[2], pointer=pointer)


def security_schemes(document: dict[str, Any], resolver: Resolver) -> Iterator[SecurityScheme]:
    components = resolver.mapping(document.get("components"))
    for name, value in list(_items(components.get("securitySchemes")))[:ITEMS_MAX]:
        node = resolver.mapping(value)
        flows = (resolver.mapping(flow) for _, flow in _items(node.get("flows")))
        yield SecurityScheme(
            name=name,
            kind=_text(node.get("type")),
            scheme=_text(node.get("scheme")).lower(),
            location=_text(node.get("in")),
            parameter=_text(node.get("name")),
            token_url=next((_text(flow.get("tokenUrl")) for flow in flows if flow.get("tokenUrl")), ""),
        )


def base_path(servers: Any) -> str:
    """The path of the first server, its variables filled with their defaults."""
    first = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], dict) else {}
    url = _text(first.get("url"))
    for name, variable in _items(first.get("variables")):
        default = variable.get("default") if isinstance(variable, dict) else None
        url = url.replace("{" + name + "}", str(default) if default is not None else "")
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    path = path.rstrip("/")
    return path if not path or path.startswith("/") else f"/{path}"


def _alternatives(security: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(str, entry)) for entry in _list(security) if isinstance(entry, dict))


def _media_rank(media_type: str) -> int:
    bare = media_type.partition(";")[0].strip().lower()
    if bare.endswith(("/json", "+json")) or bare == "*/*":
        return _RANK_JSON
    if bare == "application/x-www-form-urlencoded":
        return _RANK_FORM
    return _RANK_MULTIPART if bare.startswith("multipart/") else _RANK_OTHER


def _renamed(operation: Operation) -> Operation:
    return _replaced(operation, id=f"{operation.method} {operation.path}")


def _replaced(operation: Operation, **changes: Any) -> Operation:
    return structs.replace(operation, **changes)


def _place(reference: Any) -> tuple[str, str]:
    """Path and method that an operationRef such as "#/paths/~1items~1{id}/get" points to."""
    parts = _text(reference).partition("#/paths/")[2].split("/")
    path = parts[0].replace("~1", "/").replace("~0", "~")
    return path, parts[-1].upper()


def _items(value: Any) -> list[tuple[str, Any]]:
    return [(str(key), item) for key, item in value.items()] if isinstance(value, dict) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
