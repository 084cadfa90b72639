"""Migrations: files of SQL in the order of their names, each applied once, whoever runs them and however often.

    for step in await migrate(url, Path("migrations")):
        print(step.name, step.says)

A file whose first line is "-- expand: ..." runs in one transaction. "-- migrate, alone: ..." runs outside of one,
statement by statement, and goes on where it was stopped: for CREATE INDEX CONCURRENTLY and for backfills that commit
in batches. A file that was applied must never change."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import asyncpg
import msgspec

from nines_runtime.data.granting import grant
from nines_runtime.data.scripts import statements_of
from nines_runtime.data.waits import doubled

TABLE = "schema_migrations"
LOCK = 0x6E696E6573
"""The number of the advisory lock: one migration at a time."""
PHASES = ("expand", "migrate", "contract")
LOCK_TIMEOUT_MS = 2_000
ATTEMPTS_MAX = 10
CONNECT_S_MAX = 5.0
WAIT_S_MAX = 60.0
LOOK_EVERY_S = 0.5
FILES_MAX = 10_000
_HEAD = re.compile(r"--\s*(?P<phase>expand|migrate|contract)?(?P<alone>,? ?alone)?\s*:\s*(?P<says>.*)", re.IGNORECASE)
_ALONE = re.compile(r"(CREATE|DROP|REINDEX)\b.*\bCONCURRENTLY\b|VACUUM\b", re.IGNORECASE | re.DOTALL)
_BUILDS = re.compile(
    r'CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?("(?:[^"]|"")+"|\w+)', re.IGNORECASE
)
_KEEP = f"""\
CREATE TABLE IF NOT EXISTS {TABLE} (
    name text PRIMARY KEY,
    checksum bytea,
    statements_done integer NOT NULL DEFAULT 0,
    begun_at timestamptz NOT NULL DEFAULT now(),
    applied_at timestamptz
)"""
_Who: TypeAlias = tuple[str | None, str | None]
"""A user and a password; what is None stands in the URL."""
_PASSING = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.QueryCanceledError)


class MigrationError(Exception):
    """It was stopped; what was applied before stands, and running it again goes on from there."""


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was applied."""

    name: str
    phase: str
    says: str
    duration_s: float


class _File(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    text: str
    checksum: bytes
    phase: str
    says: str
    is_alone: bool


async def migrate(
    url: str,
    folder: Path,
    *,
    user: str | None = None,
    password: str | None = None,
    through: str = "contract",
    wait_s_max: float = WAIT_S_MAX,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Migrated, ...]:
    """Applies what the database has not seen, and returns it. Raises MigrationError.

    `through` is the last phase that may run: with "migrate" it stops before the first file that old code would not
    survive, and is refused where a later file should run. A database that has seen none gets all of them. `tell` hears
    what is done. `url` leads to the database itself, no pooler: the lock is the session's.

    With a `user` other than that of `url` the tables are that user's, and the one of `url` may use them and no more."""
    files = _files(folder)
    async with _locked(url, (user, password), wait_s_max) as connection:
        await connection.execute(_KEEP)
        seen = {row["name"]: row for row in await connection.fetch(f"SELECT * FROM {TABLE} LIMIT {FILES_MAX}")}  # noqa: S608
        _check(files, seen)
        applied: list[Migrated] = []
        # What is new has no old processes that could be in the way.
        last = PHASES.index(through if seen else "contract")
        for number, file in enumerate(files):
            row = seen.get(file.name)
            if row is not None and row["applied_at"] is not None:
                continue
            if PHASES.index(file.phase) > last:
                _check_order(file, files[number:], last)
                tell(f"stopped before {file.name}: {file.phase} is later than {through}")
                break
            tell(f"{file.name}: {file.says or file.phase}")
            begun_s = time.monotonic()
            await _apply(connection, file, row["statements_done"] if row is not None else 0, tell)
            lasted_s = time.monotonic() - begun_s
            applied.append(Migrated(name=file.name, phase=file.phase, says=file.says, duration_s=lasted_s))
        await _granted(connection, url, tell)
        return tuple(applied)


async def _granted(connection: asyncpg.Connection, url: str, tell: Callable[[str], None]) -> None:
    try:
        if await grant(connection, url):
            tell("the role of the service may use every table, and change none")
    except asyncpg.PostgresError as error:
        raise MigrationError(f"The role of the service could not be granted the use of the tables: {error}") from error


def _files(folder: Path) -> tuple[_File, ...]:
    if not folder.is_dir():
        raise MigrationError(f"There is no folder {folder} with migrations.")
    return tuple(_file(path) for path in sorted(folder.glob("*.sql")))


def _file(path: Path) -> _File:
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    head = _HEAD.match(text)
    return _File(
        name=path.stem,
        text=text,
        checksum=hashlib.sha256(text.encode()).digest(),
        phase=(head["phase"] or "expand").lower() if head else "expand",
        says=head["says"].strip() if head else "",
        is_alone=bool(head and head["alone"]) or any(_ALONE.match(each) for each in statements_of(text)),
    )


def _check(files: tuple[_File, ...], seen: dict[str, asyncpg.Record]) -> None:
    """Names that no file has are of a newer version, which is no reason to stop an older one."""
    known = {file.name for file in files}
    last = max((name for name, row in seen.items() if row["applied_at"] is not None and name in known), default="")
    for file in files:
        row = seen.get(file.name)
        if row is not None and row["checksum"] is not None and row["checksum"] != file.checksum:
            raise MigrationError(
                f"{file.name} was changed after it was applied: put it back as it was, and write a new one."
            )
        if (row is None or row["applied_at"] is None) and file.name < last:
            raise MigrationError(f"{file.name} comes before {last}, which is applied: give it a later number.")


def _check_order(stop: _File, left: tuple[_File, ...], last: int) -> None:
    """An earlier release that was never tidied up must not leave the new one without what it needs."""
    later = next((file for file in left if PHASES.index(file.phase) <= last), None)
    if later is not None:
        raise MigrationError(
            f"{later.name} has to wait for {stop.name}, which no process of the release before it survives: apply that "
            "first, by --contract, when the last of them is gone."
        )


@contextlib.asynccontextmanager
async def _locked(url: str, who: _Who, wait_s_max: float) -> AsyncIterator[asyncpg.Connection]:
    until_s = time.monotonic() + wait_s_max
    connection = await _connected(url, who, until_s)
    try:
        # Asked again and again: who waits inside the database holds up every CREATE INDEX CONCURRENTLY.
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
            if time.monotonic() > until_s:
                raise MigrationError(f"Another migration has been running for {wait_s_max:g} s: wait for its end.")
            await asyncio.sleep(LOOK_EVERY_S)
        yield connection
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
        raise MigrationError("The connection to the database broke: run it again.") from error
    finally:
        with contextlib.suppress(Exception):
            await connection.close(timeout=CONNECT_S_MAX)


async def _connected(url: str, who: _Who, until_s: float) -> asyncpg.Connection:
    attempt = 0
    while True:
        attempt += 1
        try:
            return await asyncpg.connect(
                url,
                user=who[0],
                password=who[1],
                timeout=CONNECT_S_MAX,
                server_settings={"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"},
            )
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, ValueError) as error:
            raise MigrationError(f"The database refuses the connection: {type(error).__name__}.") from error
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            wait_s = doubled(attempt, first_s=0.2, longest_s=2.0)
            if time.monotonic() + wait_s > until_s:
                raise MigrationError("The database cannot be reached: look at DB_URL.") from error
            await asyncio.sleep(wait_s)


