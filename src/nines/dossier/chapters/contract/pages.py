"""One page for each kind of thing: every operation with a request, what it answers, and how it can fail."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from nines.dossier.chapters.contract import headers, openapi, security
from nines.dossier.markdown import code, fence, heading, link, page, table
from nines.model.design import Design, Document, PlannedAnswer, PlannedEndpoint

FOLDER = "operations"
_EXPLAINED = ("Idempotency-Key", "If-Match", "If-None-Match")
"""Headers that the chapter's own page explains for all operations."""
_COMMON_MIN = 3
_SHORT_MAX = 5
"""Members of an object that is short enough to be shown again."""
HOST = "https://$HOST"
_TOKEN = "$TOKEN"  # noqa: S105 -- the name of a variable.
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


def file_name(tag: str) -> str:
    """ "RefundRequest" is told in "refund-request.md"."""
    kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", tag).lower()
    return re.sub(r"[^a-z0-9]+", "-", kebab).strip("-") + ".md"


def anchor(title: str) -> str:
    """As the usual renderers of Markdown make it of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def title_of(endpoint: PlannedEndpoint) -> str:
    """ "createPayment" is told under "Create payment"; an id that is no such name stays as it is."""
    if not re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)*", endpoint.id):
        return endpoint.id
    said = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", endpoint.id).lower()
    return said[:1].upper() + said[1:]


def places(design: Design) -> list[str]:
    """Where each operation is told, relative to the chapter's folder, in their order.

    A heading that is there twice gets a number, as renderers do it."""
    found: list[str] = []
    counts: dict[str, int] = {}
    for endpoint in design.endpoints:
        place = f"{FOLDER}/{file_name(openapi.tag_of(endpoint))}#{anchor(title_of(endpoint))}"
        earlier = counts.get(place, 0)
        counts[place] = earlier + 1
        found.append(f"{place}-{earlier}" if earlier else place)
    return found


def documents(design: Design, folder: str) -> Iterable[Document]:
    for tag in dict.fromkeys(openapi.tag_of(each) for each in design.endpoints):
        mine = [each for each in design.endpoints if openapi.tag_of(each) == tag]
        shape = design.shape(tag)
        says = shape.schema.get("description", "") if shape else ""
        told: Told = {}
        blocks = [block for endpoint in mine for block in _operation(endpoint, design, told)]
        yield Document(path=f"{folder}/{FOLDER}/{file_name(tag)}", text=page(heading(1, tag), says, *blocks), title=tag)


Told = dict[str, dict[str, Any]]
"""The examples that a page has told already, by their shape."""


def _operation(endpoint: PlannedEndpoint, design: Design, told: Told) -> list[str]:
    said = [
        heading(2, title_of(endpoint)),
        f"{code(f'{endpoint.method} {endpoint.path}')} — {' '.join(_conditions(endpoint))}",
    ]
    if endpoint.summary not in ("", endpoint.id, title_of(endpoint)):
        said.insert(1, endpoint.summary)
    said.append(_parameters(endpoint))
    if not endpoint.answers:
        return [*said, openapi.UNKNOWN]
    said.append(fence("sh", curl(endpoint, design)))
    for answer in endpoint.answers:
        if answer.status < 400:
            said += _success(answer, endpoint, design, told)
    return [*said, *_failures(endpoint, design)]


def _conditions(endpoint: PlannedEndpoint) -> Iterator[str]:
    """Who may call it, what must come along, how often, and for how much longer."""
    yield security.who(endpoint)
    sent = [each for each in endpoint.parameters if each.name in _EXPLAINED]
    must = [code(each.name) for each in sent if each.is_required]
    may = [code(each.name) for each in sent if not each.is_required and each.name != "If-None-Match"]
    if must:
        yield f"{' and '.join(must)} must be sent."
    if may:
        yield f"{' and '.join(may)} may be sent."
    if endpoint.limit is not None:
        said = headers.says(endpoint.limit)
        yield f"{said[:1].upper()}{said[1:]}."
    if endpoint.deprecation is not None:
        yield headers.ending(endpoint.deprecation)


def _parameters(endpoint: PlannedEndpoint) -> str:
    """Those that need a word; the path's own speak for themselves, and those of many are explained once."""
    rows = [
        (code(each.name), each.location, "yes" if each.is_required else "no", bounds(each.schema), each.says)
        for each in endpoint.parameters
        if each.location != "path" and each.name not in _EXPLAINED
    ]
    return table(("parameter", "in", "required", "form", "meaning"), rows)


