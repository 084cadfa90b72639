"""Anybody may read personal data, or change something."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Grant, GrantKind, Resource
from nines.model.design import Objection
from nines.planning.objecting import is_changing, listed, objection, option, personal_fields

_OPEN = option(
    "authenticated, or a role", "callers can be told apart, limited and shut out", "they have to sign in first"
)
_OWNER = option("owner, or tenant", "each sees their own", "whoever looks after all needs a role for it")


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for resource in blueprint.resources:
        yield from _rules(blueprint, resource)
    for operation in blueprint.operations:
        found = blueprint.resource(operation.on)
        if not operation.is_public or found is None:
            continue
        path = f"operations.{operation.name}.public"
        personal = personal_fields(blueprint, found)
        if operation.do in (Action.READ, Action.LIST) and personal:
            says = f"anybody may call {operation.name} and read {listed(personal)} of {found.name}"
        elif is_changing(operation):
            says = f"anybody may call {operation.name} and change any {found.name}"
        else:
            continue
        yield objection(__name__, blueprint, path, f"{says} (API1:2023, API5:2023)", (_OPEN, _OWNER))


def _rules(blueprint: Blueprint, resource: Resource) -> Iterator[Objection]:
    access, personal = resource.access, personal_fields(blueprint, resource)
    path = f"resources.{resource.name}.access"
    if _is_public(access.write):
        says = f"anybody may change any {resource.name} (API1:2023)"
        yield objection(__name__, blueprint, f"{path}.write", says, (_OPEN, _OWNER))
    for verb, grants in (("read", access.read), ("list", access.list)):
        if personal and _is_public(grants):
            says = f"anybody may {verb} {resource.name} with personal data ({listed(personal)})"
        elif personal and blueprint.tenancy and any(grant.kind is GrantKind.AUTHENTICATED for grant in grants):
            says = (
                f"everybody who signed in, of whatever tenant, may {verb} {resource.name} with personal data "
                f"({listed(personal)})"
            )
        else:
            continue
        yield objection(__name__, blueprint, f"{path}.{verb}", f"{says} (API1:2023)", (_OPEN, _OWNER))


def _is_public(grants: tuple[Grant, ...]) -> bool:
    return any(grant.kind is GrantKind.PUBLIC for grant in grants)