async def _apply(connection: asyncpg.Connection, file: _File, done: int, tell: Callable[[str], None]) -> None:
    if not file.is_alone:
        await _patiently(partial(_in_one, connection, file), file, tell)
        return
    # Its name is kept first, so that a file that changes halfway is noticed.
    await connection.execute(
        f"INSERT INTO {TABLE} (name, checksum) VALUES ($1, $2) ON CONFLICT DO NOTHING",  # noqa: S608 -- Our own name.
        file.name,
        file.checksum,
    )
    for number, statement in enumerate(statements_of(file.text)):
        if number >= done:
            await _patiently(partial(_alone, connection, statement), file, tell)
            await connection.execute(
                f"UPDATE {TABLE} SET statements_done = $2 WHERE name = $1",  # noqa: S608 -- As above.
                file.name,
                number + 1,
            )
    await connection.execute(f"UPDATE {TABLE} SET applied_at = now() WHERE name = $1", file.name)  # noqa: S608


async def _in_one(connection: asyncpg.Connection, file: _File) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        await connection.execute(file.text)
        await connection.execute(
            f"INSERT INTO {TABLE} (name, checksum, applied_at) VALUES ($1, $2, now())"  # noqa: S608 -- As above.
            " ON CONFLICT (name) DO UPDATE SET checksum = EXCLUDED.checksum, applied_at = now()",
            file.name,
            file.checksum,
        )


async def _alone(connection: asyncpg.Connection, statement: str) -> None:
    built = _BUILDS.search(statement)
    if built is None:
        await connection.execute(statement)
        return
    name = built[1] if built[1].startswith('"') else built[1].lower()
    is_valid = await connection.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", name)
    if is_valid:
        # Built by a run that died before it could say so.
        return
    if is_valid is False:
        await connection.execute(f"DROP INDEX CONCURRENTLY {name}")
    await connection.execute(statement)


async def _patiently(work: Callable[[], Awaitable[None]], file: _File, tell: Callable[[str], None]) -> None:
    """Again where it gave up waiting for a lock: whoever holds it may be gone by then."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            await work()
        except _PASSING as error:
            if attempt == ATTEMPTS_MAX:
                raise MigrationError(f"{file.name} found no moment without others: {type(error).__name__}.") from error
            tell(f"{file.name} waits for others, attempt {attempt} of {ATTEMPTS_MAX}")
            await asyncio.sleep(doubled(attempt, first_s=0.2, longest_s=5.0))
        except asyncpg.PostgresConnectionError:
            raise
        except asyncpg.PostgresError as error:
            raise MigrationError(f"{file.name} failed, and nothing of this step is kept: {error}") from error
        else:
            return
