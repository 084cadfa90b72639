"""Whose tokens are believed, where their issuer is elsewhere; and the one who stands in for it in a laboratory."""

from __future__ import annotations

from nines.building.names import package
from nines.building.project.settings import SEED, variable_of_issuer
from nines.model.blueprint import Authentication
from nines.model.design import Design

_TYPES = {"at+jwt": "at+jwt", "JWT": "jwt", "untyped": ""}
"""As a header is compared: in lower case, "" where it says nothing."""


def text(design: Design, auth: Authentication) -> str:
    """`_generated/authentication.py`."""
    name = package(design)
    variable = variable_of_issuer(design)
    issuer = f"str(settings.{variable.lower()})" if variable else f'"{auth.issuer}"'
    rules = [f"issuer={issuer}", f'audience="{auth.audience or design.name}"']
    rules += [f"algorithms={_tuple(auth.algorithms)}"]
    if auth.token_types != ("at+jwt",):
        rules += [f"types={_tuple(tuple(_TYPES[each] for each in auth.token_types))}"]
    if design.tenancy:
        rules += [f'tenant_claim="{design.tenancy.key}"']
    strong = [role.name for role in design.roles if role.needs_second_factor]
    if strong:
        rules += [f"second_factor_roles=frozenset({{{', '.join(map(_quoted, sorted(strong)))}}})"]
    lines = "".join(f"        {each},\n" for each in rules)
    seed = SEED.lower()
    return f'''"""Whose tokens are believed: those of one issuer, whose public keys are fetched from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nines_runtime import Authenticator, JwksAuthenticator, LocalIssuer, TokenRules

from {name}._generated.settings import IssuerSettings


def rules(settings: IssuerSettings) -> TokenRules:
    """What a token must be to be believed."""
    return TokenRules(
{lines}    )


def local_issuer(settings: IssuerSettings) -> LocalIssuer | None:
    """Stands in for the issuer where {SEED} is set: on laptops and in laboratories."""
    if settings.{seed} is None:
        return None
    return LocalIssuer(settings.{seed}.reveal(), rules(settings), environment=settings.environment)


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
    """`tokens.py`: prints a token of the local issuer."""
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
    return f'''"""Prints a token for laptops and laboratories: python -m {name}.tokens --subject somebody.

It is signed by the stand-in for the issuer, which production refuses."""

from __future__ import annotations

import argparse
import os
import sys

from nines_runtime import laptop, read_settings

from {name}._generated.authentication import local_issuer
from {name}._generated.settings import FOLDER, LOCAL, MADE_UP, IssuerSettings


def main() -> int:
    parser = argparse.ArgumentParser(prog="{name}.tokens")
{lines}
    arguments = parser.parse_args()
    with laptop(os.environ, folder=FOLDER, secrets=MADE_UP, database="") as environment:
        settings = read_settings(IssuerSettings, {{**LOCAL, **environment}})
    issuer = local_issuer(settings)
    if issuer is None:
        sys.stderr.write("There is no {SEED}: a token comes from the issuer.\\n")
        return 1
    token = issuer.mint(
{given}    )
    sys.stdout.write(f"{{token}}\\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''


def _tuple(texts: tuple[str, ...]) -> str:
    return f"({', '.join(map(_quoted, texts))}{',' if len(texts) == 1 else ''})"


def _quoted(text: str) -> str:
    return f'"{text}"'
