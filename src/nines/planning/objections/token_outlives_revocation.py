"""A token stays good for long after its owner was shut out."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import duration
from nines.planning.objecting import objection, option

_LONG_S = 3_600.0
_SELF_CONTAINED = frozenset({"oauth2-jwt", "oidc", "own-jwt"})


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    auth = blueprint.auth
    if auth is None or auth.scheme not in _SELF_CONTAINED or auth.token_ttl_s <= _LONG_S:
        return
    yield objection(
        __name__,
        blueprint,
        "auth.token_ttl",
        f"a token is checked without asking anybody and is good for {duration(auth.token_ttl_s)}: a stolen one works "
        "as long, and so does that of somebody who was shut out",
        (
            option("token_ttl: 15m", "shut out within a quarter of an hour", "four refreshes an hour"),
            option("ask the issuer for each token (RFC 7662)", "at once", "a call for each request, or a short cache"),
        ),
        is_fatal=False,
    )
