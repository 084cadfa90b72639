"""`people.py`: what an operator does at the console, for no operation grants a role.

The console itself is the runtime's; what is written are the statements that it sends, and what else it must know."""

# ruff: noqa: S608 -- Names are those of tables, values are placeholders.

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.accounts.facts import People
from nines.building.file import File
from nines.building.project.settings import database, has_console
from nines.model.blueprint import DependencyKind
from nines.model.design import console

_STATEMENT_MAX = 90
"""Of a statement on one line."""


def write(people: People) -> Iterator[File]:
    if has_console(people.design):
        yield File(path=names.source(people.design, "people.py"), text=_text(people))


def _text(people: People) -> str:
    package = people.package
    store = next(each.name for each in people.design.dependencies if each.kind is DependencyKind.POSTGRES)
    made = ["PEOPLE = People("]
    for name, text in _statements(people):
        made.append(f"    {name}={_literal(text)},")
    for fact in _facts(people):
        made += python.laid(fact, after=",", depth=1)
    people_made = "\n".join([*made, ")"])
    return f'''"""Accounts at the console of an operator: no operation that could be called grants a role.

{_uses(people)}
`add` asks for the password, or takes it from NEW_PASSWORD. `token` prints {_token(people)}, for laboratories alone."""

from __future__ import annotations

import sys

from nines_runtime import Database
from nines_runtime.running.people import Console, People

from {package}._generated.identity import accounts_of
from {package}._generated.settings import GeneratedSettings, surroundings

{people_made}


def database_of(settings: GeneratedSettings) -> Database:
    password = settings.{names.snake(store)}_password
    return Database(str(settings.{database(people.design).lower()}), password=password.reveal() if password else None)


CONSOLE = Console(PEOPLE, GeneratedSettings, accounts=accounts_of, database=database_of)

if __name__ == "__main__":
    sys.exit(CONSOLE.main(surroundings, prog="python -m {package}.people"))
'''


def _uses(people: People) -> str:
    roles = [role.name for role in people.blueprint.roles]
    verbs = ["add ada@example.com"]
    verbs += [f"{verb} ada@example.com {roles[0]}" for verb in (("grant", "withdraw") if roles else ())]
    verbs += ["renew ada@example.com"] if _needing(people) else []
    return "".join(f"python -m {people.package}.people {each}\n" for each in (*verbs, "token ada@example.com"))


def _token(people: People) -> str:
    return "a cookie" if people.keeps_sessions else "an access token"


def _needing(people: People) -> list[str]:
    return [role.name for role in people.blueprint.roles if role.needs_second_factor]


def _literal(text: str) -> str:
    """On one line where it fits."""
    if len(text) > _STATEMENT_MAX and "\n" not in text:
        text = text.replace(" SET ", "\nSET ").replace(" WHERE ", "\nWHERE ").replace(" VALUES ", "\nVALUES ")
    return f'"""\\\n{text}"""' if "\n" in text else python.quoted(text)


def _statements(people: People) -> Iterator[tuple[str, str]]:
    table, noun, login = people.table.name, people.noun, people.login
    others = console.needed(people.design) or ()
    tenant = [people.thing.tenant] if people.thing.tenant else []
    columns = ["id", login, *(["status"] if people.signing_state else []), *tenant, *(each.name for each in others)]
    given = ["$1", "$2", *([f"'{people.signing_state}'"] if people.signing_state else []), *(["$4"] if tenant else [])]
    casts = ("" if each.type == "text" else f"::text::{each.type}" for each in others)
    given += [f"${number}{cast}" for number, cast in enumerate(casts, 4 + len(tenant))]
    yield "find", f"SELECT id FROM {table} WHERE {login} = $1"
    yield (
        "add",
        f"WITH made AS (\n    INSERT INTO {table} ({', '.join(columns)})\n    VALUES ({', '.join(given)})\n"
        f"    ON CONFLICT ({login}) DO NOTHING\n    RETURNING id\n)\n"
        f"INSERT INTO {noun}_credentials ({noun}_id, password_hash)\nSELECT id, $3\nFROM made",
    )
    shown = (", token_hash", ", $3") if people.keeps_sessions else ("", "")
    factor = (", has_second_factor", ", true") if _keeps_factor(people) else ("", "")
    yield (
        "open_session",
        f"INSERT INTO {noun}_sessions (id, {noun}_id, expires_at{shown[0]}{factor[0]})\n"
        f"VALUES ($1, $2, now() + interval '1 day'{shown[1]}{factor[1]})",
    )
    if people.blueprint.roles:
        yield "grant", f"INSERT INTO {noun}_roles ({noun}_id, role) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        yield "withdraw", f"DELETE FROM {noun}_roles WHERE {noun}_id = $1 AND role = $2"
        if not people.keeps_sessions:
            yield "read_roles", f"SELECT role FROM {noun}_roles WHERE {noun}_id = $1"
        ended = f"UPDATE {noun}_sessions SET revoked_at = now() WHERE {noun}_id = $1 AND revoked_at IS NULL"
        yield "end_sessions", ended
    if _needing(people):
        factors = f"{noun}_second_factors"
        yield (
            "enrol",
            f"INSERT INTO {factors} ({noun}_id, secret)\nVALUES ($1, $2)\nON CONFLICT ({noun}_id) DO NOTHING\n"
            f"RETURNING {noun}_id",
        )
        yield "renew", f"UPDATE {factors}\nSET secret = $2, last_step = 0\nWHERE {noun}_id = $1\nRETURNING {noun}_id"


def _keeps_factor(people: People) -> bool:
    """Whether sessions tell of a second factor."""
    table = people.design.table(f"{people.noun}_sessions")
    return table is not None and table.column("has_second_factor") is not None


def _facts(people: People) -> Iterator[python.Part]:
    """What the console needs to know beside its statements."""
    needing, others = _needing(people), console.needed(people.design)
    if others:
        pairs = ((each.name, python.quoted(each.example)) for each in others)
        yield python.named("others", python.mapping(pairs))
    if people.blueprint.roles:
        yield python.named("roles", python.row(*(python.quoted(role.name) for role in people.blueprint.roles)))
    if needing:
        yield python.named("second_factor_roles", python.row(*map(python.quoted, needing)))
        yield f'sealed_as="{people.noun}_second_factors.secret"'
        yield f"issuer={python.quoted(people.design.name)}"
    if people.prefix:
        yield f"prefix={python.quoted(people.prefix)}"
    if _keeps_factor(people) and not people.keeps_sessions:
        yield "has_second_factor=True"
    if people.thing.tenant:
        yield "has_tenants=True"
    if not people.is_mail:
        yield "is_mail=False"
