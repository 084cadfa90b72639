"""People cannot sign in, or tokens cannot be checked."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import OF_ACCOUNTS, Action, Authentication, Blueprint, FieldKind, ResourceKind
from nines.model.design import Objection
from nines.planning.data import facts
from nines.planning.objecting import objection, option, signs_in_here

_FOREIGN = frozenset({"oauth2-jwt", "oidc"})
_ELSEWHERE = option(
    "leave signing in to an identity provider (scheme: oidc)",
    "passwords, codes and resets are somebody else's work",
    "depends on that provider, and on its price",
    "signing people in is not what this service is for",
)


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    yield from _wrong_resource(blueprint)
    if blueprint.auth is not None:
        yield from _unusable(blueprint, blueprint.auth)
    for resource in blueprint.resources:
        has_password = any(field.kind is FieldKind.PASSWORD for field in resource.fields)
        if has_password and resource.kind is not ResourceKind.ACCOUNT:
            yield objection(
                __name__,
                blueprint,
                f"resources.{resource.name}",
                f"{resource.name} keeps a password and is no account: nothing here checks, limits or resets it",
                (option("kind: account", "all of that comes with it", "it is what people sign in with"), _ELSEWHERE),
            )


def _wrong_resource(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        resource = blueprint.resource(operation.on)
        if operation.do not in OF_ACCOUNTS or resource is None or resource.kind is ResourceKind.ACCOUNT:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}",
            f"{operation.name} does {operation.do}, and {resource.name} is no account",
            (
                option(
                    f"{resource.name}: {{kind: account}}",
                    "credentials, sessions and refresh tokens come with it",
                    "they are kept, and protected, here",
                ),
                _ELSEWHERE,
            ),
        )


def _unusable(blueprint: Blueprint, auth: Authentication) -> Iterator[Objection]:
    if auth.scheme in _FOREIGN and not auth.issuer:
        yield objection(
            __name__,
            blueprint,
            "auth",
            f"scheme is {auth.scheme} and no issuer is named: a token of anybody's server would do, or none",
            (
                option('issuer: "${OIDC_ISSUER}"', "only its tokens count", "its keys have to be fetched and kept"),
                option("scheme: own-jwt", "this service issues the tokens", "it keeps accounts and passwords"),
            ),
        )
    signs_in = any(each.do is Action.SIGN_IN for each in blueprint.operations)
    refreshing = [each.name for each in blueprint.operations if each.do is Action.REFRESH]
    if auth.scheme == "session" and refreshing:
        yield objection(
            __name__,
            blueprint,
            f"operations.{refreshing[0]}",
            f"{refreshing[0]} gives new tokens, and scheme is session: a session is kept by being used",
            (
                option(f"without {refreshing[0]}", "one cookie, and nothing to renew", "none"),
                option("scheme: own-jwt", "tokens that other services can check", "clients have to keep them safe"),
            ),
        )
    tenant = facts.tenant_resource(blueprint) if auth.scheme in ("own-jwt", "session") else None
    if tenant is not None and blueprint.tenancy is not None and facts.account_of(blueprint) is not None:
        yield objection(
            __name__,
            blueprint,
            "tenancy",
            f"{blueprint.tenancy.key} of whoever registers must name a {tenant.name}, and there is none when they do",
            (
                option(
                    f"keep {tenant.name} elsewhere, or call it otherwise",
                    "whoever registers begins in a tenant of their own; an operator adds others to it",
                    f"what is known of a {tenant.name} beside its identifier has another place",
                ),
                _ELSEWHERE,
            ),
        )
    if auth.scheme in ("own-jwt", "session") and not (signs_in_here(blueprint) and signs_in):
        whose = "issue the tokens" if auth.scheme == "own-jwt" else "keep the sessions"
        yield objection(
            __name__,
            blueprint,
            "auth.scheme",
            f"this service is to {whose}, and has no account to sign in to, or no operation that does sign-in",
            (
                option(
                    "a resource of kind account, and operations that register, sign-in and refresh",
                    "people sign in here",
                    "passwords are kept here",
                ),
                _ELSEWHERE,
            ),
        )
