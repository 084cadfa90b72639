"""Accounts at the console of an operator: what no operation that could be called may do, such as granting a role."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.database import Database
from nines_runtime.data.identifiers import identifier_of, identifier_text, new_id
from nines_runtime.running.migrating import Surroundings
from nines_runtime.running.settings import read_settings
from nines_runtime.security.accounts import Accounts, SessionAccounts
from nines_runtime.security.sessions import new_session
from nines_runtime.security.totp import Totp

LIMIT_S = 30.0
Settings = TypeVar("Settings", bound=msgspec.Struct)


class People(msgspec.Struct, frozen=True, kw_only=True):
    """The statements of a service's accounts; what is left empty, it does not have."""

    find: str
    """The id of whoever has a name."""
    add: str
    """id, name, hash of the password[, tenant][, others]: whoever is there already keeps their password."""
    others: Mapping[str, str] = {}
    """What an account needs besides, and what is usual; what is empty is made of the name."""
    open_session: str
    """id, account[, digest of the cookie]: of a session for a laboratory."""
    roles: tuple[str, ...] = ()
    grant: str = ""
    """account, role."""
    withdraw: str = ""
    """account, role."""
    read_roles: str = ""
    end_sessions: str = ""
    second_factor_roles: tuple[str, ...] = ()
    """Whoever gets one of them gets a second factor."""
    enrol: str = ""
    """account, sealed secret: answers with a row for whoever had none."""
    renew: str = ""
    """account, sealed secret: answers with a row for whoever had one."""
    sealed_as: str = ""
    """What a secret is bound to while it is encrypted: "account_second_factors.secret"."""
    issuer: str = ""
    """What the app of a second factor calls the service."""
    prefix: str = ""
    """Of identifiers."""
    has_second_factor: bool = False
    """Whether tokens tell of it."""
    has_tenants: bool = False
    is_mail: bool = True
    """Whether names are addresses, and so in lower case."""


class Console(Generic[Settings]):
    """add, grant, withdraw, renew, token: `python -m PACKAGE.people`."""

    def __init__(
        self,
        people: People,
        settings: type[Settings],
        *,
        accounts: Callable[[Settings], SessionAccounts],
        database: Callable[[Settings], Database],
    ) -> None:
        self._people, self._settings, self._accounts, self._database = people, settings, accounts, database

    def main(self, surroundings: Surroundings, *, prog: str, words: Sequence[str] | None = None) -> int:
        """The command line; 1 where there is nobody of that name."""
        asked = self._parser(prog).parse_args(words)
        with surroundings() as environment:
            return asyncio.run(self._carry_out(asked, read_settings(self._settings, environment)))

    def _parser(self, prog: str) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(prog=prog)
        what = parser.add_subparsers(dest="what", required=True)
        people = self._people
        granting = ("grant", "withdraw") if people.roles else ()
        for verb in ("add", *granting, *(("renew",) if people.renew else ()), "token"):
            what.add_parser(verb).add_argument("name")
            if verb in granting:
                what.choices[verb].add_argument("role", choices=people.roles)
        what.choices["add"].add_argument("--id", default="", help="of a new account; made up where none is given")
        if people.has_tenants:
            told = "in which they are; their own where none is given"
            what.choices["add"].add_argument("--tenant", default="", help=told)
        if people.others:
            told = f"of a new account: {', '.join(people.others)}"
            what.choices["add"].add_argument("--set", action="append", default=[], metavar="WHAT=VALUE", help=told)
        return parser

    async def _carry_out(self, asked: argparse.Namespace, settings: Settings) -> int:
        accounts = self._accounts(settings)
        database = self._database(settings)
        name = asked.name.lower() if self._people.is_mail else asked.name
        try:
            operator = _Operator(self._people, accounts, database, name)
            if asked.what == "add":
                await operator.add(asked)
            id = await operator.found()
            if id is None:
                print(f"there is nobody called {name}", file=sys.stderr)
                return 1
            if asked.what == "grant":
                await operator.grant(id, asked.role)
            if asked.what == "withdraw":
                await operator.withdraw(id, asked.role)
            if asked.what == "renew":
                await operator.renew(id)
            if asked.what == "token":
                print(await operator.token(id, getattr(settings, "environment", "")))
            return 0
        finally:
            accounts.close()
            await database.close()


