"""What the writers of signing in ask about the accounts of a design, answered once."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names
from nines.building.project.settings import SIGNING_IN
from nines.building.resources.facts import Thing
from nines.model.blueprint import OF_ACCOUNTS, Action, Blueprint, FieldKind, Resource, ResourceKind
from nines.model.design import Design, PlannedEndpoint, PlannedQuery, PlannedTable, console
from nines.model.record import Record

SIGNING_CHAIN = "signing"
"""The chain of the audit trail that signing in and out writes to: one for each account."""


class People(Record):
    """The resource of kind account with its tables and names."""

    design: Design
    blueprint: Blueprint
    resource: Resource
    table: PlannedTable

    @property
    def thing(self) -> Thing:
        """As the writers of resources see it."""
        return Thing(design=self.design, resource=self.resource, table=self.table)

    @property
    def package(self) -> str:
        return names.package(self.design)

    @property
    def noun(self) -> str:
        return names.snake(self.resource.name)

    @property
    def prefix(self) -> str:
        return self.resource.identifier.prefix

    @property
    def login(self) -> str:
        """The member with which people sign in."""
        return names.snake(console.login(self.resource))

    @property
    def is_mail(self) -> bool:
        """Whether the name is an address, which is the same in capital letters."""
        return any(
            each.kind is FieldKind.EMAIL and names.snake(each.name) == self.login for each in self.resource.fields
        )

    @property
    def password(self) -> str:
        return next(names.snake(each.name) for each in self.resource.fields if each.kind is FieldKind.PASSWORD)

    @property
    def has_locale(self) -> bool:
        return self.table.column("locale") is not None

    @property
    def is_verified(self) -> bool:
        """Whether an address has to be shown to be theirs."""
        return self.uses(Action.VERIFY_CODE)

    @property
    def signing_state(self) -> str:
        """The state in which somebody can sign in; "" where accounts have none."""
        states = self.resource.states
        if not states:
            return ""
        return states[0].to[0] if states[0].to and self.is_verified else states[0].name

    @property
    def has_unverified(self) -> bool:
        """Whether an account stands in another state until its address was verified."""
        return bool(self.resource.states) and self.signing_state != self.resource.states[0].name

    @property
    def has_second_factor(self) -> bool:
        return any(role.needs_second_factor for role in self.blueprint.roles)

    @property
    def has_roles(self) -> bool:
        return bool(self.blueprint.roles)

    @property
    def is_audited(self) -> bool:
        return self.resource.audit in ("all", "writes")

    @property
    def keeps_sessions(self) -> bool:
        """Whether people are known by the cookie of a session, and nobody is given tokens."""
        return self.blueprint.auth is not None and self.blueprint.auth.scheme == "session"

    @property
    def endpoints(self) -> tuple[PlannedEndpoint, ...]:
        return tuple(each for each in self.design.endpoints if each.action in OF_ACCOUNTS)

    @property
    def mail_table(self) -> PlannedTable | None:
        """The queue of what has to be sent; None where nothing is."""
        queues = (each for each in self.design.tables if each.column("template") and each.column("payload"))
        return next(queues, None)

    def uses(self, *actions: Action) -> bool:
        return any(each.action in actions for each in self.design.endpoints)

    def endpoint(self, action: Action) -> PlannedEndpoint | None:
        return next((each for each in self.design.endpoints if each.action is action), None)

    def query(self, endpoint: PlannedEndpoint, base: str) -> PlannedQuery:
        """The statement of an operation that is called so where nothing else wants the name."""
        return next(each for each in self.design.queries if endpoint.id in each.used_by and each.base == base)


def people_of(design: Design) -> Iterator[People]:
    """The people who sign in here; nothing where nobody does, or where nobody has a password."""
    blueprint = design.blueprint
    is_offered = any(endpoint.action in OF_ACCOUNTS for endpoint in design.endpoints)
    if blueprint is None or design.auth is None or design.auth.scheme not in SIGNING_IN or not is_offered:
        return
    for resource in blueprint.resources:
        table = design.table_of(resource.name)
        has_password = any(field.kind is FieldKind.PASSWORD for field in resource.fields)
        if resource.kind is ResourceKind.ACCOUNT and table is not None and has_password:
            yield People(design=design, blueprint=blueprint, resource=resource, table=table)
            return
