"""`keys.py`: what an operator does at the console, for no operation makes a key."""

from __future__ import annotations

from nines.building import names
from nines.building.project import settings
from nines.model.blueprint import DependencyKind
from nines.model.design import Design

_CONSOLE = '''"""Keys of callers at the console of an operator: no operation that could be called makes one.

python -m @PACKAGE@.keys create --subject warehouse@TENANT_USE@@ROLE_USE@
python -m @PACKAGE@.keys list
python -m @PACKAGE@.keys revoke 0123456789abcdef

To take the place of a key make a second one, give it to its caller, and revoke the first when `list` shows that it is
no longer used. What is revoked is refused at once, by a process that has just seen it within seconds."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime, timedelta

from nines_runtime import ApiKey, Database, Deadline, read_settings

from @PACKAGE@._generated.authentication import PREFIX
from @PACKAGE@._generated.settings import GeneratedSettings, surroundings

LIMIT_S = 30.0
DAYS = 365
@ROLES@INSERT = """\\
INSERT INTO @TABLE@ (id, key_hash, subject, expires_at@COLUMNS@)
VALUES ($1, $2, $3, $4@VALUES@)"""
LIST = """\\
SELECT id, subject@LISTED@, expires_at, revoked_at, used_at
FROM @TABLE@
WHERE $1 IN ('', subject)
ORDER BY subject, created_at"""
REVOKE = "UPDATE @TABLE@ SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id"


def main() -> int:
    """The command line; 1 where there is no such key."""
    parser = argparse.ArgumentParser(prog="python -m @PACKAGE@.keys")
    what = parser.add_subparsers(dest="what", required=True)
    create = what.add_parser("create", help="prints the key, once: nobody can see it again")
    create.add_argument("--subject", required=True, help="who it is for")
@FLAGS@    create.add_argument("--days", type=int, default=DAYS, help="how long it is good for; 0: until it is revoked")
    what.add_parser("list", help="never the keys themselves").add_argument("--subject", default="")
    what.add_parser("revoke").add_argument("id", help="as `list` shows it: the middle of the key")
    asked = parser.parse_args()
    with surroundings() as environment:
        return asyncio.run(_carry_out(asked, read_settings(GeneratedSettings, environment)))


async def _carry_out(asked: argparse.Namespace, settings: GeneratedSettings) -> int:
    password = settings.@PASSWORD@
    database = Database(settings.@URL@, password=password.reveal() if password else None)
    try:
        if asked.what == "create":
            print(await _create(database, asked))
        elif asked.what == "list":
            await _list(database, asked.subject)
        elif await database.fetchrow(Deadline.after(LIMIT_S), REVOKE, asked.id) is None:
            print(f"there is no key {asked.id}, or it was revoked before", file=sys.stderr)
            return 1
        return 0
    finally:
        await database.close()


async def _create(database: Database, asked: argparse.Namespace) -> str:
@CHECKS@    key = ApiKey(PREFIX)
    until = datetime.now(UTC) + timedelta(days=asked.days) if asked.days > 0 else None
    values = (key.id, key.digest, asked.subject, until@GIVEN@)
    await database.execute(Deadline.after(LIMIT_S), INSERT, *values)
    return key.text


async def _list(database: Database, subject: str) -> None:
    for row in await database.fetch(Deadline.after(LIMIT_S), LIST, subject):
        state = "revoked" if row["revoked_at"] else f"until {_day(row['expires_at'], 'revoked')}"
        used = f"used {_day(row['used_at'], 'never')}"
        told = [row["id"], row["subject"], @TOLD@state, used]
        print("  ".join(told))


def _day(moment: datetime | None, nothing: str) -> str:
    return moment.date().isoformat() if moment else nothing


if __name__ == "__main__":
    sys.exit(main())
'''


def text(design: Design) -> str:
    """The console; as short as the blueprint allows."""
    has_tenants, roles = design.tenancy is not None, [role.name for role in design.roles]
    table = next(each for each in design.tables if each.column("key_hash"))
    store = next(each.name for each in design.dependencies if each.kind is DependencyKind.POSTGRES)
    flags, checks, columns, given, told = "", "", [], "", ""
    if has_tenants:
        flags += '    create.add_argument("--tenant", required=True, help="whose data it may see")\n'
        columns.append("tenant")
        given += ", asked.tenant"
        told += 'row["tenant"], '
    if roles:
        flags += '    create.add_argument("--role", action="append", default=[], help="may be repeated")\n'
        checks = (
            '    roles = sorted({role for each in asked.role for role in each.split(",") if role})\n'
            "    unknown = [role for role in roles if role not in ROLES]\n"
            "    if unknown:\n"
            "        raise SystemExit(f\"there is no role {unknown[0]}: {', '.join(ROLES)}\")\n"
        )
        columns.append("roles")
        given += ", roles"
        told += '",".join(row["roles"]), '
    marks = {
        "PACKAGE": names.package(design),
        "TENANT_USE": " --tenant first" if has_tenants else "",
        "ROLE_USE": f" --role {roles[0]}" if roles else "",
        "ROLES": f"ROLES = {_tuple(roles)}\n" if roles else "",
        "TABLE": table.name,
        "COLUMNS": "".join(f", {each}" for each in columns),
        "LISTED": "".join(f", {each}" for each in columns),
        "VALUES": "".join(f", ${5 + number}" for number in range(len(columns))),
        "FLAGS": flags,
        "CHECKS": checks,
        "GIVEN": given,
        "TOLD": told,
        "PASSWORD": f"{names.snake(store)}_password",
        "URL": settings.database(design).lower(),
    }
    found = _CONSOLE
    for mark, value in marks.items():
        found = found.replace(f"@{mark}@", value)
    return found


def _tuple(words: list[str]) -> str:
    inner = ", ".join(f'"{word}"' for word in words)
    return f"({inner},)" if len(words) == 1 else f"({inner})"
