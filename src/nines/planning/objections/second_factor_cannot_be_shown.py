"""A role asks for a second factor that its callers cannot show."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option

_WITHOUT = frozenset({"api-key", "mtls", "none"})


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    if blueprint.auth is None or blueprint.auth.scheme not in _WITHOUT:
        return
    for role in blueprint.roles:
        if not role.needs_second_factor:
            continue
        yield objection(
            __name__,
            blueprint,
            f"roles.{role.name}.mfa",
            f"{role.name} needs a second factor, and auth.scheme is {blueprint.auth.scheme}, which tells of none",
            (
                option("scheme: oidc", "the token says how somebody signed in (acr, amr)", "an identity provider"),
                option("mfa: false", "works as it is", "a key that leaks is enough"),
            ),
        )
