"""Whatever changes in a blueprint: the owner's files stay byte for byte, rows keep their values, callers are served.

NINES_CHANGES=50 tries as many changes as a release does; a handful is tried each time. NINES_CHANGES_FROM=20 begins
with the twentieth, so that a long run can be done in slices."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

import asyncpg
import pytest

from nines.model.blueprint import Blueprint
from nines.model.design import PlannedTable
from nines.model.design.ddl import quoted
from nines.model.errors import UsageError
from nines.model.progress import Silent
from nines.planning import plan
from nines.planning.data import migrate
from nines.planning.objections import object_to
from nines.readers import blueprint as blueprint_reader
from nines.readers import settings as settings_reader
from nines.verbs import announcing
from nines.verbs.build import BLUEPRINT, Built, Wish, deliver
from nines.verbs.design import Planned
from nines.verbs.handover import SERVICE, Item, read_lock
from tests.planning.data.rows import fill, seed
from tests.planning.data.server import Server
from tests.verbs.kinds import Changed
from tests.verbs.kinds_more import EVERY
from tests.verbs.old_client import OldClient, Service, Upstreams
from tests.verbs.services import TODAY

FROM = int(os.environ.get("NINES_CHANGES_FROM", "0"))
CHANGES = range(FROM, FROM + int(os.environ.get("NINES_CHANGES", "3")))
SHIPPED = Path(__file__).parents[2] / "examples/blueprints"
BASES = tuple(
    blueprint_reader.read(path)
    for path in (
        SHIPPED / "payments.yaml",
        Path(__file__).parent / "lending.yaml",
        SHIPPED / "notifications.yaml",
        SHIPPED / "login.yaml",
    )
)
CHAIN = ("required", "renamed", "resource", "state", "widened")
TRIES_MAX = 50
ROWS = 20
MINE = b"\n# mine\n"
REFUSED = ("is not built", "no migration has the keys", "old processes could not go on")
"""Why a change may be refused, with the way that it can be gone."""


def changed(number: int) -> tuple[Blueprint, Changed, str]:
    """The same for the same number: a blueprint, its next version after one to three changes, and their names.

    What a person would be refused is another test's business."""
    for attempt in range(TRIES_MAX):
        chance = Random(f"{number} {attempt}")
        # Every kind comes to every base in time, whatever their numbers have in common.
        before = BASES[(number + number // len(EVERY)) % len(BASES)]
        after = Changed(blueprint=before)
        # The first goes through all kinds, one number after the other.
        names = [list(EVERY)[number % len(EVERY)], *chance.sample(list(EVERY), chance.choice((0, 0, 1, 2)))]
        done = []
        for name in names:
            more = EVERY[name](after.blueprint, chance)
            if more is not None:
                renames, fills = {**after.renames, **more.renames}, {**after.fills, **more.fills}
                after = Changed(blueprint=more.blueprint, renames=renames, fills=fills)
                done.append(name)
        if done and not any(each.is_fatal for each in object_to(after.blueprint)):
            return before, after, "-".join((before.service.name, *done))
    pytest.skip(f"no change of this kind holds in {TRIES_MAX} tries")


@pytest.mark.lab
@pytest.mark.parametrize("number", CHANGES)
def test_any_change_keeps_the_owners_files_and_the_rows_and_old_callers_are_served(number: int, server: Server) -> None:
    before, after, name = changed(number)
    print(name)
    with tempfile.TemporaryDirectory(prefix="regrown-") as folder:
        old, new = Path(folder, "old"), Path(folder, "new")
        built = _regrown(old, new, before, after)
        if built is not None:
            server.run(lambda connection: _migrated(connection, before, after, built, old, new))
            server.run(lambda connection: _replaced(server, connection, built, old, new))


@pytest.mark.lab
def test_five_builds_in_a_row_keep_every_row_and_end_where_a_fresh_database_begins(
    tmp_path: Path, server: Server
) -> None:
    chance, blueprint = Random("a chain"), BASES[1]
    steps = [(blueprint, delivered(blueprint, tmp_path))]
    owned = {path: (tmp_path / path).read_bytes() + MINE for path in read_lock(tmp_path, SERVICE).owned}
    owned.pop("migrations/changes.yaml")
    for path, content in owned.items():
        (tmp_path / path).write_bytes(content)
    for name in CHAIN:
        after = EVERY[name](blueprint, chance)
        assert after is not None, name
        blueprint = after.blueprint
        wish: dict[str, Any] = {"fills": dict(after.fills), "renames": dict(after.renames), "accept_breaking": True}
        steps.append((blueprint, delivered(blueprint, tmp_path, **wish)))
        assert steps[-1][1].migrations, name
    assert {path: (tmp_path / path).read_bytes() for path in owned} == owned
    stood = server.run(lambda connection: _through(connection, steps, tmp_path))
    scripts = sorted((tmp_path / "migrations").glob("*.sql"))
    assert [each.stem for each in scripts] == [each.name for _, built in steps for each in built.migrations]
    assert server.run(lambda connection: _from_nothing(connection, scripts)) == stood


async def _through(connection: Any, steps: list[tuple[Blueprint, Built]], folder: Path) -> list[tuple[object, ...]]:
    """Every migration over rows that were there from the first day on; the columns that it ends with."""
    (first, built), *later = steps
    await _execute(connection, built, folder)
    before = plan(first).tables
    await _populate(connection, before)
    for blueprint, built in later:
        after = plan(blueprint).tables
        kept = [table for table in before if any(each.name == table.name for each in after)]
        stood = {table.name: await _rows(connection, table, after) for table in kept}
        assert any(stood.values())
        await _execute(connection, built, folder)
        assert {table.name: await _rows(connection, table, after) for table in kept} == stood
        before = after
    return await _columns(connection)


async def _execute(connection: Any, built: Built, folder: Path) -> None:
    for step in built.migrations:
        await connection.execute((folder / "migrations" / f"{step.name}.sql").read_text())


async def _from_nothing(connection: Any, scripts: list[Path]) -> list[tuple[object, ...]]:
    for script in scripts:
        await connection.execute(script.read_text())
    return await _columns(connection)


async def _columns(connection: Any) -> list[tuple[object, ...]]:
    rows = await connection.fetch(
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY 1, 2"
    )
    return [tuple(row) for row in rows]


def _regrown(old: Path, new: Path, before: Blueprint, after: Changed) -> Built | None:
    """Both versions, each in its folder; None where the change is refused, with nothing written."""
    first = delivered(before, old)
    assert len(first.migrations) == 1
    owned = [path for path in read_lock(old, SERVICE).owned if path != "migrations/changes.yaml"]
    for path in owned:
        (old / path).write_bytes((old / path).read_bytes() + MINE)
    shutil.copytree(old, new)
    told: dict[str, Any] = {"fills": dict(after.fills), "renames": dict(after.renames)}
    second, refusal = tried(after.blueprint, new, **told)
    if second is not None:
        assert not any(each.is_breaking for each in second.changes)
    elif "would break" in refusal:
        second, refusal = tried(after.blueprint, new, **told, accept_breaking=True)
        assert second is None or "breaks callers" in (new / announcing.PATH).read_text()
    if second is None:
        assert any(words in refusal for words in REFUSED), refusal
        assert _everything(new) == _everything(old)
        return None
    assert {path: (new / path).read_bytes() for path in owned} == {path: (old / path).read_bytes() for path in owned}
    for script in (old / "migrations").glob("*.sql"):
        assert (new / "migrations" / script.name).read_bytes() == script.read_bytes()
    assert (new / "openapi.yaml").is_file()
    return second


def delivered(blueprint: Blueprint, folder: Path, **wish: Any) -> Built:
    design = plan(blueprint)
    own = Item(path=BLUEPRINT, content=repr(blueprint).encode(), is_continued=True)
    planned = Planned(name=design.name, design=design)
    return deliver(planned, design, own, folder, Wish(**wish), today=TODAY, progress=Silent())


def tried(blueprint: Blueprint, folder: Path, **wish: Any) -> tuple[Built | None, str]:
    try:
        return delivered(blueprint, folder, **wish), ""
    except UsageError as refused:
        return None, refused.what


def _everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def _replaced(server: Server, connection: Any, built: Built, old: Path, new: Path) -> None:
    """As an owner rolls it out: expand, the new beside the old, the old goes, contract; an old client goes on."""
    upstreams = Upstreams(settings_reader.load(new))
    await upstreams.open()
    package = old.joinpath("src").iterdir().__next__().name
    values = {**upstreams.values(), "database.url": await server.url(connection)}
    leaving, coming = Service(old, package, values), Service(new, package, values)
    client = OldClient(leaving, upstreams.post)
    try:
        await leaving.set_up()
        async with contextlib.AsyncExitStack() as standing:
            at = await standing.enter_async_context(leaving.running())
            await client.come(at)
            code, words = await coming.migrate()
            if code:
                # Rows stand in the way, which is said before anything was changed.
                assert "mend them, then run it again" in words, words
                assert not await client.met(at)
                return
            if built.migrations:
                met = await client.met(at)
                assert not met, f"the old version, after expanding: {met}\n{leaving.troubles()}"
            async with coming.running() as beside:
                met = await client.met(beside, built.changes)
                assert not met, f"the new version beside the old: {met}\n{coming.troubles()}"
                met = await client.met(at)
                assert not met, f"the old version beside the new: {met}\n{leaving.troubles()}"
                await standing.aclose()
                code, words = await coming.migrate("--contract")
                assert code == 0, words
                client.turn_to(coming)
                if built.migrations:
                    met = await client.met(beside, built.changes)
                    assert not met, f"the new version alone: {met}\n{coming.troubles()}"
    finally:
        await upstreams.close()


async def _migrated(connection: Any, was: Blueprint, now: Changed, built: Built, old: Path, new: Path) -> None:
    before, after = plan(was).tables, plan(now.blueprint).tables
    await connection.execute((old / "migrations/0001_first.sql").read_text())
    await _populate(connection, before)
    kept = [table for table in before if any(each.name == table.name for each in after)]
    moved = {key: text.strip("'") for key, text in now.fills.items() if key.count(".") > 1}
    stood = {table.name: await _rows(connection, table, after) for table in kept}
    wanted = {table.name: await _rows(connection, table, after, moved) for table in kept}
    for step in built.migrations:
        text = (new / "migrations" / f"{step.name}.sql").read_text()
        assert text.startswith(f"-- {step.phase}")
        try:
            await connection.execute(text)
        except asyncpg.RaiseError as stopped:
            # Rows that are made up may stand in the way of a change, which is said before it begins.
            if "mend them" not in str(stopped):
                raise
            assert {table.name: await _rows(connection, table, after) for table in kept} in (stood, wanted)
            break
    else:
        assert {table.name: await _rows(connection, table, after) for table in kept} == wanted
    assert migrate(after, after) == ()


async def _populate(connection: Any, tables: tuple[PlannedTable, ...]) -> None:
    await connection.execute("SET session_replication_role = replica")
    for table in tables:
        # Values that are made up do not pass every check that chance can draw.
        for rows in (seed(tables, table), fill(tables, table, ROWS)):
            with contextlib.suppress(asyncpg.CheckViolationError):
                await connection.execute(rows)
    await connection.execute("SET session_replication_role = origin")


async def _rows(
    connection: Any,
    table: PlannedTable,
    after: tuple[PlannedTable, ...],
    moved: Mapping[str, str] = MappingProxyType({}),
) -> list[tuple[object, ...]]:
    """What both versions know of every row; `moved` tells what becomes of values that are gone."""
    later = next(each for each in after if each.name == table.name)
    both = [
        column.name
        for column in table.columns
        if (found := later.column(column.name)) is not None and found.type == column.type
    ]
    listed = ", ".join(f"{quoted(name)}::text" for name in both)
    rows = await connection.fetch(f"SELECT {listed} FROM {quoted(table.name)}")
    told: list[tuple[object, ...]] = [
        tuple(moved.get(f"{table.name}.{name}.{value}", value) for name, value in row.items()) for row in rows
    ]
    return sorted(told, key=repr)
