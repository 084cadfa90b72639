"""Whose tokens are believed, where their issuer is elsewhere; and the one who stands in for it in a laboratory."""

from __future__ import annotations

import re

from nines.building.names import package
from nines.building.project.settings import SEED, variable_of_issuer
from nines.building.python import quoted
from nines.model.blueprint import Authentication
from nines.model.design import Design

PREFIX_LENGTH_MAX = 16
_STEPS_MAX = 60
"""As the contract says it."""
_OTHER = re.compile(r"[^a-z0-9]")
_TYPES = {"at+jwt": "at+jwt", "JWT": "jwt", "untyped": ""}
"""As a header is compared: in lower case, "" where it says nothing."""


def text(design: Design, auth: Authentication) -> str:
    """`_generated/authentication.py`."""
    match auth.scheme:
        case "api-key":
            return _keys(design)
        case "mtls":
            return _certificates(design)
        case "oidc":
            return _at_provider(design, auth)
        case _:
            return _tokens(design, auth)


def prefix(design: Design) -> str:
    """With which keys begin."""
    found = _OTHER.sub("", design.name.lower()).lstrip("0123456789")[:PREFIX_LENGTH_MAX]
    return found if len(found) > 1 else "key"


def _keys(design: Design) -> str:
    name = package(design)
    return f'''"""Whose keys are believed: those in the table of keys, of each its digest alone."""

from __future__ import annotations

from nines_runtime import ApiKeyAuthenticator, ApiKeyTable, Database

from {name}._generated import sql

PREFIX = "{prefix(design)}"
"""With which keys begin, so that whoever finds one knows whose it is."""


def authenticator(database: Database, *, limit_factor: float) -> ApiKeyAuthenticator:
    """Tells callers apart; what was seen a moment ago is not looked up again."""
    table = ApiKeyTable(database, find=sql.FIND_API_KEY, use=sql.USE_API_KEY)
    return ApiKeyAuthenticator.of(table, limit_factor=limit_factor)
'''


def _certificates(design: Design) -> str:
    name = package(design)
    return f'''"""Whose certificates are believed: those that the balancer has verified, of callers known here."""

from __future__ import annotations

from nines_runtime import CertificateAuthenticator, Clients, LocalAuthority, signed_by

from {name}._generated.settings import IssuerSettings


def local_authority(settings: IssuerSettings) -> LocalAuthority | None:
    """Stands in for the authority and the balancer where {SEED} is set: on laptops and in laboratories."""
    if settings.{SEED.lower()} is None:
        return None
    seed, header = settings.{SEED.lower()}.reveal(), settings.certificate_header
    return LocalAuthority(seed, "{design.name}", environment=settings.environment, header=header)


def authenticator(settings: IssuerSettings) -> CertificateAuthenticator:
    """Tells callers apart."""
    local = local_authority(settings)
    if local is not None:
        return local.authenticator()
    signed = signed_by(settings.client_authority) if settings.client_authority else None
    clients = Clients.parse(settings.clients)
    return CertificateAuthenticator(clients.find, header=settings.certificate_header, signed=signed)


def believed(settings: IssuerSettings) -> tuple[str, list[str]]:
    """The header that tells of a certificate, and the networks from which alone it is taken."""
    return settings.certificate_header, settings.balancers.split(",")
'''


def _at_provider(design: Design, auth: Authentication) -> str:
    """For a provider where people sign in with their browser, beside tokens of it that others show."""
    name = package(design)
    insert = next(each for each in design.queries if each.base == "insert-session")
    columns = _tuple(insert.parameters)
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


{_believing(design, auth)}

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


def _believing(design: Design, auth: Authentication) -> str:
    """Two functions: what is believed, and who stands in for the issuer."""
    seed = SEED.lower()
    return f'''def rules(settings: IssuerSettings) -> TokenRules:
    """What a token must be to be believed."""
    return TokenRules(
{_rules(design, auth)}    )


def local_issuer(settings: IssuerSettings) -> LocalIssuer | None:
    """Stands in for the issuer where {SEED} is set: on laptops and in laboratories."""
    if settings.{seed} is None:
        return None
    return LocalIssuer(settings.{seed}.reveal(), rules(settings), environment=settings.environment)
'''


