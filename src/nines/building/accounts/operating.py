"""`people.py`: what an operator does at the console, for no operation grants a role."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.accounts.facts import People
from nines.building.file import File
from nines.building.project.settings import database, has_console
from nines.model.blueprint import DependencyKind
from nines.model.design import console
from nines.model.design.console import Needed


def write(people: People) -> Iterator[File]:
    if has_console(people.design):
        yield File(path=names.source(people.design, "people.py"), text=_text(people))


def _text(people: People) -> str:
    roles = [role.name for role in people.blueprint.roles]
    needing = [role.name for role in people.blueprint.roles if role.needs_second_factor]
    text = _HEAD
    text += (_STATEMENTS + (_ROLE_STATEMENTS if roles else "") + (_FACTOR_STATEMENT if needing else "")).lstrip("\n")
    text += _WITH_ROLES if roles else _WITHOUT_ROLES
    if people.keeps_sessions:
        for each, other in _OF_COOKIES:
            text = text.replace(each, other)
    if needing:
        text = text.replace('"withdraw", "token"', '"withdraw", "renew", "token"')
        text = text.replace("            await _withdraw(database, id, asked.role)\n", _RENEW_CASE)
    text += (_GRANTING if roles else "") + (_ENROLLING + _RENEWING if needing else "") + _END
    factor = people.design.table(f"{people.noun}_sessions")
    has_factor = factor is not None and factor.column("has_second_factor") is not None
    store = next(each.name for each in people.design.dependencies if each.kind is DependencyKind.POSTGRES)
    url = database(people.design).lower()
    marks = {
        "PACKAGE": people.package,
        "TABLE": people.table.name,
        "NOUN": people.noun,
        "LOGIN": people.login,
        "LOWER": ".lower()" if people.is_mail else "",
        "STATUS": ", status" if people.signing_state else "",
        "STATE": f", '{people.signing_state}'" if people.signing_state else "",
        "CONSTANTS": (f"ROLES = {_tuple(roles)}\n" if roles else "")
        + (f"NEEDS_SECOND_FACTOR = {_tuple(needing)}\n" if needing else ""),
        "USES": "".join(
            f"python -m {people.package}.people {verb} ada@example.com {roles[0]}\n"
            for verb in (("grant", "withdraw") if roles else ())
        )
        + (f"python -m {people.package}.people renew ada@example.com\n" if needing else ""),
        "PREFIX": people.prefix,
        "URL": url,
        "PASSWORD_SETTING": f"{names.snake(store)}_password",
        "ISSUER": people.design.name,
        "TOTP": ", Totp" if needing else "",
        "ENROL": (
            "    if role in NEEDS_SECOND_FACTOR:\n        await _enrol(database, accounts, id, name)\n"
            if needing
            else ""
        ),
        "HOLDER": "SessionAccounts" if people.keeps_sessions else "Accounts",
        "SESSIONS_IMPORT": "from nines_runtime.security.sessions import new_session\n" if people.keeps_sessions else "",
        "FACTOR_COLUMN": ", has_second_factor" if has_factor else "",
        "FACTOR_VALUE": ", true" if has_factor else "",
        "FACTOR_GIVEN": ", has_second_factor=True" if has_factor else "",
    }
    marks |= _tenanted(people) if people.thing.tenant else dict.fromkeys(_TENANT_MARKS, "")
    others = console.needed(people.design) or ()
    marks["ASKED"] = (", asked.tenant" if people.thing.tenant else "") + (", asked.set" if others else "")
    first = 5 if people.thing.tenant else 4
    marks |= _with_others(others, first) if others else dict.fromkeys(_OTHER_MARKS, "")
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", value)
    return text


def _with_others(others: tuple[Needed, ...], first: int) -> dict[str, str]:
    """What else an account needs is what the contract's example says, unless the operator says something else."""
    casts = ["" if each.type == "text" else f"::text::{each.type}" for each in others]
    said = python.laid(python.mapping((each.name, python.quoted(each.example)) for each in others), before="OTHERS = ")
    return {
        "OTHER_COLUMNS": "".join(f", {each.name}" for each in others),
        "OTHER_VALUES": "".join(f", ${first + number}{cast}" for number, cast in enumerate(casts)),
        "OTHER_CONSTANTS": "\n".join([*said, _OTHERS_SAY]),
        "OTHER_OPTION": _OTHER_OPTION,
        "OTHER_PARAMETER": ", said: list[str]",
        "OTHER_LINE": "    others = _others(name, said)\n",
        "OTHER_GIVEN": ", *others",
        "OTHER_FUNCTION": _OTHER_FUNCTION,
    }


