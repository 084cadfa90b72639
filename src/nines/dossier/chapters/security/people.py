"""The inventory of personal data: each column, why, how long, how it ends, and where else it may stand."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.markdown import code, table
from nines.dossier.words import duration
from nines.model.blueprint import Action
from nines.model.design import Design, PlannedColumn, PlannedEndpoint, PlannedTable


def inventory(design: Design) -> str:
    return table(
        ("column", "purpose", "kept as", "ends", "erased on request by", "also stands in"),
        [_row(design, each, column) for each, column in columns(design)],
    )


def columns(design: Design) -> Iterator[tuple[PlannedTable, PlannedColumn]]:
    for each in design.tables:
        for column in each.columns:
            if column.is_personal:
                yield each, column


def unsaid(design: Design) -> tuple[str, ...]:
    """The columns whose purpose nobody wrote down."""
    return tuple(f"{each.name}.{column.name}" for each, column in columns(design) if not _purpose(design, each, column))


def unerasable(design: Design) -> tuple[str, ...]:
    """The tables with personal data from which no operation deletes."""
    names = dict.fromkeys(each.name for each, _ in columns(design) if each.resource)
    return tuple(name for name in names if not _deletions(design, design.table(name)))


def _row(design: Design, kept: PlannedTable, column: PlannedColumn) -> tuple[str, ...]:
    return (
        code(f"{kept.name}.{column.name}"),
        _purpose(design, kept, column) or "not said",
        "ciphertext" if column.is_encrypted else "clear text on an encrypted volume",
        _end(design, kept),
        ", ".join(_deletions(design, kept)) or "nothing",
        ", ".join(_elsewhere(design, kept, column)) or "nothing",
    )


def _purpose(design: Design, kept: PlannedTable, column: PlannedColumn) -> str:
    """What the blueprint says of the field; what the design says of how it is stored is no purpose."""
    blueprint = design.blueprint
    resource = blueprint.resource(kept.resource) if blueprint else None
    field = resource.field(column.name) if resource else None
    if field is not None:
        return field.says
    return kept.says if not kept.resource else ""


def _end(design: Design, kept: PlannedTable) -> str:
    if kept.retention_s is None:
        return "not said"
    if not kept.resource:
        return f"{duration(kept.retention_s)} at the latest"
    purged = any(job.name.startswith("purge") and kept.name in _tables(design, job.queries) for job in design.jobs)
    return f"{duration(kept.retention_s)} after its last change" if purged else f"after {duration(kept.retention_s)}"


def _tables(design: Design, queries: tuple[str, ...]) -> set[str]:
    return {name for each in design.queries if each.id in queries for name in each.tables}


def _deletions(design: Design, kept: PlannedTable | None) -> list[str]:
    if kept is None:
        return []
    return [
        each.id
        for each in design.endpoints
        if each.action is Action.DELETE and each.resource == kept.resource and kept.resource
    ]


def _elsewhere(design: Design, kept: PlannedTable, column: PlannedColumn) -> Iterator[str]:
    """Answers, the stored answers to idempotency keys, the parties that are asked about it, backups."""
    mine = [each for each in design.endpoints if kept.resource and _answers_with(each, kept.resource)]
    answers = [each.id for each in mine if _shows(design, kept, column)]
    if answers:
        yield f"answers of {', '.join(answers[:3])}{f' and {len(answers) - 3} more' if len(answers) > 3 else ''}"
    keys = design.table("idempotency_keys")
    if keys and any(each.idempotency and each.id in answers for each in mine):
        yield f"idempotency_keys.body, {duration(keys.retention_s or 0.0)}"
    for name in _told(design, kept):
        yield f"what {name} is asked"
    yield "backups"


def _shows(design: Design, kept: PlannedTable, column: PlannedColumn) -> bool:
    shape = design.shape(kept.resource)
    return shape is not None and any(
        name in shape.schema.get("properties", {}) for name in (column.name, _camel(column.name))
    )


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _told(design: Design, kept: PlannedTable) -> tuple[str, ...]:
    """The dependencies that are called by those who read or write the table."""
    queries = {each.id for each in design.queries if kept.name in each.tables}
    users = [(each.queries, each.flow) for each in design.endpoints] + [
        (each.queries, each.flow) for each in design.jobs
    ]
    return tuple(dict.fromkeys(step.target for ids, flow in users if queries & {*ids} for step in flow.calls))


def _answers_with(endpoint: PlannedEndpoint, resource: str) -> bool:
    return any(each.shape in (resource, f"{resource}Page") for each in endpoint.answers)
