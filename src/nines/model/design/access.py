"""How far an operation lets a caller come: on which objects, for each role and for somebody without a credential."""

from __future__ import annotations

from enum import StrEnum

from nines.model.blueprint import GrantKind
from nines.model.design.interface import PlannedEndpoint


class Reach(StrEnum):
    """The objects on which a caller may carry out an operation."""

    ANY = "any"
    OWN = "own"
    TENANT = "tenant's"


ANONYMOUS = ""
"""Stands for a role, of somebody who shows no credential."""
_BOUND = {GrantKind.OWNER: Reach.OWN, GrantKind.TENANT: Reach.TENANT}
_OPEN = (GrantKind.AUTHENTICATED, GrantKind.PUBLIC)


def reach(endpoint: PlannedEndpoint, role: str) -> tuple[Reach, ...]:
    """Empty: the operation is refused. Several: each of them is enough. Nothing is said where guards are not known."""
    if endpoint.is_public:
        return (Reach.ANY,)
    if role == ANONYMOUS or (endpoint.roles and role not in endpoint.roles):
        return ()
    is_free = any(
        grant.kind in _OPEN or (grant.kind is GrantKind.ROLE and grant.role == role) for grant in endpoint.grants
    )
    if is_free or not endpoint.grants:
        return (Reach.ANY,)
    return tuple(dict.fromkeys(_BOUND[grant.kind] for grant in endpoint.grants if grant.kind in _BOUND))


def callers(endpoint: PlannedEndpoint, roles: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the roles that can carry it out on some object."""
    return tuple(role for role in roles if reach(endpoint, role))
