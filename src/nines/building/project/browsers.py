"""People who sign in at a provider with their browser, beside tokens of it that others show."""

from __future__ import annotations

from nines.building.names import package
from nines.building.project.believing import believing, tuple_of
from nines.model.blueprint import Authentication
from nines.model.design import Design

_STEPS_MAX = 60
"""As the contract says it."""


def at_provider(design: Design, auth: Authentication) -> str:
    """For a provider where people sign in with their browser, beside tokens of it that others show."""
    name = package(design)
    insert = next(each for each in design.queries if each.base == "insert-session")
    columns = tuple_of(insert.parameters)
    return f'''"""Who is believed: whoever signed in at the provider with a browser, and tokens that it issued."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from nines_runtime import (
    Authenticator,
    Database,
    FirstOf,
    JwksAuthenticator,
    LocalIssuer,
    LocalProvider,
    OpenIdProvider,
    SignedIn,
    SignIns,
    TokenRules,
)
from nines_runtime.security.openid import PRETENDING

from {name}._generated import sql
from {name}._generated.settings import IssuerSettings

SESSION_S = {auth.refresh_ttl_s:_.0f}.0


{believing(design, auth)}

def sessions_of(database: Database) -> SignedIn:
    """Where the sessions of browsers are kept."""
    return SignedIn(
        database,
        insert=sql.INSERT_SESSION,
        columns={columns},
        see=sql.SEE_SESSION,
        touch=sql.TOUCH_SESSION,
        end=sql.END_SESSION,
        ttl_s=SESSION_S,
    )


@asynccontextmanager
async def sign_ins(settings: IssuerSettings, database: Database) -> AsyncIterator[SignIns]:
    """The steps that browsers take; without OIDC_CLIENT_ID none does."""
    issuer, client = local_issuer(settings), settings.oidc_client_id
    provider: LocalProvider | OpenIdProvider | None = None
    if issuer is not None and settings.environment in PRETENDING:
        provider = LocalProvider(issuer, environment=settings.environment)
    elif client:
        if not settings.public_url:
            raise ValueError("PUBLIC_URL is where browsers come back to from the provider, and it is not set.")
        secret = settings.oidc_client_secret
        told = msgspec.structs.replace(rules(settings), audience=client)
        provider = OpenIdProvider(told, secret=secret.reveal() if secret else "", scopes=settings.oidc_scopes)
    try:
        yield SignIns(provider, sessions_of(database), home=settings.public_url, session_ttl_s=SESSION_S)
    finally:
        if provider is not None:
            await provider.close()


@asynccontextmanager
async def authenticator(settings: IssuerSettings, database: Database) -> AsyncIterator[Authenticator]:
    """Tells callers apart, by a cookie or by a token."""
    cookies = sessions_of(database).authenticator(origins=settings.origins.split(","))
    issuer = local_issuer(settings)
    if issuer is not None:
        yield FirstOf(cookies, issuer.authenticator())
        return
    found = JwksAuthenticator(rules(settings))
    await found.start()
    try:
        yield FirstOf(cookies, found)
    finally:
        await found.close()
'''


def signing(design: Design) -> str:
    """`_generated/signing.py`: the steps of browsers."""
    name = package(design)
    return f'''"""The steps that a browser takes to sign in at the provider, and out."""

from __future__ import annotations

from nines_runtime import Answer, Call, Limit, Operations
from nines_runtime.security.openid import Begins, Pretends, Returns

from {name}._generated.service import Service

operations: Operations[Service] = Operations()
STEPS = Limit({_STEPS_MAX}, per="address", name="sign-in")


@operations.get("/auth/sign-in", id="signIn", is_public=True, limit=STEPS)
async def sign_in(service: Service, call: Call, query: Begins) -> Answer:
    """To the provider; `return_to` is a path of this service."""
    return await service.sign_ins.begin(query)


@operations.get("/auth/callback", id="completeSignIn", is_public=True, limit=STEPS)
async def complete_sign_in(service: Service, call: Call, query: Returns) -> Answer:
    """Back from the provider, with the cookie of a new session."""
    return await service.sign_ins.complete(call, query)


@operations.post("/auth/sign-out", id="signOut")
async def sign_out(service: Service, call: Call) -> Answer:
    """The session of the cookie is over."""
    return await service.sign_ins.end(call)


@operations.get("/auth/local", id="localProvider", is_public=True, limit=STEPS)
async def local_provider(service: Service, call: Call, query: Pretends) -> Answer:
    """The page that stands in for the provider on laptops and in laboratories; not there in production."""
    return await service.sign_ins.local(query)
'''
