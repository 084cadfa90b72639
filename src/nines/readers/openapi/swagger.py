"""Rewrites a Swagger 2.0 document into the words of OpenAPI 3."""

from __future__ import annotations

from typing import Any

_SCHEMA_KEYS = (
    *("type", "format", "items", "enum", "default", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "multipleOf", "example"),
)
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_FLOWS = {"accessCode": "authorizationCode", "application": "clientCredentials"}


def as_openapi(document: dict[str, Any]) -> dict[str, Any]:
    """The same operations, as far as the two can say the same; references keep pointing where they did."""
    rewriting = _Rewriting(document)
    return {
        **document,
        "servers": [{"url": document.get("basePath") or "/"}],
        "paths": rewriting.paths(),
        "components": {"securitySchemes": rewriting.schemes()},
    }


class _Rewriting:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._shared = _mapping(document.get("parameters"))
        self._responses = _mapping(document.get("responses"))
        self._consumes = _list(document.get("consumes")) or ["application/json"]
        self._produces = _list(document.get("produces")) or ["application/json"]

    def paths(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path, item in _mapping(self._document.get("paths")).items():
            shared = _list(_mapping(item).get("parameters"))
            found[path] = {
                method: self._operation(node, shared)
                for method, node in _mapping(item).items()
                if method in _METHODS and isinstance(node, dict)
            }
        return found

    def schemes(self) -> dict[str, Any]:
        found = {}
        for name, scheme in _mapping(self._document.get("securityDefinitions")).items():
            node = dict(_mapping(scheme))
            if node.get("type") == "basic":
                node |= {"type": "http", "scheme": "basic"}
            elif node.get("type") == "oauth2":
                flow = str(node.get("flow", ""))
                node["flows"] = {_FLOWS.get(flow, flow): {"tokenUrl": node.get("tokenUrl", "")}}
            found[name] = node
        return found

    def _operation(self, node: dict[str, Any], shared: list[Any]) -> dict[str, Any]:
        parameters = [self._followed(value) for value in [*shared, *_list(node.get("parameters"))]]
        operation = {
            **node,
            "parameters": [_parameter(p) for p in parameters if p.get("in") not in ("body", "formData")],
        }
        body = self._body(parameters, _list(node.get("consumes")) or self._consumes)
        if body is not None:
            operation["requestBody"] = body
        produces = _list(node.get("produces")) or self._produces
        operation["responses"] = {
            status: self._response(value, produces) for status, value in _mapping(node.get("responses")).items()
        }
        return operation

    def _followed(self, value: Any) -> dict[str, Any]:
        reference = str(_mapping(value).get("$ref", ""))
        return _mapping(self._shared.get(reference.rpartition("/")[2]) if reference else value)

    def _body(self, parameters: list[dict[str, Any]], consumes: list[Any]) -> dict[str, Any] | None:
        for parameter in parameters:
            if parameter.get("in") == "body":
                content = {str(media): {"schema": parameter.get("schema", {})} for media in consumes}
                return {"required": parameter.get("required") is True, "content": content}
        fields = [parameter for parameter in parameters if parameter.get("in") == "formData"]
        if not fields:
            return None
        schema = {
            "type": "object",
            "properties": {str(field.get("name")): _schema(field) for field in fields},
            "required": [str(field.get("name")) for field in fields if field.get("required") is True],
        }
        has_file = any(field.get("type") == "file" for field in fields)
        media = "multipart/form-data" if has_file else "application/x-www-form-urlencoded"
        return {"required": bool(schema["required"]), "content": {media: {"schema": schema}}}

    def _response(self, value: Any, produces: list[Any]) -> dict[str, Any]:
        reference = str(_mapping(value).get("$ref", ""))
        node = _mapping(self._responses.get(reference.rpartition("/")[2]) if reference else value)
        if "schema" not in node:
            return node
        return {**node, "content": {str(media): {"schema": node["schema"]} for media in produces}}


def _parameter(node: dict[str, Any]) -> dict[str, Any]:
    return {"name": node.get("name"), "in": node.get("in"), "required": node.get("required"), "schema": _schema(node)}


def _schema(node: dict[str, Any]) -> dict[str, Any]:
    schema = {key: node[key] for key in _SCHEMA_KEYS if key in node}
    return {"type": "string", "format": "binary"} if schema.get("type") == "file" else schema


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
