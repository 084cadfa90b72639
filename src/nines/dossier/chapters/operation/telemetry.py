"""Log lines and traces: which fields, what never stands in them, and how a request is followed."""

from __future__ import annotations

from nines.dossier.markdown import bullets, code, fence, heading, link, page, table
from nines.dossier.words import share
from nines.model.design import Design

SAMPLED_HZ = 50.0
"""Traces a second that are kept of an ordinary day."""
_EVERYWHERE = (
    ("time", "RFC 3339, UTC, milliseconds"),
    ("level", "debug, info, warning, error: an error is something that a person must look at"),
    ("logger", "which part wrote it"),
    ("message", "a sentence without values; values are fields"),
    ("service, version, instance", "who wrote it"),
    ("request_id", "that of the caller where it is a plain token of at most 64 characters, else a new one"),
    ("trace_id, span_id", "from traceparent"),
)
_REQUEST = (
    ("operation", "its operationId, never the path: that would hold identifiers"),
    ("method, status", "of the request and its answer"),
    ("duration_ms", "from the first byte to the last"),
    ("subject", "the caller's identifier, hashed with a key of the service"),
    ("problem", "the last part of the problem type, where the answer is one (RFC 9457)"),
    ("error", "class and place of what was caught; its text only after redaction"),
)


def text(design: Design) -> str:
    return page(
        heading(1, "Logs and traces"),
        _opening(design),
        heading(2, "A log line"),
        "One JSON object a line, on standard output; one line for each request at its end, and others only for what "
        "somebody will act on.",
        table(("field", "what it holds"), [(code(name), says) for name, says in (*_EVERYWHERE, *_own(design))]),
        fence("json", _example(design)),
        heading(2, "Never in a log, a trace, a metric or an error"),
        _never(design),
        heading(2, "Traces"),
        bullets(_traces(design)),
        heading(2, "Kept for how long") if not design.is_recovered else "",
        table(
            ("what", "kept", "why"),
            (
                ("log lines", "30 d", "long enough for a complaint, too short to become a second database"),
                ("traces", "7 d", "they explain what happened lately"),
                ("metrics", "13 months", "this month against the same one a year ago"),
                (
                    "audit trail",
                    "in the database",
                    "it is data of the service, with its own retention; see the data chapter",
                ),
            ),
        )
        if not design.is_recovered
        else "",
    )


def _opening(design: Design) -> str:
    if design.is_recovered:
        return (
            "What this service logs today was not judged by reading it. This is what the runbooks and the alerts count "
            "on; compare it with what the service does."
        )
    return f"What every process of {code(design.name)} writes, so that one question has one place where it is answered."


def _own(design: Design) -> list[tuple[str, str]]:
    found = list(_REQUEST)
    if design.tenancy:
        found.append((design.tenancy.key, "the tenant: an identifier, no name"))
    if any(endpoint.idempotency for endpoint in design.endpoints):
        found.append(("replayed", "true where the answer was given before; the key itself is hashed"))
    if design.jobs:
        found.append(("task, attempt, outcome", "for work outside a request, instead of operation, method and status"))
    if design.dependencies:
        found.append(("dependency, verb, attempt, outcome", "one line for each call that did not end well"))
    return found


def _example(design: Design) -> str:
    endpoint = next(iter(design.critical()), None)
    operation, method = (endpoint.id, endpoint.method) if endpoint else ("", "GET")
    status = endpoint.success.status if endpoint and endpoint.success else 200
    return (
        '{"time": "2030-01-31T12:00:00.000Z", "level": "info", "logger": "requests", "message": "answered", '
        f'"service": "{design.name}", "version": "1.4.2", "instance": "{design.name}-7d9c-x2x1p",\n '
        '"request_id": "0198a3c2-7b1e-7c11-9f00-6d1b2c3d4e5f", "trace_id": "0af7651916cd43dd8448eb211c80319c", '
        f'"span_id": "b7ad6b7169203331",\n "operation": "{operation}", "method": "{method}", "status": {status}, '
        '"duration_ms": 41.8, "subject": "h:5f1d0c"}'
    )


def personal(design: Design) -> list[tuple[str, str]]:
    """Table and columns with personal or encrypted data."""
    return [
        (
            each.name,
            ", ".join(code(column.name) for column in each.columns if column.is_personal or column.is_encrypted),
        )
        for each in design.tables
        if any(column.is_personal or column.is_encrypted for column in each.columns)
    ]


def _never(design: Design) -> str:
    rows = personal(design)
    always = (
        "`authorization`, `cookie`, `set-cookie`, `idempotency-key`, and every name with `password`, `secret`, "
        "`token`, "
        "`key` or `code` in it: replaced by `[redacted]` where the line is made, in nested values too. Bodies and "
        "query "
        "strings are not logged at all, and neither are SQL arguments; of a URL the credentials are cut out."
    )
    secrets = ", ".join(code(each.name) for each in design.secrets)
    if rows:
        told = "These columns hold personal or encrypted data; their names are the list that the formatter redacts by:"
    elif design.is_recovered:
        told = "Which columns hold personal data is not known from the code: write the list before the first incident."
    else:
        told = "No column of this design is marked as personal."
    return "\n\n".join(
        part
        for part in (
            always,
            told,
            table(("table", "columns"), [(code(name), columns) for name, columns in rows]),
            f"Nor the values of {secrets}; at its start the service tells which settings it has, by name."
            if secrets
            else "",
        )
        if part
    )


def _traces(design: Design) -> list[str]:
    demand = design.demand
    kept = ""
    if demand:
        part = min(1.0, SAMPLED_HZ / demand.peak_hz)
        kept = (
            f"Kept: every trace with an error or above its promise, and {share(round(part, 4))} of the others "
            f"({SAMPLED_HZ:g}/s of {demand.peak_hz:g}/s at the peak), decided at the end of the trace by the collector."
        )
    outbox = design.table("outbox") or design.table("service_outbox")
    carried = outbox is not None and outbox.column("trace_parent") is not None
    found = [
        "Context comes and goes as `traceparent` and `tracestate` (W3C Trace Context). A caller's trace is "
        "continued; whether "
        "it is sampled is not the caller's to decide, for that would let anybody fill the store.",
        "One span for a request, one for each transaction, each statement by the id of its query, and each call by "
        "`dependency.verb`; attributes after the OpenTelemetry conventions for HTTP and databases, without the "
        "statement's "
        "arguments.",
        "Work outside a request begins a trace of its own, with a link to the one that left it."
        + (f" The outbox carries it in {code(f'{outbox.name}.trace_parent')}." if outbox and carried else ""),
        kept,
        "A histogram carries the trace of one of its slow requests as an exemplar, so that "
        f"{_board(design)} leads to the trace.",
    ]
    return [each for each in found if each]


def _board(design: Design) -> str:
    """The dashboard, which is drawn only where something is watched."""
    return link("the dashboard", f"dashboards/{design.name}.json") if design.running.alerts else "a dashboard"
