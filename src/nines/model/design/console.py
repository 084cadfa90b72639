"""Whom an operator can make at the console: the one place that says so, for the service and for those who try it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nines.model.blueprint import Action, FieldKind, Resource, ResourceKind
from nines.model.design.data import PlannedColumn, PlannedTable
from nines.model.design.design import Design
from nines.model.record import Record

SIGNING_IN = ("own-jwt", "session")
"""Schemes with which people sign in here."""
_TEXT = "text"


class Needed(Record):
    """A column that a new account needs beside the name and the password."""

    name: str
    type: str
    example: str
    """As text; empty: no two accounts may share it, so it is made of the name."""


def login(account: Resource) -> str:
    """The field with which people sign in; empty: none will do."""
    kinds = (FieldKind.EMAIL, FieldKind.PHONE)
    found = next((each.name for kind in kinds for each in account.fields if each.kind is kind), "")
    alone = {key[0] for key in account.unique if len(key) == 1}
    return found or next((each.name for each in account.fields if each.name in alone), "")


def login_of(design: Design) -> str:
    """The field with which people sign in here; empty: they sign in elsewhere."""
    resources = design.blueprint.resources if design.blueprint else ()
    account = next((each for each in resources if each.kind is ResourceKind.ACCOUNT), None)
    return login(account) if account is not None else ""


def needed(design: Design) -> tuple[Needed, ...] | None:
    """What a new account needs beside the name and the password; None where an operator cannot make one: people sign in
    elsewhere, or it needs something that no text can say."""
    resources = design.blueprint.resources if design.blueprint else ()
    account = next((each for each in resources if each.kind is ResourceKind.ACCOUNT), None)
    table = design.table_of(account.name) if account else None
    if account is None or table is None or design.auth is None or design.auth.scheme not in SIGNING_IN:
        return None
    columns = [each for each in table.columns if each.member and not each.is_nullable and not each.default]
    has_password = any(each.kind is FieldKind.PASSWORD for each in account.fields)
    name = login(account)
    if not has_password or not any(each.name == name and not each.is_encrypted for each in columns):
        return None
    example = _example(design, account)
    found = [_needed(each, table, example) for each in columns if each.name != name]
    return None if None in found else tuple(each for each in found if each is not None)


def _example(design: Design, account: Resource) -> Any:
    endpoints = [each for each in design.endpoints if each.resource == account.name]
    register = next((each for each in endpoints if each.action is Action.REGISTER), None)
    if register is not None:
        return register.request_example
    shown = next((each.success for each in endpoints if each.action is Action.READ and each.success), None)
    return shown.example if shown else None


def _needed(column: PlannedColumn, table: PlannedTable, example: Any) -> Needed | None:
    if column.is_encrypted or column.references or column.type.startswith(("bytea", "json")) or "[]" in column.type:
        return None
    if any(each.is_unique and column.name in each.names for each in table.indexes):
        return Needed(name=column.name, type=column.type, example="") if column.type == _TEXT else None
    value = example
    for part in column.member.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None or isinstance(value, Mapping | list):
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Needed(name=column.name, type=column.type, example=text) if text else None
