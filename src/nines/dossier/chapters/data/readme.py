"""The chapter's own page."""

from __future__ import annotations

from nines.dossier import diagrams, words
from nines.dossier.chapters.data import indexes, keeping
from nines.dossier.chapters.data.entities import databases
from nines.dossier.diagrams import Entities
from nines.dossier.markdown import bullets, code, heading, link, page, table
from nines.model.design import Design, Document, PlannedTable
from nines.model.design.ddl import partition_period


def text(design: Design, drawn: tuple[Entities, ...], artefacts: list[Document]) -> str:
    files = [(link(name, name), each.title) for each in artefacts for name in (each.path.partition("/")[2],)]
    if not design.tables:
        return page(heading(1, "Data"), _nothing(design))
    return page(
        heading(1, "Data"),
        _opening(design),
        table(("file", "what it is"), files),
        *(diagrams.as_markdown(each) for each in drawn),
        heading(2, "Tables"),
        _tables(design),
        heading(2, "Indexes"),
        *indexes.blocks(design),
        *_forms(design),
        *_isolation(design),
        *_growth(design),
        *keeping.sections(design),
        *_migrations(design),
    )


def _nothing(design: Design) -> str:
    if design.is_recovered:
        return "No table was found in the code. It may keep its data in another way, or in one that was not understood."
    return "The service keeps nothing: no resource of the blueprint asks for a table."


def _opening(design: Design) -> str:
    found = databases(design)
    named = [name for name, _ in found if name]
    count = f"{len(design.tables)} table{'' if len(design.tables) == 1 else 's'}"
    if design.is_recovered:
        partly = sum(1 for each in design.tables if not each.is_complete)
        doubt = f" Of {partly} a part of the declaration was not understood." if partly else ""
        return (
            f"{count} of {code(design.name)} were found in its code.{doubt} What the database holds beyond what the "
            "code declares (triggers, defaults, indexes made by hand) is not known, so nothing is called missing here."
        )
    where = (
        f"in {len(named)} databases, one for each of {', '.join(named)}; the service's own tables are in each of them"
        if named
        else "in one PostgreSQL"
    )
    sizes = [(each.growth.bytes[-1], each) for each in design.tables if each.growth and each.growth.bytes]
    total = sum(size for size, _ in sizes)
    daily = sum(each.growth.per_day for each in design.tables if each.growth)
    text = f"{code(design.name)} keeps {count} {where}."
    if daily:
        largest, most = max(sizes, key=lambda pair: pair[0])
        share = f"{largest / total:.0%}".replace("%", " %")
        text += (
            f" {words.count(daily)} rows arrive on a day of the first weeks; after three years all of them take "
            f"{words.size(total)} with their indexes, {share} of that in {code(most.name)}."
        )
    return text


def _tables(design: Design) -> str:
    rows = []
    for name, tables in databases(design):
        for each in tables:
            last = each.growth.rows[-1] if each.growth and each.growth.rows else None
            rows.append(
                (
                    code(each.name),
                    each.says,
                    name or ("each" if len(databases(design)) > 1 else ""),
                    str(len(each.columns)),
                    words.count(last) if last else "",
                )
            )
    columns = ("table", "what it keeps", "database", "columns", "rows after 3 y")
    wanted = [index for index in range(len(columns)) if any(row[index] for row in rows)]
    return table([columns[i] for i in wanted], [[row[i] for i in wanted] for row in rows])


def _forms(design: Design) -> list[str]:
    """Which column depends on which is in no code, so of a service that was read nothing is said."""
    if design.is_recovered:
        return []
    departures = [f"{code(each.name)}: {text}" for each in design.tables for text in each.denormalised]
    lead = (
        "Composites are columns, lists are tables of their own, and every other column depends on its table's key alone"
    )
    if not departures:
        return [heading(2, "Normal form"), f"{lead}: the third normal form."]
    return [heading(2, "Normal form"), f"{lead}: the third normal form, with these departures.", bullets(departures)]


def _isolation(design: Design) -> list[str]:
    """Operations that share level and reason share a row."""
    groups: dict[tuple[str, str], list[str]] = {}
    for endpoint in design.endpoints:
        if endpoint.isolation:
            groups.setdefault((endpoint.isolation, endpoint.isolation_reason), []).append(code(endpoint.id))
    rows = [(", ".join(names), level, reason) for (level, reason), names in groups.items()]
    if not rows:
        return []
    return [heading(2, "Isolation"), table(("operations", "level", "why it is enough"), rows)]


def _growth(design: Design) -> list[str]:
    if design.is_recovered:
        return [
            heading(2, "Growth"),
            "Not known: it would take the rate of each operation and the rows that are there today.",
        ]
    grown = [each for each in design.tables if each.growth and each.growth.per_day]
    if not grown:
        return []
    rows = [
        (
            code(each.name),
            words.size(each.growth.row_bytes),
            *(f"{words.count(rows)}, {words.size(size)}" for rows, size in _years(each)),
        )
        for each in grown
        if each.growth
    ]
    sums = [f"{code(each.name)}: {each.growth.says}." for each in grown if each.growth]
    due = [f"{code(each.name)}: {each.growth.remedy}." for each in grown if each.growth and each.growth.remedy]
    return [
        heading(2, "Growth"),
        table(("table", "a row, with its indexes", "after 1 y", "after 2 y", "after 3 y"), rows),
        "How the rows come about:",
        bullets(sums),
        bullets(_cut(each) for each in grown if each.partition_by),
        heading(3, "What becomes due") if due else "",
        bullets(due)
        if due
        else "Nothing becomes due within three years: one server carries all of it in plain tables.",
    ]


def _cut(each: PlannedTable) -> str:
    daily = words.count(each.growth.per_day) if each.growth else ""
    return (
        f"{code(each.name)} is cut by {partition_period(each)} from the first day ({code(each.partition_by)}): a "
        f"partition whose time is over is dropped, where {daily} rows a day would else be deleted one by one."
    )


def _years(each: PlannedTable) -> list[tuple[int, int]]:
    growth = each.growth
    return list(zip(growth.rows[1:], growth.bytes[1:], strict=True)) if growth else []


def _migrations(design: Design) -> list[str]:
    if not design.migrations:
        return []
    rows = [
        (link(each.name, f"migrations/{each.name}.sql"), each.phase, "yes" if each.is_blocking else "no", each.says)
        for each in design.migrations
    ]
    return [heading(2, "Migrations"), table(("step", "phase", "stops writers", "what it does, and its lock"), rows)]
