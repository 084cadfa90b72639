"""The chapter's own page: the operations at a glance, what holds everywhere, and the events."""

from __future__ import annotations

import json

from nines.dossier.chapters.contract import asyncapi, graphql, headers, pages, recovered, security
from nines.dossier.markdown import bullets, code, fence, heading, link, page, table
from nines.model import words
from nines.model.design import Design, Document, PlannedEndpoint, telling


def text(design: Design, artefacts: list[Document], verdict: str) -> str:
    """`verdict` is what the comparison with the released contract came to; "" where there is none."""
    files = [(link(each.path.rpartition("/")[2], each.path.rpartition("/")[2]), each.title) for each in artefacts]
    return page(
        heading(1, "Contract"),
        _opening(design),
        table(("file", "what it is"), files),
        heading(2, "Operations"),
        _operations(design) or "There is none.",
        *_everywhere(design),
        *_events(design),
        *_graphql(design),
        *_grpc(design),
        *_since(verdict),
    )


def _opening(design: Design) -> str:
    count = _counted(len(design.endpoints), "operation")
    if design.is_recovered:
        known = sum(1 for each in design.endpoints if each.answers)
        out = recovered.left_out(design)
        missing = f" {_counted(out, 'operation')} cannot be told in openapi.yaml." if out else ""
        return (
            f"{count} of {code(design.name)} {'was' if len(design.endpoints) == 1 else 'were'} found in its code; of "
            f"{known:,} the answers are known. A question mark means that something was not understood, which is not "
            f"the same as not there.{missing}"
        )
    purpose = f"{design.card.purpose} " if design.card.purpose else ""
    return (
        f"{purpose}{count}, all below {code('/' + design.card.api)}: a change that breaks a caller needs the next "
        "major version beside this one."
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _operations(design: Design) -> str:
    placed = zip(design.endpoints, pages.places(design), strict=True)
    if design.is_recovered:
        found = [_found_row(endpoint, place) for endpoint, place in placed]
        return table(("operation", "what", "who", "body", "answers"), found)
    rows = [_row(endpoint, place) for endpoint, place in placed]
    return table(("operation", "called as", "who", "answers", "must be sent", "limit", "p95 below"), rows)


def _row(endpoint: PlannedEndpoint, place: str) -> tuple[str, ...]:
    sent = [each.name for each in endpoint.parameters if each.location == "header" and each.is_required]
    limit = endpoint.limit
    return (
        link(pages.title_of(endpoint), place),
        code(f"{endpoint.method} {endpoint.path}"),
        security.callers(endpoint),
        _statuses(endpoint),
        ", ".join(sent),
        f"{limit.count:,} in {words.duration(limit.period_s)} per {limit.per}" if limit else "",
        words.duration(endpoint.latency_p95_s) if endpoint.latency_p95_s else "",
    )


def _found_row(endpoint: PlannedEndpoint, place: str) -> tuple[str, ...]:
    return (
        link(code(f"{endpoint.method} {endpoint.path}"), place),
        endpoint.summary,
        security.callers(endpoint),
        endpoint.request,
        _statuses(endpoint) or "?",
    )


def _statuses(endpoint: PlannedEndpoint) -> str:
    return ", ".join(dict.fromkeys(str(each.status) for each in endpoint.answers if each.status < 400))


def _everywhere(design: Design) -> list[str]:
    if design.is_recovered or not design.endpoints:
        return []
    rules = [each for each in (*_of_requests(design), *_of_answers(design)) if each]
    return [heading(2, "What holds for every operation"), bullets(rules)]


def _of_requests(design: Design) -> list[str]:
    keyed = [each.idempotency.ttl_s for each in design.endpoints if each.idempotency is not None]
    matched = sum(1 for each in design.endpoints if each.needs_if_match)
    largest = max((each.body_bytes_max for each in design.endpoints), default=0)
    pages_of = [each.page.max for each in design.endpoints if each.page is not None]
    said = [security.says(design)]
    if keyed:
        said.append(
            f"{code('Idempotency-Key')} (at most 255 characters) makes a change safe to repeat: its answer is kept for "
            f"{words.duration(min(keyed))} and given again with {code('Idempotency-Replayed: true')}. A key belongs to "
            "one caller and one operation."
        )
    if matched:
        said.append(
            f"{code('If-Match')} with the {code('ETag')} that was read keeps two people from overwriting each other; "
            f"{_counted(matched, 'operation')} cannot be called without it (RFC 6585, 3)."
        )
    if largest:
        said.append(
            f"A body is JSON of at most {words.size(largest)}. Members and parameters that the contract does not know "
            "are refused, because a misspelt one must not be ignored; an answer may get new members at any time."
        )
    if pages_of:
        said.append(
            f"Lists come in pages of at most {max(pages_of):,}; a cursor belongs to its list and its filters. There is "
            f"no total, which would cost more than the page. {code('fields')} asks for a part of each item; a single "
            "object comes whole, so that its ETag means one thing."
        )
    return said


def _of_answers(design: Design) -> list[str]:
    limits = [each.limit for each in design.endpoints if each.limit is not None]
    paths = {each.path for each in design.endpoints}
    first = design.endpoints[0].path
    allowed = sorted({each.method for each in design.endpoints if each.path == first})
    said = [
        f"Every failure is one of the {link('problems', 'problems.md')}; also on a path that is none of the "
        f"{len(paths):,} above (404 {code('not-found')}), and for a method that a path does not have "
        f"(405 {code('method-not-allowed')} with {code('Allow: ' + ', '.join(allowed))}, say, on {code(first)}).",
        "An object of somebody else is answered like one that is not there, with 404, so that nobody can probe for "
        "identifiers; 403 speaks of the caller's role only.",
        f"{code('X-Request-Id')} comes back with every answer and is in our logs; {code('traceparent')} is continued.",
        "Answers are JSON whatever Accept says, as RFC 9110, 12.5.1 allows, so there is no 406.",
        "Times are RFC 3339 in UTC. A decimal is a string, because floating point would change it.",
    ]
    if limits:
        said.append(
            f"Quotas are told before they are used up ({code('RateLimit-Policy: ' + headers.policy(limits[0]))}), and "
            f"{code('Retry-After')} is never earlier than the {code('t')} of {code('RateLimit')}. Repeat after 429 and "
            "503 only, on one layer, at most three times, waiting longer each time and adding chance."
        )
    return said


def _events(design: Design) -> list[str]:
    told = [(event, asyncapi.shape_of(event, design)) for event in design.events]
    known = [(event, shape) for event, shape in told if shape is not None]
    if not known:
        return _taken(design)
    rows = [
        (
            code(asyncapi.kind_of(event, design)),
            ", ".join(code(each) for each in _tellers(event.name, design)) or "nobody",
            ", ".join(code(each) for each in shape.example.get("data", {})),
        )
        for event, shape in known
    ]
    carrier = asyncapi.broker(design)
    by = f"by {code(carrier.name)}" if carrier else "from the outbox to each subscriber over HTTP"
    return [
        heading(2, "Events"),
        f"{_counted(len(known), 'event')}, carried {by}. {asyncapi.delivery(design)}",
        *([needed] if (needed := telling.needed(design)) else []),
        table(("type", "told by", "data"), rows),
        "The first of them, as a CloudEvent 1.0:",
        fence("json", json.dumps(known[0][1].example, indent=2, ensure_ascii=False)),
        *_taken(design),
    ]


def _taken(design: Design) -> list[str]:
    """What it takes of others, and of itself."""
    rows = [
        (
            code(job.receives.type),
            f"{code(job.receives.dependency)}, {code(job.receives.address)}"
            if job.receives.dependency
            else "its own outbox",
            code(job.name),
            job.says,
            ", ".join(code(member) for member in shape.example) if (shape := design.shape(job.receives.shape)) else "",
        )
        for job in design.jobs
        if job.receives is not None
    ]
    if not rows:
        return []
    return [
        heading(2, "Events that it takes"),
        "Each is taken once, by its source and id, in the transaction of what it causes, and acknowledged after the "
        "commit; those of one subject in their order. What fails is tried again, and then kept with its reason; "
        "members that are not named here are passed over.",
        table(("type", "from", "taken by", "which", "of its data"), rows),
    ]


def _tellers(event: str, design: Design) -> list[str]:
    blueprint = design.blueprint
    found = [each.id for each in design.endpoints if event in each.emits]
    if blueprint is not None:
        found += [each.name for each in blueprint.jobs if event in each.emits]
        found += [each.name for each in blueprint.consumers if event in each.emits]
    return found


def _graphql(design: Design) -> list[str]:
    if "graphql" not in design.card.interfaces:
        return []
    return [
        heading(2, "GraphQL"),
        f"{link('schema.graphql', 'schema.graphql')} offers the same operations by POST /graphql, each field behind "
        "its own guards and counted by its own limit; what objects lead to is read with one statement for each level. "
        "`idempotencyKey` and `version` are arguments, for a document may hold several changes. A document costs what "
        f"its fields cost together. Refused before anything is carried out: {graphql.limits()}.",
    ]


def _grpc(design: Design) -> list[str]:
    if design.protocol is None:
        return []
    name = f"{design.name}.proto"
    return [
        heading(2, "gRPC"),
        f"{link(name, name)} offers the same operations to other services, on a port of its own that no ingress leads "
        "to: the same guards in the same order, keys and versions in the metadata, problems as codes with google.rpc's "
        "details. Nobody signs in over it. A number that was given out once stays, and one that is gone is never used "
        f"again: {link('proto.lock', 'proto.lock')} keeps them, so it belongs into version control. What would break a "
        "caller is announced like any break of the contract.",
    ]


def _since(verdict: str) -> list[str]:
    return [heading(2, "Since the last release"), f"{verdict} {link('What changed', 'changes.md')}."] if verdict else []
