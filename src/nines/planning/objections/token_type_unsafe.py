"""Tokens whose header does not say what they are for, and nothing else that tells them apart."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option

_FOREIGN = frozenset({"oauth2-jwt", "oidc"})
_TYPED = "at+jwt"


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    auth = blueprint.auth
    loose = [each for each in auth.token_types if each != _TYPED] if auth else []
    if auth is None or not loose:
        return
    if auth.scheme not in _FOREIGN:
        yield objection(
            __name__,
            blueprint,
            "auth.token_types",
            f"scheme is {auth.scheme}: tokens of others are not looked at, and its own are at+jwt",
            (option("leave token_types out", "one kind of token, told apart from every other", "none"),),
        )
    elif not auth.audience:
        yield objection(
            __name__,
            blueprint,
            "auth.token_types",
            f"{' and '.join(loose)} tells an access token from no other, and no audience is named: a token that the "
            "issuer made for an app, to tell who signed in, would open this service (RFC 8725, 3.11 and 3.12)",
            (
                option(
                    "audience: the name that the issuer gives this service",
                    "a token that was made for another is refused",
                    "the issuer must put it into its access tokens (Keycloak: an audience mapper)",
                ),
                option(
                    "token_types: [at+jwt]",
                    "the header tells (RFC 9068)",
                    "the issuer must write it (Auth0: the RFC 9068 profile; Keycloak: a setting of the client)",
                ),
            ),
        )
