"""An operation that nobody may call, or a role that it names in vain."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Grant, GrantKind, Operation, Resource, ResourceKind
from nines.model.design import Choice, Objection
from nines.planning.interface.endpoints import grants
from nines.planning.objecting import is_changing, listed, objection, option

_EVERYBODY = frozenset({GrantKind.TENANT, GrantKind.AUTHENTICATED, GrantKind.PUBLIC})
_MAKING = frozenset({Action.CREATE, Action.CUSTOM})
_SIGN_IN = (
    option("auth: {scheme: oauth2-jwt, issuer: ...}", "callers are known", "an authorization server"),
    option("auth: {scheme: api-key}", "simple for machines", "keys leak, and do not end by themselves"),
    option("public: true", "nobody has to sign in", "nobody can be told apart", "it is meant for anybody"),
)


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    nobody_signs_in = blueprint.auth is None or blueprint.auth.scheme == "none"
    for operation in blueprint.operations:
        if operation.is_public:
            continue
        path = f"operations.{operation.name}"
        if nobody_signs_in:
            says = f"{operation.name} is not public, and nobody can show who it is: there is no `auth`"
            yield objection(__name__, blueprint, path, says, _SIGN_IN)
            continue
        resource = blueprint.resource(operation.on)
        if resource is None:
            continue
        rule = grants(operation, resource, blueprint)
        if operation.roles and rule:
            yield from _in_vain(blueprint, operation, resource, rule)
        elif not operation.roles and not rule and _verb(operation):
            says = f"it names no roles, and {resource.name}.access.{_verb(operation)} lets nobody in"
            yield objection(__name__, blueprint, path, f"nobody may call {operation.name}: {says}", _rules(operation))


def _in_vain(
    blueprint: Blueprint, operation: Operation, resource: Resource, rule: tuple[Grant, ...]
) -> Iterator[Objection]:
    """For the roles that the operation names and the object's rule lets in for no object at all."""
    refused = [role for role in operation.roles if not _may(blueprint, role, resource, rule)]
    if not refused:
        return
    is_fatal = len(refused) == len(operation.roles)
    whom = "nobody gets" if is_fatal else f"{listed(refused)} {'get' if len(refused) > 1 else 'gets'} nothing"
    named = " or ".join(f"role:{each.role}" if each.role else str(each.kind) for each in rule)
    owner = ", and owns none" if any(grant.kind is GrantKind.OWNER for grant in rule) else ""
    verb = _verb(operation) or "write"
    yield objection(
        __name__,
        blueprint,
        f"operations.{operation.name}.roles",
        f"{whom} through {operation.name}: it names {listed(operation.roles)}, and {resource.name}.access lets in "
        f"{named} only; {listed(refused)} is none of these{owner}",
        (
            option(
                f"access: {{{verb}: {' or '.join([named, *(f'role:{role}' for role in refused)])}}}",
                "they may, for every object" + (" of their tenant" if blueprint.tenancy else ""),
                "the rule is wider for every operation that it decides over",
            ),
            option("other roles", "the rule stays as narrow as it is", "somebody else has to call it"),
        ),
        is_fatal=is_fatal,
    )


def _may(blueprint: Blueprint, role: str, resource: Resource, rule: tuple[Grant, ...]) -> bool:
    if any(grant.kind in _EVERYBODY or grant.role == role for grant in rule):
        return True
    if not any(grant.kind is GrantKind.OWNER for grant in rule):
        return False
    # Whoever makes one owns it; an account is its own owner.
    makers = [each for each in blueprint.operations if each.on == resource.name and each.do in _MAKING]
    return resource.kind is ResourceKind.ACCOUNT or any(not each.roles or role in each.roles for each in makers)


def _rules(operation: Operation) -> tuple[Choice, ...]:
    return (
        option(f"access: {{{_verb(operation)}: owner}}", "each has their own", "support needs a role beside it"),
        option("roles: [...]", "only these may", "they may for every object that their access rule shows"),
    )


def _verb(operation: Operation) -> str:
    """The rule that decides; "" where there is no object yet."""
    if operation.do in (Action.READ, Action.LIST):
        return operation.do.value
    return "write" if is_changing(operation) else ""