_OTHER_MARKS = tuple(
    f"OTHER_{each}" for each in ("COLUMNS", "VALUES", "CONSTANTS", "OPTION", "PARAMETER", "LINE", "GIVEN", "FUNCTION")
)
_OTHERS_SAY = '''"""What an account needs beside a name and a password; what is empty is made of the name."""
'''
_OTHER_OPTION = """    told = f"of a new account: {', '.join(OTHERS)}"
    what.choices["add"].add_argument("--set", action="append", default=[], metavar="WHAT=VALUE", help=told)
"""
_OTHER_FUNCTION = """

def _others(name: str, said: list[str]) -> list[str]:
    given = dict(each.partition("=")[::2] for each in said)
    unknown = sorted(given.keys() - OTHERS.keys())
    if unknown:
        raise SystemExit(f"nothing can be said of {unknown[0]}: {', '.join(OTHERS)}")
    return [given.get(what, usual) or name.partition("@")[0] for what, usual in OTHERS.items()]
"""
_TENANT_MARKS = tuple(f"TENANT_{each}" for each in ("COLUMN", "VALUE", "OPTION", "PARAMETER", "GIVEN"))


def _tenanted(people: People) -> dict[str, str]:
    """An operator says in which tenant somebody is; who is in none so far gets one of their own."""
    return {
        "TENANT_COLUMN": f", {people.thing.tenant}",
        "TENANT_VALUE": ", $4",
        "TENANT_OPTION": _TENANT_OPTION,
        "TENANT_PARAMETER": ", tenant: str",
        "TENANT_GIVEN": ", tenant or str(id)",
    }


_TENANT_OPTION = """    told = "in which they are; their own where none is given"
    what.choices["add"].add_argument("--tenant", default="", help=told)
"""


def _tuple(words: list[str]) -> str:
    inner = ", ".join(f'"{word}"' for word in words)
    return f"({inner},)" if len(words) == 1 else f"({inner})"