def _rules(design: Design, auth: Authentication) -> str:
    """The lines of what a token must be."""
    variable = variable_of_issuer(design)
    issuer = f"str(settings.{variable.lower()})" if variable else f'"{auth.issuer}"'
    rules = [f"issuer={issuer}", f'audience="{auth.audience or design.name}"']
    rules += [f"algorithms={_tuple(auth.algorithms)}"]
    if auth.token_types != ("at+jwt",):
        rules += [f"types={_tuple(tuple(_TYPES[each] for each in auth.token_types))}"]
    if auth.roles_claim != "roles":
        rules += [f"roles_claim={quoted(auth.roles_claim)}"]
    if design.tenancy:
        rules += [f'tenant_claim="{design.tenancy.key}"']
    strong = [role.name for role in design.roles if role.needs_second_factor]
    if strong:
        rules += [f"second_factor_roles=frozenset({{{', '.join(map(_quoted, sorted(strong)))}}})"]
    return "".join(f"        {each},\n" for each in rules)


def _tokens(design: Design, auth: Authentication) -> str:
    name = package(design)
    return f'''"""Whose tokens are believed: those of one issuer, whose public keys are fetched from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nines_runtime import Authenticator, JwksAuthenticator, LocalIssuer, TokenRules

from {name}._generated.settings import IssuerSettings


{_believing(design, auth)}

@asynccontextmanager
async def authenticator(settings: IssuerSettings) -> AsyncIterator[Authenticator]:
    """Tells callers apart."""
    issuer = local_issuer(settings)
    if issuer is not None:
        yield issuer.authenticator()
        return
    found = JwksAuthenticator(rules(settings))
    await found.start()
    try:
        yield found
    finally:
        await found.close()
'''


def tokens(design: Design) -> str:
    """`tokens.py`: prints a token, or a certificate, of the local issuer."""
    is_certificate = design.auth is not None and design.auth.scheme == "mtls"
    noun, issuer = ("certificate", "authority") if is_certificate else ("token", "issuer")
    name = package(design)
    has_tenants = design.tenancy is not None
    has_roles = bool(design.roles)
    has_factors = any(role.needs_second_factor for role in design.roles)
    arguments = ["arguments.subject"]
    if has_tenants:
        arguments.append("tenant=arguments.tenant")
    if has_roles:
        arguments.append('roles=[role for each in arguments.role for role in each.split(",") if role]')
    if has_factors:
        arguments.append("has_second_factor=arguments.factors > 1")
    flags = ['    parser.add_argument("--subject", required=True, help="who it is")']
    if has_tenants:
        flags.append('    parser.add_argument("--tenant", default="", help="whose data it may see")')
    if has_roles:
        flags.append('    parser.add_argument("--role", action="append", default=[], help="may be repeated")')
    if has_factors:
        flags.append('    parser.add_argument("--factors", type=int, default=1, help="2: with a second factor")')
    lines = "\n".join(flags)
    given = "".join(f"        {each},\n" for each in arguments)
    return f'''"""Prints a {noun} for laptops and laboratories: python -m {name}.tokens --subject somebody.

It is signed by the stand-in for the {issuer}, which production refuses."""

from __future__ import annotations

import argparse
import os
import sys

from nines_runtime import laptop, read_settings

from {name}._generated.authentication import local_{issuer}
from {name}._generated.settings import FOLDER, LOCAL, MADE_UP, IssuerSettings


def main() -> int:
    parser = argparse.ArgumentParser(prog="{name}.tokens")
{lines}
    arguments = parser.parse_args()
    with laptop(os.environ, folder=FOLDER, secrets=MADE_UP, database="") as environment:
        settings = read_settings(IssuerSettings, {{**LOCAL, **environment}})
    issuer = local_{issuer}(settings)
    if issuer is None:
        sys.stderr.write("There is no {SEED}: a {noun} comes from the {issuer}.\\n")
        return 1
    {noun} = issuer.mint(
{given}    )
    sys.stdout.write(f"{{{noun}}}\\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''


def _tuple(texts: tuple[str, ...]) -> str:
    return f"({', '.join(map(_quoted, texts))}{',' if len(texts) == 1 else ''})"


def _quoted(text: str) -> str:
    return f'"{text}"'
