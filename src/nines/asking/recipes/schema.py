"""A review of the schema: what the declared tables lack, and what queries do to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.asking import parts
from nines.asking.answer import Answer, Approach, Basis, Claim, Open, Step, Sureness
from nines.asking.material import Material
from nines.asking.recognise import Asked
from nines.model import words
from nines.model.schema import Column, Table

_RULES = ("database/", "consistency/", "schema/")
_MONEY = re.compile(r"(?:^|_)(?:amount|price|balance|total|cost|fee|sum)(?:_|$)")
_ONE = re.compile(r"^(?:email|username|slug|external_ref|external_id|idempotency_key|reference|sku|iban)$")
_FLOATING = ("float", "real", "double")
_CLAIMS_MAX = 10
_NAMES_MAX = 6


def answer(asked: Asked, material: Material) -> Answer:
    tables, report = material.tables(), material.review()
    findings = parts.chosen(report, parts.by_rules(*_RULES))
    seen = [claim for part in (_keys, _money, _unique, _references, _times) for claim in part(tables)]
    incomplete = [table.name for table in tables if not table.is_complete]
    where = material.where or "PATH"
    counts = f"{words.many(len(tables), 'table')} were read" if len(tables) != 1 else "1 table was read"
    head = f"{counts}; {words.many(len(seen), 'kind')} of weakness in the schema itself, and "
    head += f"{words.many(len(findings), 'finding')} in how the code uses it"
    patterns = parts.known_patterns(
        ("unique-constraint", "matching-index", "exact-money-and-time", "expand-and-contract"), material
    )
    return Answer(
        question=asked.text,
        intent="schema",
        understood="you ask for a review of the schema",
        headline=head + "."
        if tables
        else "No table was found: nines reads SQLAlchemy and Django models and .sql files.",
        sureness=(Sureness.LOW if incomplete else Sureness.MEDIUM) if tables else Sureness.LOW,
        because="for the declarations were read; indexes and constraints that only the live database has are not known."
        if tables
        else "for nothing was read.",
        reasoning=(*seen[:_CLAIMS_MAX], *parts.claims(findings)),
        approaches=(*_ways(seen), *parts.ways(findings, 4), *parts.pattern_ways(patterns)[:2]),
        standards=parts.standards(findings, material) or parts.pattern_standards(patterns),
        questions=(
            Open(
                question="How many rows has each table today, and by what does it grow in a year?",
                assumed="unknown",
                matters="which index, partition or limit is worth its cost",
            ),
            Open(
                question="Which values must be unique per customer, which altogether?",
                assumed="what is declared",
                matters="what only the code checks is broken by two requests at the same moment",
            ),
        ),
        steps=(
            Step(command=f"nines design --from {where} -o dossier", why="writes every table with its access, as it is"),
            *parts.steps(("consistency/unique-race", "database/n-plus-one"), material, 2),
        ),
        not_examined=(
            *parts.left_out(report),
            *([f"parts of {', '.join(incomplete[:_NAMES_MAX])} were not understood"] if incomplete else []),
            "the live database: its real indexes, sizes and plans",
        ),
        pages=tuple(dict.fromkeys((*(pattern.id for pattern in patterns), *(finding.rule for finding in findings)))),
    )


def _claim(what: str, names: list[str], why: str, tables: tuple[Table, ...]) -> Iterator[Claim]:
    if names:
        shown = ", ".join(names[:_NAMES_MAX]) + (
            f" and {len(names) - _NAMES_MAX} more" if len(names) > _NAMES_MAX else ""
        )
        first = next((table.place for table in tables if table.name == names[0].split(".")[0] and table.place), None)
        at = f"schema {first}" if first else "schema"
        yield Claim(says=f"{what}: {shown}. {why}", basis=Basis.READ, source=at)


def _keys(tables: tuple[Table, ...]) -> Iterator[Claim]:
    bare = [
        table.name
        for table in tables
        if table.is_complete and table.columns and not any(c.is_primary for c in table.columns) and not table.unique
    ]
    yield from _claim(
        "Without a primary key", bare, "A row without a key cannot be changed, or replicated, for certain.", tables
    )


def _money(tables: tuple[Table, ...]) -> Iterator[Claim]:
    found = [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if _MONEY.search(column.name) and column.type.startswith(_FLOATING)
    ]
    yield from _claim(
        "Money in floating point", found, "Sums lose cents; use an integer of minor units or numeric.", tables
    )


def _unique(tables: tuple[Table, ...]) -> Iterator[Claim]:
    found = [
        f"{table.name}.{column.name}"
        for table in tables
        if table.is_complete
        for column in table.columns
        if _ONE.match(column.name) and not _is_in_key(table, column)
    ]
    why = "The names suggest that each value stands there once. If it must, two requests at once still make two."
    yield from _claim("Looks unique, and nothing in the database says so", found, why, tables)


def _is_in_key(table: Table, column: Column) -> bool:
    keys = (*table.unique, *table.partly_unique)
    return column.is_unique or column.is_primary or any(column.name in key for key in keys)


def _references(tables: tuple[Table, ...]) -> Iterator[Claim]:
    found = [
        f"{table.name}.{column.name}"
        for table in tables
        if table.is_complete
        for column in table.columns
        if column.references and not _is_leading(table, column)
    ]
    why = "PostgreSQL makes no index for a foreign key: joins, and deleting the parent, read the whole table."
    yield from _claim("Foreign key without an index", found, why, tables)


def _is_leading(table: Table, column: Column) -> bool:
    """Whether an index begins with the column."""
    keys = (*table.unique, *table.indexes)
    return column.is_indexed or column.is_unique or column.is_primary or any(key[:1] == (column.name,) for key in keys)


def _times(tables: tuple[Table, ...]) -> Iterator[Claim]:
    found = [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if column.type in ("timestamp", "datetime", "timestamp without time zone")
    ]
    why = "Which moment it is depends on who reads it; use timestamptz."
    yield from _claim("Moments without a zone", found, why, tables)


def _ways(seen: list[Claim]) -> list[Approach]:
    found = []
    if any(claim.says.startswith("Looks unique") for claim in seen):
        found += [
            Approach(
                title="Declare the constraint, build its index concurrently, and answer 409 when it fires",
                trade_off="the only way that holds under concurrency; duplicates that exist have to be merged first",
                source="page unique-constraint",
                about="uniqueness",
            ),
            Approach(
                title="Lock while looking (advisory lock, serializable)",
                trade_off="no schema change; every writer has to do it, and one that forgets breaks all",
                source="page serializable-retry",
                about="uniqueness",
            ),
        ]
    if any(claim.says.startswith("Foreign key") for claim in seen):
        found.append(
            Approach(
                title="CREATE INDEX CONCURRENTLY on the referencing column",
                trade_off="no lock on writes; costs space and a little of every insert",
                source="page matching-index",
                about="foreign keys",
            )
        )
    return found
