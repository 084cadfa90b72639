"""An operation that nobody may call."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Grant, Operation, Resource
from nines.model.design import Objection
from nines.planning.objecting import is_changing, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    nobody_signs_in = blueprint.auth is None or blueprint.auth.scheme == "none"
    for operation in blueprint.operations:
        if operation.is_public:
            continue
        if nobody_signs_in:
            says = f"{operation.name} is not public, and nobody can show who it is: there is no `auth`"
            options = (
                option("auth: {scheme: oauth2-jwt, issuer: ...}", "callers are known", "an authorization server"),
                option("auth: {scheme: api-key}", "simple for machines", "keys leak, and do not end by themselves"),
                option("public: true", "nobody has to sign in", "nobody can be told apart", "it is meant for anybody"),
            )
            yield objection(__name__, blueprint, f"operations.{operation.name}", says, options)
            continue
        resource = blueprint.resource(operation.on)
        if resource is None or operation.roles or _grants(operation, resource) != ():
            continue
        verb = _verb(operation)
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}",
            f"nobody may call {operation.name}: it names no roles, and {resource.name}.access.{verb} lets nobody in",
            (
                option(f"access: {{{verb}: owner}}", "each has his own", "support needs a role beside it"),
                option("roles: [...]", "only these may", "they may for every object that their access rule shows"),
            ),
        )


def _grants(operation: Operation, resource: Resource) -> tuple[Grant, ...] | None:
    """The rule that decides over the object; None where there is no object yet."""
    verb = _verb(operation)
    return {"read": resource.access.read, "list": resource.access.list, "write": resource.access.write}.get(verb)


def _verb(operation: Operation) -> str:
    if operation.do in (Action.READ, Action.LIST):
        return operation.do.value
    return "write" if is_changing(operation) else ""
