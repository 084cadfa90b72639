"""A ledger: accounts, postings, and entries of which each moves one amount from one account to another.

An entry that names both its sides sums to zero by its very form: no trigger and no sum has to watch over it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Resource
from nines.model.design import PlannedCheck, PlannedColumn, PlannedIndex, PlannedTable
from nines.model.design.ddl import identifier
from nines.planning.data import facts
from nines.planning.data.columns import SUBJECT_LENGTH_MAX
from nines.planning.data.entities import entity, tenant


def ledger_tables(blueprint: Blueprint, resource: Resource) -> Iterator[PlannedTable]:
    """The accounts and postings first, then the entries, which carry the blueprint's own fields as well."""
    yield _accounts(blueprint, resource)
    yield _postings(blueprint, resource)
    entries = entity(blueprint, resource)
    given = {column.name for column in entries.columns}
    own = tuple(column for column in _sides(resource) if column.name not in given)
    first, *rest = entries.columns
    names = frozenset(column.name for column in own)
    yield PlannedTable(
        name=entries.name,
        says=resource.says or "Each entry debits one account and credits another, so that the ledger sums to zero.",
        resource=resource.name,
        module=entries.module,
        columns=(first, *own, *rest),
        indexes=entries.indexes,
        checks=(*(check for check in _checks(entries.name) if _subject(check) in names), *entries.checks),
        is_append_only=True,
        retention_s=resource.retention_s,
        audit=resource.audit,
        place=resource.place,
    )


def accounts_name(resource: Resource) -> str:
    return identifier(facts.singular(resource), "accounts")


def postings_name(resource: Resource) -> str:
    return identifier(facts.singular(resource), "postings")


def _accounts(blueprint: Blueprint, resource: Resource) -> PlannedTable:
    name = accounts_name(resource)
    tenants = tuple(tenant(blueprint, resource))
    key = tuple(column.name for column in tenants)
    return PlannedTable(
        name=name,
        says="The chart of accounts; a balance is the sum of what was debited less what was credited.",
        module=facts.module_name(blueprint, resource),
        columns=(
            PlannedColumn(name="id", type="uuid", width_bytes=16),
            *tenants,
            PlannedColumn(name="code", type="text", width_bytes=30, says='such as "receivable" or "cash"'),
            PlannedColumn(name="currency", type="text", width_bytes=4),
            PlannedColumn(name="created_at", type="timestamptz", default="now()"),
        ),
        indexes=(
            PlannedIndex(name=identifier(name, "pkey"), columns=("id",), is_unique=True, is_primary=True),
            PlannedIndex(
                name=identifier(name, *key, "code_currency_key"), columns=(*key, "code", "currency"), is_unique=True
            ),
        ),
        checks=(
            PlannedCheck(
                name=identifier(name, "code", "check"), expression=f"char_length(code) <= {SUBJECT_LENGTH_MAX}"
            ),
            PlannedCheck(name=identifier(name, "currency", "check"), expression="currency ~ '^[A-Z]{3}$'"),
        ),
    )


def _postings(blueprint: Blueprint, resource: Resource) -> PlannedTable:
    name = postings_name(resource)
    return PlannedTable(
        name=name,
        says="One business event that moved money: its entries stand or fall together.",
        module=facts.module_name(blueprint, resource),
        columns=(
            PlannedColumn(name="id", type="uuid", width_bytes=16),
            *tenant(blueprint, resource),
            PlannedColumn(name="operation", type="text", width_bytes=16),
            PlannedColumn(name="subject_id", type="text", width_bytes=37, says="the object that the operation was on"),
            PlannedColumn(name="subject_version", type="bigint", says="its version when the operation began"),
            PlannedColumn(name="created_at", type="timestamptz", default="now()"),
        ),
        indexes=(
            PlannedIndex(name=identifier(name, "pkey"), columns=("id",), is_unique=True, is_primary=True),
            PlannedIndex(
                name=identifier(name, "subject_id_operation_subject_version_key"),
                columns=("subject_id", "operation", "subject_version"),
                is_unique=True,
                says="one run of an operation on an object posts once, however often it is tried",
            ),
        ),
        checks=(
            PlannedCheck(
                name=identifier(name, "operation", "check"),
                expression=f"char_length(operation) <= {SUBJECT_LENGTH_MAX}",
            ),
            PlannedCheck(
                name=identifier(name, "subject_id", "check"),
                expression=f"char_length(subject_id) <= {SUBJECT_LENGTH_MAX}",
            ),
        ),
        is_append_only=True,
        retention_s=resource.retention_s,
    )


def _sides(resource: Resource) -> Iterator[PlannedColumn]:
    yield PlannedColumn(
        name="posting_id",
        type="uuid",
        references=f"{postings_name(resource)}.id",
        on_delete="RESTRICT",
        width_bytes=16,
    )
    for side in ("debit", "credit"):
        yield PlannedColumn(
            name=f"{side}_account_id",
            type="uuid",
            references=f"{accounts_name(resource)}.id",
            on_delete="RESTRICT",
            width_bytes=16,
        )
    yield PlannedColumn(name="amount_minor", type="bigint", says="in the currency's smallest unit")
    yield PlannedColumn(name="currency", type="text", width_bytes=4)


def _checks(table: str) -> Iterator[PlannedCheck]:
    yield PlannedCheck(name=identifier(table, "amount_minor", "check"), expression="amount_minor > 0")
    yield PlannedCheck(name=identifier(table, "currency", "check"), expression="currency ~ '^[A-Z]{3}$'")
    yield PlannedCheck(
        name=identifier(table, "debit_account_id", "check"),
        expression="debit_account_id <> credit_account_id",
        says="an amount moves between two accounts",
    )


def _subject(check: PlannedCheck) -> str:
    return check.expression.split()[0]
