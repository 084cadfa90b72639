"""`_generated/identity.py`: keys, passwords, codes and tokens, made from the settings."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.accounts.facts import People
from nines.building.file import File

_THREADS, _HASH_S = 2, 0.024
"""Of the runtime's Passwords, as measured."""
_SAYS = "Who people are: keys, passwords, codes and tokens, made from the settings."


def write(people: People) -> Iterator[File]:
    if people.keeps_sessions:
        yield from _of_sessions(people)
        return
    imports = python.Imports(people.package)
    imports.add("nines_runtime", "Cipher", "Codes", "Guesses", "Passwords", "RefreshTokens", "SigningKeys")
    imports.add("nines_runtime", "TokenIssuer", "TokenRules")
    imports.add("nines_runtime.security.accounts", "Accounts")
    imports.add("nines_runtime.security.accounts", "Reads")
    imports.add(f"{people.package}._generated", "sql")
    imports.add(f"{people.package}._generated.settings", "GeneratedSettings")
    body = [*_accounts(people, imports), "", "", *_authenticator(people, imports)]
    path = names.source(people.design, "_generated/identity.py")
    yield File(path=path, text=python.module(_SAYS, imports, ["", *body]))


def _accounts(people: People, imports: python.Imports) -> list[str]:
    auth = people.blueprint.auth
    assert auth is not None
    ttl, session = f"{auth.token_ttl_s:_.0f}.0", f"{auth.refresh_ttl_s:_.0f}.0"
    algorithms = ", ".join(f'"{each}"' for each in auth.algorithms)
    rules: list[python.Part] = [
        f"issuer={_issuer(auth.issuer)}",
        f"audience={python.quoted(auth.audience or people.design.name)}",
        f"algorithms=({algorithms}{',' if len(auth.algorithms) == 1 else ''})",
        f"ttl_max_s={ttl}",
    ]
    needing = [role.name for role in people.blueprint.roles if role.needs_second_factor]
    if needing:
        told = ", ".join(f'"{each}"' for each in needing)
        rules.append(f"second_factor_roles=frozenset({{{told}}})")
    statements = _refresh_statements(people)
    parts: list[python.Part] = [
        f"issuer=TokenIssuer(SigningKeys.parse(settings.token_signing_key.reveal()), rules, ttl_s={ttl})",
        f"passwords=Passwords(waiting_max={_waiting(people)})",
        "codes=Codes(code_key)",
        "guesses=Guesses(code_key)",
        python.named("refresh", python.call("RefreshTokens", session, *statements)),
        "cipher=Cipher.parse(settings.field_keys.reveal())",
        f"session_ttl_s={session}",
    ]
    if statements:
        imports.add("nines_runtime", "RefreshStatements")
    return [
        "def accounts_of(settings: GeneratedSettings) -> Accounts:",
        *python.laid(python.call("TokenRules", *rules), before="rules = ", depth=1),
        "    code_key = settings.code_key.reveal().encode()",
        *python.laid(python.call("return Accounts", *parts), depth=1),
    ]


