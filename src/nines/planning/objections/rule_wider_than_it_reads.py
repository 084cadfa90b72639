"""An access rule names somebody whom a wider word beside it includes already."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Grant, GrantKind
from nines.model.design import Objection
from nines.planning.objecting import listed, objection, option, personal_fields

_WIDTH = (GrantKind.OWNER, GrantKind.ROLE, GrantKind.TENANT, GrantKind.AUTHENTICATED, GrantKind.PUBLIC)
"""Each includes those before it."""
_WHO = {
    GrantKind.TENANT: "everybody of the same tenant",
    GrantKind.AUTHENTICATED: "everybody who signed in",
    GrantKind.PUBLIC: "anybody",
}


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for resource in blueprint.resources:
        access = resource.access
        for verb, grants in (("read", access.read), ("list", access.list), ("write", access.write)):
            widest = max(grants, key=lambda grant: _WIDTH.index(grant.kind), default=None)
            idle = [grant for grant in grants if widest and _WIDTH.index(grant.kind) < _WIDTH.index(widest.kind)]
            if widest is None or widest.kind not in _WHO or not idle:
                continue
            who = _WHO[widest.kind]
            personal = personal_fields(blueprint, resource)
            seen = f", {listed(personal)} included" if personal and verb != "write" else ""
            yield objection(
                __name__,
                blueprint,
                f"resources.{resource.name}.access.{verb}",
                f"{listed(map(_word, idle))} beside {widest.kind} says nothing: {who} may {verb} any {resource.name} "
                f"anyway{seen} (API1:2023)",
                (
                    option(
                        f"{verb}: {' or '.join(map(_word, idle))}",
                        "only these, if that was meant",
                        "whoever else has to see it needs a role",
                    ),
                    option(f"{verb}: {widest.kind}", f"says what holds: {who}", "whoever joins them may, too"),
                ),
                is_fatal=False,
            )


def _word(grant: Grant) -> str:
    return f"role:{grant.role}" if grant.kind is GrantKind.ROLE else str(grant.kind)