def bounds(schema: dict[str, Any]) -> str:
    """What a schema allows, in a few words."""
    if "enum" in schema:
        return ", ".join(code(str(each)) for each in schema["enum"] if each is not None)
    if schema.get("type") == "array":
        return f"of {bounds(schema['items'])}"
    kind = schema.get("format") or schema.get("type", "")
    kind = "/".join(str(each) for each in kind) if isinstance(kind, list) else str(kind)
    if "pattern" in schema:
        return code(schema["pattern"])
    if "minimum" in schema and "maximum" in schema:
        given = f", {schema['default']:,} unless said" if isinstance(schema.get("default"), int) else ""
        return f"{schema['minimum']:,} to {schema['maximum']:,}{given}"
    return f"{kind}, at most {schema['maxLength']:,} characters" if "maxLength" in schema else kind


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


def _success(answer: PlannedAnswer, endpoint: PlannedEndpoint, design: Design, told: Told) -> list[str]:
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
    shown, says = _shortened(answer, told)
    return [says, fence("http", "\n".join([*lines, "", _pretty(shown)]))]


def _shortened(answer: PlannedAnswer, told: Told) -> tuple[Any, str]:
    example = answer.example
    if not isinstance(example, dict) or "id" not in example:
        return example, answer.says
    earlier = told.setdefault(answer.shape, example)
    if earlier is example or len(example) <= _SHORT_MAX:
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


def _failures(endpoint: PlannedEndpoint, design: Design) -> list[str]:
    """What is special here as a table; what is the same wherever it occurs as a list of links."""
    failed = [each for each in endpoint.answers if each.status >= 400]
    common = _common(design)
    rows = [(str(each.status), _to(each), _detail(each)) for each in failed if each.problem not in common]
    others = ", ".join(f"{each.status} {_to(each)}" for each in failed if each.problem in common)
    return [table(("status", "problem", "detail"), rows), f"As elsewhere: {others}." if others else ""]


def _to(answer: PlannedAnswer) -> str:
    return link(answer.problem, f"../problems.md#{anchor(problem_title(answer))}")


def _common(design: Design) -> set[str]:
    """The problems of which every operation that has them says the same."""
    said: dict[str, list[str]] = {}
    for endpoint in design.endpoints:
        for answer in endpoint.answers:
            if answer.problem:
                said.setdefault(answer.problem, []).append(_detail(answer))
    return {problem for problem, details in said.items() if len(details) >= _COMMON_MIN and len(set(details)) == 1}


def problem_title(answer: PlannedAnswer) -> str:
    return f"{answer.status} {answer.problem}"


def _detail(answer: PlannedAnswer) -> str:
    wrong = answer.example.get("errors", ()) if isinstance(answer.example, dict) else ()
    return " ".join([answer.says, *(f"{code(each['pointer'])}: {each['detail']}" for each in wrong)])


def raw(answer: PlannedAnswer, endpoint: PlannedEndpoint, design: Design) -> str:
    """The whole answer as it comes over the wire."""
    sent = [f"{name}: {value}" for name in answer.headers if (value := headers.value(name, endpoint, answer, design))]
    status = f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, '')}".rstrip()
    return "\n".join([status, f"Content-Type: {answer.media_type}", *sent, "", _pretty(answer.example)])


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
