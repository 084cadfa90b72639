"""The chapter's own page: the operations at a glance, what holds everywhere, and every problem with its example."""

from __future__ import annotations

from nines.dossier.chapters.contract import headers, pages, security
from nines.dossier.markdown import bullets, code, fence, heading, link, page, table
from nines.model import words
from nines.model.design import Design, PlannedAnswer, PlannedEndpoint

_KEEP_S = 86_400.0


def text(design: Design, artefacts: tuple[tuple[str, str], ...], *extra: str) -> str:
    """`artefacts` are file names with a sentence; `extra` are further sections."""
    return page(
        heading(1, "Contract"),
        _opening(design),
        table(("file", "what it is"), [(link(name, name), says) for name, says in artefacts]),
        heading(2, "Operations"),
        _operations(design) or "There is none.",
        *_everywhere(design),
        *extra,
        *_problems(design),
    )


def _opening(design: Design) -> str:
    count = len(design.endpoints)
    if design.is_recovered:
        known = sum(1 for each in design.endpoints if each.answers)
        return (
            f"{count:,} operations were found in the code of {code(design.name)}; of {known:,} of them the answers are known. "
            "An empty cell or a question mark means that it was not understood, not that it is not there."
        )
    return (
        f"{design.card.purpose or design.name} {count:,} operations, all below {code('/' + design.card.api)}: "
        "a change that breaks a caller needs the next major version beside this one."
    )


def _operations(design: Design) -> str:
    rows = [_row(each, is_recovered=design.is_recovered) for each in design.endpoints]
    if design.is_recovered:
        return table(("operation", "called as", "who", "body", "answers"), rows)
    return table(("operation", "called as", "who", "answers", "must be sent", "limit", "p95 below"), rows)


def _row(endpoint: PlannedEndpoint, *, is_recovered: bool) -> tuple[str, ...]:
    name = link(endpoint.id if is_recovered else pages.title_of(endpoint), pages.place_of(endpoint))
    called = code(f"{endpoint.method} {endpoint.path}")
    answers = ", ".join(dict.fromkeys(str(each.status) for each in endpoint.answers if each.status < 400))
    if is_recovered:
        return name, called, security.callers(endpoint), endpoint.request or "", answers or "?"
    sent = [each.name for each in endpoint.parameters if each.location == "header" and each.is_required]
    limit = (
        f"{endpoint.limit.count:,} in {words.duration(endpoint.limit.period_s)} per {endpoint.limit.per}"
        if endpoint.limit
        else ""
    )
    latency = words.duration(endpoint.latency_p95_s) if endpoint.latency_p95_s else ""
    return name, called, security.callers(endpoint), answers, ", ".join(sent), limit, latency


def _everywhere(design: Design) -> list[str]:
    if design.is_recovered or not design.endpoints:
        return []
    rules = [each for each in (*_of_requests(design), *_of_answers(design)) if each]
    return [heading(2, "What holds for every operation"), bullets(rules), *_elsewhere(design)]


def _of_requests(design: Design) -> list[str]:
    keyed = [each for each in design.endpoints if each.idempotency is not None]
    matched = [each for each in design.endpoints if each.needs_if_match]
    largest = max((each.body_bytes_max for each in design.endpoints), default=0)
    listed = [each for each in design.endpoints if each.page is not None]
    said = [security.says(design)]
    if keyed:
        kept = min(each.idempotency.ttl_s for each in keyed if each.idempotency)
        said.append(
            f"{code('Idempotency-Key')} (at most 255 characters) makes a change safe to repeat: the first answer is kept for "
            f"{words.duration(kept)} and given again with {code('Idempotency-Replayed: true')}. A key belongs to one caller."
        )
    if matched:
        said.append(
            f"{code('If-Match')} with the {code('ETag')} that was read keeps two people from overwriting each other; "
            f"{len(matched)} operation{'s' if len(matched) > 1 else ''} cannot be called without it (RFC 6585, 3)."
        )
    if largest:
        said.append(
            f"A body is JSON of at most {words.size(largest)}; members and parameters that the contract does not know are "
            "refused, because a misspelt one must not be ignored. An answer may get new members at any time: ignore those "
            "that you do not know."
        )
    if listed:
        said.append(
            f"Lists come in pages of at most {max(each.page.max for each in listed if each.page):,}; a cursor belongs to its "
            "list and its filters. There is no total: counting would cost more than the page. "
            f"{code('fields')} asks for a part of each item; a single object always comes whole, so that its ETag means one thing."
        )
    return said


def _of_answers(design: Design) -> list[str]:
    limited = [each.limit for each in design.endpoints if each.limit is not None]
    said = [
        f"{code('X-Request-Id')} comes back with every answer, and {code('traceparent')} is continued; tell us the first when "
        "something is wrong.",
        "Answers are JSON whatever Accept says (RFC 9110, 12.5.1 allows it), so there is no 406.",
        "Times are RFC 3339 in UTC; money is minor units with its currency; a decimal is a string, because a reader's floating "
        "point would change it.",
        "An object that is not yours is answered like one that is not there: 404, so that identifiers cannot be probed. "
        "403 speaks of your role only.",
    ]
    if limited:
        said.append(
            f"Quotas are told before they are used up: {code('RateLimit-Policy: ' + headers.policy(limited[0]))}; "
            f"{code('Retry-After')} is never earlier than the {code('t')} of {code('RateLimit')}. "
            "Retry after 429 and 503 only, with chance added, on one layer, at most three times."
        )
    return said


def _elsewhere(design: Design) -> list[str]:
    """What is answered where no operation is; it has no place in an OpenAPI document."""
    first = design.endpoints[0]
    allowed = sorted({each.method for each in design.endpoints if each.path == first.path} | {"OPTIONS"})
    return [
        f"A path that is not in the table is answered with 404 {code('not-found')}, a method that a path does not have with 405 "
        f"{code('method-not-allowed')} and {code('Allow: ' + ', '.join(allowed))} (for {code(first.path)}); both as problem details."
    ]


def _problems(design: Design) -> list[str]:
    """Each type once, in full, as its first operation would send it."""
    found: dict[str, tuple[PlannedAnswer, PlannedEndpoint]] = {}
    counts: dict[str, int] = {}
    for endpoint in design.endpoints:
        for answer in endpoint.answers:
            if answer.problem:
                found.setdefault(answer.problem, (answer, endpoint))
                counts[answer.problem] = counts.get(answer.problem, 0) + 1
    if not found:
        return []
    said = [
        heading(2, "Problems"),
        f"Every failure is a problem detail (RFC 9457) with a {code('type')} to tell it by; the type is a path, so it stays the "
        "same wherever the service runs. Nothing of the inside is ever in one.",
    ]
    for answer, endpoint in sorted(found.values(), key=lambda each: (each[0].status, each[0].problem)):
        number = counts[answer.problem]
        where = (
            "every operation" if number == len(design.endpoints) else f"{number} operation{'s' if number > 1 else ''}"
        )
        said += [
            heading(3, pages.problem_title(answer)),
            f"Of {where}; here {code(f'{endpoint.method} {endpoint.path}')}:",
            fence("http", pages.raw(answer, endpoint, design)),
        ]
    return said
