"""Things belong to somebody, and nobody can show who it is."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, GrantKind
from nines.model.design import Objection
from nines.planning.objecting import objection, option

_OF_SOMEBODY = frozenset({GrantKind.OWNER, GrantKind.TENANT, GrantKind.ROLE})
_KNOWN = option(
    "auth: {scheme: oidc, issuer: ...}", "callers are known, and have what is theirs", "they have to sign in"
)


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    if blueprint.auth is not None and blueprint.auth.scheme != "none":
        return
    if blueprint.tenancy is not None:
        yield objection(
            __name__,
            blueprint,
            "tenancy",
            "tenants are kept apart, and nobody can show to which they belong: there is no `auth`",
            (_KNOWN, option("without tenancy", "one for all", "everybody sees the same")),
        )
    opened = {each.on for each in blueprint.operations if each.is_public}
    for resource in blueprint.resources:
        access = resource.access
        bound = [each for each in (*access.read, *access.list, *access.write) if each.kind in _OF_SOMEBODY]
        if not bound or resource.name not in opened:
            continue
        named = " and ".join(dict.fromkeys(f"role:{each.role}" if each.role else str(each.kind) for each in bound))
        yield objection(
            __name__,
            blueprint,
            f"resources.{resource.name}.access",
            f"{resource.name} is for {named}, anybody may call its operations, and nobody can show who it is: "
            "there is no `auth`",
            (
                _KNOWN,
                option("access: public", "says what holds", "everybody sees everything", "it is meant for anybody"),
            ),
        )