_HEAD = '''"""Accounts at the console of an operator: no operation that could be called grants a role.

python -m @PACKAGE@.people add ada@example.com
@USES@python -m @PACKAGE@.people token ada@example.com

`add` asks for the password, or takes it from NEW_PASSWORD. `token` prints an access token, for laboratories alone."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from uuid import UUID

from nines_runtime import Database, Deadline@TOTP@, identifier_of, identifier_text, new_id, read_settings
from nines_runtime.security.accounts import @HOLDER@
@SESSIONS_IMPORT@
from @PACKAGE@._generated.identity import accounts_of
from @PACKAGE@._generated.settings import GeneratedSettings, surroundings

LIMIT_S = 30.0
@CONSTANTS@@OTHER_CONSTANTS@'''
_STATEMENTS = '''FIND = "SELECT id FROM @TABLE@ WHERE @LOGIN@ = $1"
ADD = """\\
WITH made AS (
    INSERT INTO @TABLE@ (id, @LOGIN@@STATUS@@TENANT_COLUMN@@OTHER_COLUMNS@)
    VALUES ($1, $2@STATE@@TENANT_VALUE@@OTHER_VALUES@)
    ON CONFLICT (@LOGIN@) DO NOTHING
    RETURNING id
)
INSERT INTO @NOUN@_credentials (@NOUN@_id, password_hash)
SELECT id, $3
FROM made"""
OPEN_SESSION = """\\
INSERT INTO @NOUN@_sessions (id, @NOUN@_id, expires_at@FACTOR_COLUMN@)
VALUES ($1, $2, now() + interval '1 day'@FACTOR_VALUE@)"""
'''
_ROLE_STATEMENTS = """GRANT = "INSERT INTO @NOUN@_roles (@NOUN@_id, role) VALUES ($1, $2) ON CONFLICT DO NOTHING"
WITHDRAW = "DELETE FROM @NOUN@_roles WHERE @NOUN@_id = $1 AND role = $2"
READ_ROLES = "SELECT role FROM @NOUN@_roles WHERE @NOUN@_id = $1"
END_SESSIONS = "UPDATE @NOUN@_sessions SET revoked_at = now() WHERE @NOUN@_id = $1 AND revoked_at IS NULL"
"""
_FACTOR_STATEMENT = '''ENROL = """\\
INSERT INTO @NOUN@_second_factors (@NOUN@_id, secret)
VALUES ($1, $2)
ON CONFLICT (@NOUN@_id) DO NOTHING
RETURNING @NOUN@_id"""
RENEW = """\\
UPDATE @NOUN@_second_factors
SET secret = $2, last_step = 0
WHERE @NOUN@_id = $1
RETURNING @NOUN@_id"""
'''
_MAIN = '''

def main() -> int:
    """The command line; 1 where there is nobody of that name."""
    parser = argparse.ArgumentParser(prog="python -m @PACKAGE@.people")
    what = parser.add_subparsers(dest="what", required=True)
    for name in (@VERBS@):
        what.add_parser(name).add_argument("name")
@MORE@    what.choices["add"].add_argument("--id", default="", help="of a new account; made up where none is given")
@TENANT_OPTION@@OTHER_OPTION@    asked = parser.parse_args()
    with surroundings() as environment:
        return asyncio.run(_carry_out(asked, read_settings(GeneratedSettings, environment)))


async def _carry_out(asked: argparse.Namespace, settings: GeneratedSettings) -> int:
    accounts = accounts_of(settings)
    password = settings.@PASSWORD_SETTING@
    database = Database(settings.@URL@, password=password.reveal() if password else None)
    name = asked.name@LOWER@
    try:
        if asked.what == "add":
            await _add(database, accounts, name, identifier_of(asked.id, "@PREFIX@") or new_id()@ASKED@)
        id = await _find(database, name)
        if id is None:
            print(f"there is nobody called {name}", file=sys.stderr)
            return 1
@CASES@        if asked.what == "token":
            print(await _token(database, accounts, id, settings.environment))
        return 0
    finally:
        accounts.close()
        await database.close()


async def _find(database: Database, name: str) -> UUID | None:
    row = await database.fetchrow(Deadline.after(LIMIT_S), FIND, name)
    return None if row is None else row["id"]


async def _add(database: Database, accounts: @HOLDER@, name: str, id: UUID@TENANT_PARAMETER@@OTHER_PARAMETER@) -> None:
    """Whoever is there already keeps their password."""
    password = os.environ.get("NEW_PASSWORD") or getpass.getpass("Password: ")
    password_hash = await accounts.passwords.hash(password)
@OTHER_LINE@    await database.execute(Deadline.after(LIMIT_S), ADD, id, name, password_hash@TENANT_GIVEN@@OTHER_GIVEN@)
@OTHER_FUNCTION@

async def _token(database: Database, accounts: @HOLDER@, id: UUID, environment: str) -> str:
    """Of a session of its own, as if a second factor had been shown."""
    if environment not in ("local", "laboratory"):
        raise SystemExit("a token without a password is for laptops and laboratories, and ENVIRONMENT is another")
    session = new_id()
    await database.execute(Deadline.after(LIMIT_S), OPEN_SESSION, session, id)
@ROLES_READ@    subject = identifier_text(id, "@PREFIX@")
    return accounts.issuer.issue(subject@ROLES_GIVEN@, session=str(session)@FACTOR_GIVEN@)
'''
_READING_ROLES = """    rows = await database.fetch(Deadline.after(LIMIT_S), READ_ROLES, id)
    roles = [row["role"] for row in rows]
"""
_OF_COOKIES = (
    (
        "`token` prints an access token, for laboratories alone.",
        "`token` prints a cookie, for laboratories alone.",
    ),
    ("(id, @NOUN@_id, expires_at@FACTOR_COLUMN@)", "(id, @NOUN@_id, expires_at, token_hash@FACTOR_COLUMN@)"),
    ("now() + interval '1 day'@FACTOR_VALUE@)", "now() + interval '1 day', $3@FACTOR_VALUE@)"),
    ("await _token(database, accounts, id, settings.environment)", "await _token(database, id, settings.environment)"),
    (
        "async def _token(database: Database, accounts: @HOLDER@, id: UUID,",
        "async def _token(database: Database, id: UUID,",
    ),
    ("    session = new_id()\n", "    cookie = new_session()\n"),
    ("OPEN_SESSION, session, id)", "OPEN_SESSION, new_id(), id, cookie.digest)"),
    (_READING_ROLES, ""),
    (
        """    subject = identifier_text(id, "@PREFIX@")
    return accounts.issuer.issue(subject, roles=roles, session=str(session)@FACTOR_GIVEN@)
""",
        "    return cookie.text\n",
    ),
    (
        """    subject = identifier_text(id, "@PREFIX@")
    return accounts.issuer.issue(subject, session=str(session)@FACTOR_GIVEN@)
""",
        "    return cookie.text\n",
    ),
    ("identifier_of, identifier_text, new_id", "identifier_of, new_id"),
    ('READ_ROLES = "SELECT role FROM @NOUN@_roles WHERE @NOUN@_id = $1"\n', ""),
)
"""What differs where people are known by a cookie: there are no tokens, and roles are read with each request."""
_WITH_ROLES = (
    _MAIN.replace("@VERBS@", '"add", "grant", "withdraw", "token"')
    .replace(
        "@MORE@",
        """        if name in ("grant", "withdraw"):
            what.choices[name].add_argument("role", choices=ROLES)
""",
    )
    .replace(
        "@CASES@",
        """        if asked.what == "grant":
            await _grant(database, accounts, id, name, asked.role)
        if asked.what == "withdraw":
            await _withdraw(database, id, asked.role)
""",
    )
    .replace(
        "@ROLES_READ@",
        _READING_ROLES,
    )
    .replace("@ROLES_GIVEN@", ", roles=roles")
)
_WITHOUT_ROLES = (
    _MAIN.replace("@VERBS@", '"add", "token"')
    .replace("@MORE@", "")
    .replace("@CASES@", "")
    .replace("@ROLES_READ@", "")
    .replace("@ROLES_GIVEN@", "")
)
_GRANTING = '''

async def _grant(database: Database, accounts: @HOLDER@, id: UUID, name: str, role: str) -> None:
    await database.execute(Deadline.after(LIMIT_S), GRANT, id, role)
@ENROL@

async def _withdraw(database: Database, id: UUID, role: str) -> None:
    """Tokens that tell of the role end with their sessions."""
    await database.execute(Deadline.after(LIMIT_S), WITHDRAW, id, role)
    await database.execute(Deadline.after(LIMIT_S), END_SESSIONS, id)
'''
_ENROLLING = '''

async def _enrol(database: Database, accounts: @HOLDER@, id: UUID, name: str) -> None:
    """Prints what the app of the second factor reads, once: nobody can see it again."""
    secret = Totp.new_secret()
    sealed = accounts.cipher.encrypt(secret, "@NOUN@_second_factors.secret", id)
    if await database.fetchrow(Deadline.after(LIMIT_S), ENROL, id, sealed) is not None:
        print(Totp.uri(secret, issuer="@ISSUER@", account=name))
'''
_RENEWING = '''

async def _renew(database: Database, accounts: @HOLDER@, id: UUID, name: str) -> None:
    """For somebody whose device is lost: a new secret, printed once; sessions that were opened with the old one end."""
    secret = Totp.new_secret()
    sealed = accounts.cipher.encrypt(secret, "@NOUN@_second_factors.secret", id)
    if await database.fetchrow(Deadline.after(LIMIT_S), RENEW, id, sealed) is None:
        raise SystemExit(f"{name} has no second factor: grant a role that needs one")
    await database.execute(Deadline.after(LIMIT_S), END_SESSIONS, id)
    print(Totp.uri(secret, issuer="@ISSUER@", account=name))
'''
_RENEW_CASE = """            await _withdraw(database, id, asked.role)
        if asked.what == "renew":
            await _renew(database, accounts, id, name)
"""
_END = """

if __name__ == "__main__":
    sys.exit(main())
"""
