"""Requests and answers as they go over the wire, for people to try and to compare with."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from nines.dossier.chapters.contract import headers, security
from nines.dossier.markdown import fence
from nines.model.design import Design, PlannedAnswer, PlannedEndpoint

HOST = "https://$HOST"
_TOKEN = "$TOKEN"  # noqa: S105 -- the name of a variable.
_SHORT_MAX = 5
"""Members of an object that is short enough to be shown again."""
_PHRASES = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    428: "Precondition Required",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

Told = dict[str, dict[str, Any]]
"""The examples that a page has told already, by their shape."""


def curl(endpoint: PlannedEndpoint, design: Design) -> str:
    """The request as somebody would try it."""
    lines = [f'curl{"" if endpoint.method == "GET" else f" -X {endpoint.method}"} "{HOST}{_filled(endpoint)}"']
    if not endpoint.is_public and endpoint.guards_known:
        lines += _credential(design)
    for each in endpoint.parameters:
        if each.location == "header" and each.is_required:
            lines.append(f"-H {shlex.quote(f'{each.name}: {each.example}')}")
    if endpoint.request:
        lines.append(f"-H 'Content-Type: {endpoint.request_media_type or 'application/json'}'")
        if endpoint.request_example is not None:
            lines.append(f"-d {shlex.quote(_pretty(endpoint.request_example))}")
    return " \\\n  ".join(lines)


def _credential(design: Design) -> list[str]:
    """A variable stands for the secret, so that the shell fills it in."""
    scheme: dict[str, Any] = next(iter(security.schemes(design).values()), {})
    match scheme.get("type"):
        case "http":
            return [f'-H "Authorization: Bearer {_TOKEN}"']
        case "apiKey":
            if scheme["in"] == "cookie":
                return [f'-b "{scheme["name"]}={_TOKEN}"']
            return [f'-H "{scheme["name"]}: {_TOKEN}"']
        case "mutualTLS":
            return ['--cert "$CERTIFICATE" --key "$KEY"']
        case _:
            return []


def _filled(endpoint: PlannedEndpoint) -> str:
    path = endpoint.path
    query = []
    for each in endpoint.parameters:
        if each.location == "path" and each.example is not None:
            path = path.replace(f"{{{each.name}}}", str(each.example))
        if each.location == "query" and each.example is not None and each.name not in ("fields", "page_size"):
            query.append(f"{each.name}={each.example}")
    return path + (f"?{query[0]}" if query else "")


def success(answer: PlannedAnswer, endpoint: PlannedEndpoint, design: Design, told: Told) -> list[str]:
    """An object that the page has shown before is shown by what is different."""
    location = _location(answer, endpoint)
    sent = [
        f"{name}: {value}"
        for name in answer.headers
        if (value := headers.value(name, endpoint, answer, design, location))
    ]
    lines = [f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, '')}".rstrip(), *sent]
    if answer.example is None:
        return [answer.says, fence("http", "\n".join(lines))]
    lines.insert(1, f"Content-Type: {answer.media_type}")
    shown, says = _shortened(answer, endpoint, told)
    return [says, fence("http", "\n".join([*lines, "", _pretty(shown)]))]


def _shortened(answer: PlannedAnswer, endpoint: PlannedEndpoint, told: Told) -> tuple[Any, str]:
    example = answer.example
    if not isinstance(example, dict) or "id" not in example:
        return example, answer.says
    earlier = told.setdefault(answer.shape, example)
    if earlier is example or len(example) <= _SHORT_MAX or endpoint.is_safe:
        return example, answer.says
    differing = {name: value for name, value in example.items() if name == "id" or earlier.get(name) != value}
    return differing, f"{answer.says} Shown without the members that are as above:"


def _location(answer: PlannedAnswer, endpoint: PlannedEndpoint) -> str:
    """Of an object that was made, or the status resource that the sentence names."""
    if not isinstance(answer.example, dict) or "id" not in answer.example:
        return ""
    named = re.search(r"`GET ([^`]+)`", answer.says)
    path = named[1] if named else endpoint.path
    identifier = str(answer.example["id"])
    if "{" in path:
        return re.sub(r"\{\w+\}.*", identifier, path) if not named else re.sub(r"\{\w+\}", identifier, path)
    return f"{path}/{identifier}"


def raw(answer: PlannedAnswer, endpoint: PlannedEndpoint, design: Design) -> str:
    """The whole answer as it comes over the wire."""
    sent = [f"{name}: {value}" for name in answer.headers if (value := headers.value(name, endpoint, answer, design))]
    status = f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, '')}".rstrip()
    return "\n".join([status, f"Content-Type: {answer.media_type}", *sent, "", _pretty(answer.example)])


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