class _Operator:
    def __init__(self, people: People, accounts: SessionAccounts, database: Database, name: str) -> None:
        self._people, self._accounts, self._database, self._name = people, accounts, database, name

    async def found(self) -> UUID | None:
        row = await self._row(self._people.find, self._name)
        return None if row is None else row["id"]

    async def add(self, asked: argparse.Namespace) -> None:
        """Whoever is there already keeps their password."""
        id = identifier_of(asked.id, self._people.prefix) or new_id()
        others = self._others(asked.set) if self._people.others else []
        password = os.environ.get("NEW_PASSWORD") or getpass.getpass("Password: ")
        password_hash = await self._accounts.passwords.hash(password)
        tenant = (asked.tenant or str(id),) if self._people.has_tenants else ()
        await self._send(self._people.add, id, self._name, password_hash, *tenant, *others)

    def _others(self, said: list[str]) -> list[str]:
        others = self._people.others
        given = dict(each.partition("=")[::2] for each in said)
        unknown = sorted(given.keys() - others.keys())
        if unknown:
            raise SystemExit(f"nothing can be said of {unknown[0]}: {', '.join(others)}")
        return [given.get(what, usual) or self._name.partition("@")[0] for what, usual in others.items()]

    async def grant(self, id: UUID, role: str) -> None:
        """With the second factor that the role needs, which is printed once: nobody can see it again."""
        await self._send(self._people.grant, id, role)
        if role in self._people.second_factor_roles:
            secret, sealed = self._new_secret(id)
            if await self._row(self._people.enrol, id, sealed) is not None:
                self._print(secret)

    async def withdraw(self, id: UUID, role: str) -> None:
        """Tokens that tell of the role end with their sessions."""
        await self._send(self._people.withdraw, id, role)
        await self._send(self._people.end_sessions, id)

    async def renew(self, id: UUID) -> None:
        """For somebody whose device is lost: a new secret; sessions that were opened with the old one end."""
        secret, sealed = self._new_secret(id)
        if await self._row(self._people.renew, id, sealed) is None:
            raise SystemExit(f"{self._name} has no second factor: grant a role that needs one")
        await self._send(self._people.end_sessions, id)
        self._print(secret)

    async def token(self, id: UUID, environment: str) -> str:
        """Of a session of its own, as if a second factor had been shown; a cookie where there are no tokens."""
        if environment not in ("local", "laboratory"):
            raise SystemExit("a token without a password is for laptops and laboratories, and ENVIRONMENT is another")
        session = new_id()
        if not isinstance(self._accounts, Accounts):
            cookie = new_session()
            await self._send(self._people.open_session, session, id, cookie.digest)
            return cookie.text
        await self._send(self._people.open_session, session, id)
        roles: list[str] = []
        if self._people.read_roles:
            rows = await self._database.fetch(Deadline.after(LIMIT_S), self._people.read_roles, id)
            roles = [row["role"] for row in rows]
        return self._accounts.issuer.issue(
            identifier_text(id, self._people.prefix),
            roles=roles,
            session=str(session),
            has_second_factor=self._people.has_second_factor,
        )

    def _new_secret(self, id: UUID) -> tuple[Any, bytes]:
        secret = Totp.new_secret()
        return secret, self._accounts.cipher.encrypt(secret, self._people.sealed_as, id)

    def _print(self, secret: Any) -> None:
        print(Totp.uri(secret, issuer=self._people.issuer, account=self._name))

    async def _row(self, statement: str, *arguments: object) -> Any:
        return await self._database.fetchrow(Deadline.after(LIMIT_S), statement, *arguments)

    async def _send(self, statement: str, *arguments: object) -> None:
        await self._database.execute(Deadline.after(LIMIT_S), statement, *arguments)
