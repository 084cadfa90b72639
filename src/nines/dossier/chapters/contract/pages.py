"""One page for each kind of thing: every operation with a request, what it answers, and how it can fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nines.dossier.chapters.contract import exchanges, headers, openapi, security
from nines.dossier.markdown import anchor, code, fence, heading, link, page, table
from nines.model.design import Design, Document, PlannedAnswer, PlannedEndpoint

FOLDER = "operations"
_EXPLAINED = ("Idempotency-Key", "If-Match", "If-None-Match")
"""Headers that the chapter's own page explains for all operations."""
_COMMON_MIN = 3


def file_name(tag: str) -> str:
    """ "RefundRequest" is told in "refund-request.md"."""
    kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", tag).lower()
    return re.sub(r"[^a-z0-9]+", "-", kebab).strip("-") + ".md"


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


def documents(design: Design, folder: str) -> Iterator[Document]:
    """One page for each kind of thing, in the order of the operations."""
    grouped: dict[str, list[PlannedEndpoint]] = {}
    for endpoint in design.endpoints:
        grouped.setdefault(file_name(openapi.tag_of(endpoint)), []).append(endpoint)
    common = _common(design)
    for name, endpoints in grouped.items():
        tag = openapi.tag_of(endpoints[0])
        shape = design.shape(tag)
        says = shape.schema.get("description", "") if shape else ""
        told: exchanges.Told = {}
        blocks = [
            block
            for endpoint in endpoints
            for block in (*_operation(endpoint, design, told), *_failures(endpoint, common))
        ]
        yield Document(path=f"{folder}/{FOLDER}/{name}", text=page(heading(1, tag), says, *blocks), title=tag)


def _operation(endpoint: PlannedEndpoint, design: Design, told: exchanges.Told) -> Iterator[str]:
    yield heading(2, title_of(endpoint))
    if endpoint.summary not in ("", endpoint.id, title_of(endpoint)):
        yield endpoint.summary
    yield f"{code(f'{endpoint.method} {endpoint.path}')} — {' '.join(_conditions(endpoint))}"
    yield _parameters(endpoint)
    if not endpoint.answers:
        yield openapi.UNKNOWN
        return
    yield fence("sh", exchanges.curl(endpoint, design))
    for answer in endpoint.answers:
        if answer.status < 400:
            yield from exchanges.success(answer, endpoint, design, told)


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


def _failures(endpoint: PlannedEndpoint, common: set[str]) -> list[str]:
    """What is special here as a table; what is the same wherever it occurs as a list of links."""
    failed = [each for each in endpoint.answers if each.status >= 400]
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
