"""Whose tokens are believed, where their issuer is elsewhere; and the one who stands in for it in a laboratory."""

from __future__ import annotations

import re

from nines.building.names import package
from nines.building.project import browsers
from nines.building.project.believing import believing
from nines.building.project.settings import SEED
from nines.model.blueprint import Authentication
from nines.model.design import Design

PREFIX_LENGTH_MAX = 16
_OTHER = re.compile(r"[^a-z0-9]")


def text(design: Design, auth: Authentication) -> str:
    """`_generated/authentication.py`."""
    match auth.scheme:
        case "api-key":
            return _keys(design)
        case "mtls":
            return _certificates(design)
        case "oidc":
            return browsers.at_provider(design, auth)
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


def _tokens(design: Design, auth: Authentication) -> str:
    name = package(design)
    return f'''"""Whose tokens are believed: those of one issuer, whose public keys are fetched from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nines_runtime import Authenticator, JwksAuthenticator, LocalIssuer, TokenRules

from {name}._generated.settings import IssuerSettings


{believing(design, auth)}

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
