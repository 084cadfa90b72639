"""Who may touch a row, as conditions of the statement itself: what is not visible cannot be changed by mistake."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Grant, GrantKind, Resource
from nines.planning.data import facts
from nines.planning.flows.statement import Sql

_WIDE = (GrantKind.TENANT, GrantKind.AUTHENTICATED, GrantKind.PUBLIC)


def conditions(
    sql: Sql, blueprint: Blueprint, resource: Resource, grants: tuple[Grant, ...], *, alias: str = ""
) -> Iterator[str]:
    """The tenant always, the owner where only owners may; a role that may as well is told by a flag."""
    tenant = facts.tenant_column(blueprint, resource)
    if tenant:
        yield sql.equal(tenant, alias=alias, stands_for="caller.tenant")
    owner = facts.owner_column(resource)
    if not owner or not is_owners(grants):
        return
    mine = sql.equal(owner, alias=alias, stands_for="caller.subject")
    roles = ",".join(grant.role for grant in grants if grant.kind is GrantKind.ROLE)
    if roles:
        yield f"({mine} OR {sql.bind('false', f'has:{roles}')}::boolean)"
    else:
        yield mine


def is_owners(grants: tuple[Grant, ...]) -> bool:
    """Whether somebody may because the row is theirs, and not everybody of the tenant may anyway."""
    kinds = {grant.kind for grant in grants}
    return GrantKind.OWNER in kinds and not kinds & set(_WIDE)


def by_id(
    sql: Sql, blueprint: Blueprint, resource: Resource, grants: tuple[Grant, ...], *, alias: str = ""
) -> Iterator[str]:
    """One row by its identifier, if the caller may see it."""
    yield sql.equal("id", alias=alias)
    yield from conditions(sql, blueprint, resource, grants, alias=alias)


def says(grants: tuple[Grant, ...]) -> str:
    """ "owner or role support", in the words of the blueprint."""
    words = [f"role {grant.role}" if grant.kind is GrantKind.ROLE else str(grant.kind) for grant in grants]
    return " or ".join(dict.fromkeys(words)) or "nobody"