def _of_sessions(people: People) -> Iterator[File]:
    """Without tokens, and so without what signs them."""
    imports = python.Imports(people.package)
    imports.add("nines_runtime", "Cipher", "Codes", "Guesses", "Passwords")
    imports.add("nines_runtime.security.accounts", "CookieAuthenticator", "ReadsAndWrites", "SessionAccounts")
    imports.add(f"{people.package}._generated", "sql")
    imports.add(f"{people.package}._generated.settings", "GeneratedSettings")
    auth = people.blueprint.auth
    assert auth is not None
    parts: list[python.Part] = [
        f"passwords=Passwords(waiting_max={_waiting(people)})",
        "codes=Codes(code_key)",
        "guesses=Guesses(code_key)",
        "cipher=Cipher.parse(settings.field_keys.reveal())",
        f"session_ttl_s={auth.refresh_ttl_s:_.0f}.0",
    ]
    needing = ", ".join(f'"{role.name}"' for role in people.blueprint.roles if role.needs_second_factor)
    if needing:
        parts.append(f"second_factor_roles=frozenset({{{needing}}})")
    parts.append('origins=settings.origins.split(",")')
    see = _text_of(people, f"see-{people.noun.replace('_', '-')}-session")
    touch = _text_of(people, f"touch-{people.noun.replace('_', '-')}-session")
    made = python.call(
        "return CookieAuthenticator",
        "accounts",
        "database",
        f"see={see}",
        f"touch={touch}",
        f"prefix={python.quoted(people.prefix)}",
    )
    body = [
        "def accounts_of(settings: GeneratedSettings) -> SessionAccounts:",
        "    code_key = settings.code_key.reveal().encode()",
        *python.laid(python.call("return SessionAccounts", *parts), depth=1),
        "",
        "",
        "def authenticator_of(accounts: SessionAccounts, database: ReadsAndWrites) -> CookieAuthenticator:",
        '    """Sees with each request whether its session still holds."""',
        *python.laid(made, depth=1),
    ]
    path = names.source(people.design, "_generated/identity.py")
    says = "Who people are: passwords, codes and sessions, made from the settings."
    yield File(path=path, text=python.module(says, imports, ["", *body]))


def _text_of(people: People, base: str) -> str:
    """The constant of a statement; where no operation asks who somebody is, nothing is ever found."""
    found = next((f"sql.{names.constant(each.id)}" for each in people.design.queries if each.base == base), "")
    return found or '"SELECT WHERE false AND $1 IS NULL"'


def _waiting(people: People) -> int:
    """So many hashes wait that the last of them still is answered in time; what comes beyond is refused at once."""
    promised_s = min(each.latency_p95_s or people.design.budgets.latency_p95_s for each in people.endpoints)
    return max(_THREADS, int(_THREADS * promised_s / _HASH_S))


def _refresh_statements(people: People) -> list[python.Part]:
    """The texts of the service's own tables."""
    kebab = people.noun.replace("_", "-")
    named = {
        "rotate": f"rotate-{kebab}-token",
        "read": f"read-{kebab}-token",
        "insert": f"insert-{kebab}-token",
        "revoke": f"revoke-{kebab}-session",
    }
    found = {
        name: next((f"sql.{names.constant(q.id)}" for q in people.design.queries if q.base == base), "")
        for name, base in named.items()
    }
    given = [f"{name}={value}" for name, value in found.items() if value]
    return [python.named("statements", python.call("RefreshStatements", *given))]


def _issuer(text: str) -> str:
    """A variable of the environment is a setting; anything else is what it is."""
    if text.startswith("${") and text.endswith("}"):
        return f"str(settings.{text[2:-1].lower()})"
    return python.quoted(text)


def _authenticator(people: People, imports: python.Imports) -> list[str]:
    base = f"see-{people.noun.replace('_', '-')}-session"
    see = next((each for each in people.design.queries if each.base == base), None)
    if see is None:
        # No operation asks who somebody is, so no session is ever looked at.
        imports.add("nines_runtime", "TokenAuthenticator")
        return [
            "def authenticator_of(accounts: Accounts, database: Reads) -> TokenAuthenticator:",
            "    del database",
            "    return accounts.issuer.authenticator()",
        ]
    imports.add("nines_runtime.security.accounts", "AccountAuthenticator")
    made = python.call(
        "return AccountAuthenticator",
        "accounts.issuer",
        "database",
        f"see=sql.{names.constant(see.id)}",
        f"prefix={python.quoted(people.prefix)}",
    )
    return [
        "def authenticator_of(accounts: Accounts, database: Reads) -> AccountAuthenticator:",
        '    """Sees with each token whether its session still holds."""',
        *python.laid(made, depth=1),
    ]
