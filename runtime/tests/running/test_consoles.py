"""Commands beside the service: migrations, and accounts at the console of an operator."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from nines_runtime import Cipher, Codes, Database, Deadline, EmbeddedServer, Guesses, Migrations, Passwords, Url
from nines_runtime.running.people import Console, People
from nines_runtime.security.accounts import SessionAccounts

TABLES = """\
-- expand: Makes every table.
CREATE TABLE people (id uuid PRIMARY KEY, name text UNIQUE, tenant text, nick text);
CREATE TABLE secrets (person uuid PRIMARY KEY, hash text);
CREATE TABLE roles (person uuid, role text, PRIMARY KEY (person, role));
CREATE TABLE sessions (id uuid, person uuid, digest bytea, is_over boolean DEFAULT false);
CREATE TABLE factors (person uuid PRIMARY KEY, secret bytea);
"""
LAST = "-- contract: What old processes would not survive.\nALTER TABLE people ALTER COLUMN nick SET NOT NULL;\n"
PEOPLE = People(
    find="SELECT id FROM people WHERE name = $1",
    add="WITH made AS (INSERT INTO people VALUES ($1, $2, $4, $5) ON CONFLICT DO NOTHING RETURNING id)"
    " INSERT INTO secrets SELECT id, $3 FROM made",
    open_session="INSERT INTO sessions VALUES ($1, $2, $3)",
    roles=("clerk", "boss"),
    grant="INSERT INTO roles VALUES ($1, $2) ON CONFLICT DO NOTHING",
    withdraw="DELETE FROM roles WHERE person = $1 AND role = $2",
    end_sessions="UPDATE sessions SET is_over = true WHERE person = $1",
    second_factor_roles=("boss",),
    enrol="INSERT INTO factors VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING person",
    renew="UPDATE factors SET secret = $2 WHERE person = $1 RETURNING person",
    sealed_as="factors.secret",
    issuer="shop",
    has_tenants=True,
    others={"nick": ""},
)
KEY = "b25seS1mb3ItdGhlLWxhYm9yYXRvcnktMzItYnl0ZXM"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    db_url: Url
    environment: str = "production"


def accounts_of(settings: Settings) -> SessionAccounts:
    key = b"k" * 32
    return SessionAccounts(
        passwords=Passwords(), codes=Codes(key), guesses=Guesses(key), cipher=Cipher.parse(KEY), session_ttl_s=60.0
    )


class Operator:
    """Somebody at the console of a service with a database of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.environment = {"DB_URL": url, "ENVIRONMENT": "laboratory"}
        self.migrations = Migrations(folder, url="DB_URL", owner=("DB_MIGRATION_USER", "DB_MIGRATION_PASSWORD"))
        self._console = Console(
            PEOPLE, Settings, accounts=accounts_of, database=lambda settings: Database(str(settings.db_url))
        )

    @contextmanager
    def surroundings(self) -> Iterator[Mapping[str, str]]:
        yield self.environment

    def __call__(self, *words: str) -> int:
        return self._console.main(self.surroundings, prog="people", words=words)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        async def asked() -> list[tuple[object, ...]]:
            database = Database(self.environment["DB_URL"])
            try:
                return [tuple(row) for row in await database.fetch(Deadline.after(30), query)]
            finally:
                await database.close()

        return asyncio.run(asked())


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    # Not below a folder of pytest's, which the server's own user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="nines-consoles-"))
    server = EmbeddedServer(folder / "server")
    try:
        server.start()
        migrations = folder / "migrations"
        migrations.mkdir()
        (migrations / "0001_first.sql").write_text(TABLES)
        found = Operator(server.url(), migrations)
        assert found.migrations.main(found.surroundings, prog="migrate", words=[]) == 0
        yield found
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW_PASSWORD", "correct horse battery staple")


def test_an_account_is_added_once(operator: Operator) -> None:
    assert operator("add", "Ada@example.com", "--tenant", "first") == 0
    assert operator("add", "ada@example.com", "--tenant", "second", "--set", "nick=other") == 0
    assert operator.rows("SELECT tenant, nick FROM people WHERE name = 'ada@example.com'") == [("first", "ada")]
    assert str(operator.rows("SELECT hash FROM secrets")[0][0]).startswith("$argon2id$")


def test_nobody_and_nothing_unknown_is_guessed(operator: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    assert operator("grant", "nobody@example.com", "clerk") == 1
    assert "nobody@example.com" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        operator("grant", "ada@example.com", "king")
    with pytest.raises(SystemExit, match="shoe: nick"):
        operator("add", "eve@example.com", "--set", "shoe=43")


def test_a_role_that_needs_a_second_factor_brings_one(operator: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    operator("add", "boss@example.com")
    with pytest.raises(SystemExit, match="no second factor"):
        operator("renew", "boss@example.com")
    assert operator("grant", "boss@example.com", "clerk") == 0
    assert "otpauth" not in capsys.readouterr().out
    assert operator("grant", "boss@example.com", "boss") == operator("grant", "boss@example.com", "boss") == 0
    assert capsys.readouterr().out.count("otpauth://totp/") == 1
    assert operator("renew", "boss@example.com") == 0
    assert capsys.readouterr().out.count("otpauth://totp/") == 1


def test_whoever_loses_a_role_is_signed_out(operator: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    operator("add", "clerk@example.com")
    operator("grant", "clerk@example.com", "clerk")
    assert operator("token", "clerk@example.com") == 0
    assert capsys.readouterr().out.strip()
    assert operator("withdraw", "clerk@example.com", "clerk") == 0
    person = "(SELECT id FROM people WHERE name = 'clerk@example.com')"
    assert operator.rows(f"SELECT is_over FROM sessions WHERE person = {person}") == [(True,)]
    assert operator.rows(f"SELECT role FROM roles WHERE person = {person}") == []


def test_nobody_gets_a_token_without_a_password_in_production(operator: Operator) -> None:
    operator("add", "somebody@example.com")
    operator.environment["ENVIRONMENT"] = "production"
    try:
        with pytest.raises(SystemExit, match="laboratories"):
            operator("token", "somebody@example.com")
    finally:
        operator.environment["ENVIRONMENT"] = "laboratory"


def test_what_old_processes_need_stays_until_it_is_asked_for(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    (operator.migrations.folder / "0002_last.sql").write_text(LAST)
    nullable = "SELECT is_nullable FROM information_schema.columns WHERE table_name = 'people' AND column_name = 'nick'"
    assert operator.migrations.main(operator.surroundings, prog="migrate", words=[]) == 0
    assert operator.rows(nullable) == [("YES",)]
    assert operator.migrations.main(operator.surroundings, prog="migrate", words=["--contract"]) == 0
    assert operator.rows(nullable) == [("NO",)]
    (operator.migrations.folder / "0001_first.sql").write_text(f"{TABLES}\n")
    assert operator.migrations.main(operator.surroundings, prog="migrate", words=[]) == 1
    assert "0001_first" in capsys.readouterr().err
