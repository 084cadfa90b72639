"""What a token must be to be believed, and who stands in for its issuer in a laboratory."""

from __future__ import annotations

from nines.building.project.settings import SEED, variable_of_issuer
from nines.building.python import quoted
from nines.model.blueprint import Authentication
from nines.model.design import Design

_TYPES = {"at+jwt": "at+jwt", "JWT": "jwt", "untyped": ""}
"""As a header is compared: in lower case, "" where it says nothing."""


def believing(design: Design, auth: Authentication) -> str:
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
    rules += [f"algorithms={tuple_of(auth.algorithms)}"]
    if auth.token_types != ("at+jwt",):
        rules += [f"types={tuple_of(tuple(_TYPES[each] for each in auth.token_types))}"]
    if auth.roles_claim != "roles":
        rules += [f"roles_claim={quoted(auth.roles_claim)}"]
    if design.tenancy:
        rules += [f'tenant_claim="{design.tenancy.key}"']
    strong = [role.name for role in design.roles if role.needs_second_factor]
    if strong:
        rules += [f"second_factor_roles=frozenset({{{', '.join(map(_quoted, sorted(strong)))}}})"]
    return "".join(f"        {each},\n" for each in rules)


def tuple_of(texts: tuple[str, ...]) -> str:
    return f"({', '.join(map(_quoted, texts))}{',' if len(texts) == 1 else ''})"


def _quoted(text: str) -> str:
    return f'"{text}"'
