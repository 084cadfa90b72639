"""What the writers of a resource's module ask about it, answered once from the design."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import cast

from nines.building import names
from nines.model.blueprint import Action, Blueprint, Consumer, Field, FieldKind, Operation, Resource, ResourceKind
from nines.model.design import Design, PlannedColumn, PlannedEndpoint, PlannedQuery, PlannedTable
from nines.model.record import Record

LOCALS = frozenset(
    {
        *("answer", "before", "body", "call", "claim", "deadline", "found", "given", "ids", "key", "left", "msgspec"),
        *(
            "new_id",
            "operations",
            "origin",
            "page",
            "partial",
            "pending_id",
            "postings",
            "query",
            "refusal",
            "remembered",
        ),
        *("reserved", "result", "row", "row_now", "rows", "saga", "self", "service", "shown", "sql", "statement"),
        *("suppress", "task", "told", "tx", "work"),
    }
)
"""What generated functions call something else."""


class Thing(Record):
    """A resource with its table and its names in Python."""

    design: Design
    resource: Resource
    table: PlannedTable

    @property
    def blueprint(self) -> Blueprint:
        return blueprint_of(self.design)

    @property
    def noun(self) -> str:
        """ "payment": variables are called so; one that functions have already gets a stroke behind it."""
        found = names.snake(self.resource.name)
        return f"{found}_" if found in LOCALS or hasattr(builtins, found) else found

    @property
    def spoken(self) -> str:
        return names.spoken(self.resource.name)

    @property
    def shape(self) -> str:
        """The Struct that callers see."""
        return self.resource.name

    @property
    def kept(self) -> str:
        """The Struct that the owner's functions get."""
        return f"{self.resource.name}Row"

    @property
    def told(self) -> str:
        """The Struct of what others tell of it; empty: they tell nothing."""
        return f"{self.resource.name}Told" if self.told_columns else ""

    @property
    def prefix(self) -> str:
        return self.resource.identifier.prefix

    @property
    def is_versioned(self) -> bool:
        return self.table.column("version") is not None

    @property
    def is_append_only(self) -> bool:
        return self.resource.is_append_only or self.resource.kind is ResourceKind.LEDGER

    @property
    def tenant(self) -> str:
        """The column of the tenant; empty: rows carry none."""
        tenancy = self.design.tenancy
        is_by_row = tenancy is not None and tenancy.isolation == "row"
        return tenancy.key if tenancy and is_by_row and self.table.column(tenancy.key) else ""

    @property
    def has_owner(self) -> bool:
        return self.table.column("owner_id") is not None and self.resource.field("owner_id") is None

    @property
    def told_columns(self) -> tuple[PlannedColumn, ...]:
        """What only those who are asked can know; only where somebody is asked."""
        if not self.is_asked_about:
            return ()
        return tuple(column for field in self.resource.fields if is_told(field) for column in self.columns_of(field))

    @property
    def is_asked_about(self) -> bool:
        """Whether an operation or a job asks others about it."""
        name = self.resource.name
        operations, jobs = self.blueprint.operations, self.blueprint.jobs
        return any(each.calls and each.on == name for each in operations) or any(
            each.calls and each.on == name for each in jobs
        )

    def columns_of(self, field: Field) -> tuple[PlannedColumn, ...]:
        """The columns that keep a field; none for a list with a table of its own."""
        head = names.column(field.name)
        wanted = {head, f"{head}_id"} if field.kind is FieldKind.REFERENCE else {head}
        return tuple(c for c in self.table.columns if c.member and c.member.partition(".")[0] in wanted)

    def field_of(self, column: PlannedColumn) -> Field | None:
        return next((field for field in self.resource.fields if column in self.columns_of(field)), None)

    def part_of(self, column: PlannedColumn) -> Field | None:
        """The field itself, or the part of a composite, that a column keeps."""
        field = self.field_of(column)
        if field is None or field.kind is not FieldKind.VALUE:
            return field
        value = self.blueprint.value_type(field.of)
        wanted = column.member.partition(".")[2]
        return next((part for part in value.fields if names.column(part.name) == wanted), None) if value else None

    def lists(self) -> tuple[Field, ...]:
        """Fields whose members are rows of a table of their own."""
        kinds = (FieldKind.REFERENCE, FieldKind.VALUE)
        return tuple(field for field in self.resource.fields if field.is_list and field.kind in kinds)

    def query(self, user: str, base: str) -> PlannedQuery | None:
        """The statement of an operation or a job that is called so where nothing else wants the name."""
        return find(self.design, user, base)


def blueprint_of(design: Design) -> Blueprint:
    """Only a design that was derived from a blueprint is built."""
    return cast("Blueprint", design.blueprint)


def is_told(field: Field) -> bool:
    """Whether it is for others to tell: optional, and set by no caller."""
    is_simple = field.kind not in (FieldKind.VALUE, FieldKind.REFERENCE, FieldKind.PASSWORD) and not field.is_list
    return field.is_read_only and field.is_optional and field.default is None and is_simple and not field.is_encrypted


def sources_of(thing: Thing, operation: Operation | Consumer) -> tuple[str, ...]:
    """The states from which an operation may go where it goes: what a code has to show is granted by nobody."""
    resource = thing.resource
    first = resource.states[0] if resource.states else None
    verifies = any(each.do is Action.VERIFY_CODE for each in thing.blueprint.operations)
    is_account = resource.kind is ResourceKind.ACCOUNT and verifies
    is_shown = is_account and first is not None and first.to[:1] == (operation.to_state,)
    names_of = (state.name for state in resource.states if operation.to_state in state.to)
    return tuple(name for name in names_of if not (is_shown and first is not None and name == first.name))


def find(design: Design, user: str, base: str) -> PlannedQuery | None:
    return next((each for each in design.queries if each.base == base and user in each.used_by), None)


def thing_of(design: Design, resource: str) -> Thing | None:
    kept = blueprint_of(design).resource(resource)
    table = design.table_of(resource)
    return Thing(design=design, resource=kept, table=table) if kept and table else None


def things(design: Design) -> Iterator[Thing]:
    for each in blueprint_of(design).resources:
        found = thing_of(design, each.name)
        if found is not None:
            yield found


def operation_of(design: Design, endpoint: PlannedEndpoint) -> Operation | None:
    return blueprint_of(design).operation(endpoint.id)


def prefix_of(design: Design, resource: str) -> str:
    found = blueprint_of(design).resource(resource)
    return found.identifier.prefix if found else ""


def own_table(design: Design, name: str) -> PlannedTable | None:
    """One of the service's own tables, whatever a resource of the same name did to its name."""
    return design.table(f"service_{name}") or design.table(name)
