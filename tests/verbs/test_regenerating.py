"""Whatever changes in a blueprint: the owner's files stay byte for byte, rows keep their values, callers are told.

NINES_CHANGES=50 tries as many changes as a release does; a handful is tried each time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import time
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import asyncpg
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nines.model.blueprint import Action, Blueprint, Field, FieldKind, Operation, Resource, State
from nines.model.design import PlannedTable
from nines.model.design.ddl import quoted
from nines.model.errors import UsageError
from nines.model.progress import Silent
from nines.planning import plan
from nines.planning.data import migrate
from nines.planning.objections import object_to
from nines.readers import blueprint as blueprint_reader
from nines.verbs import announcing
from nines.verbs.build import BLUEPRINT, Built, Wish, deliver
from nines.verbs.design import Planned
from nines.verbs.handover import SERVICE, Item, read_lock
from tests.planning.data.rows import fill, seed
from tests.planning.data.server import Server
from tests.verbs.services import TODAY

CHANGES = int(os.environ.get("NINES_CHANGES", "4"))
BLUEPRINTS = Path(__file__).parents[2] / "examples/blueprints"
BASES = tuple(blueprint_reader.read(BLUEPRINTS / f"{name}.yaml") for name in ("payments", "notifications"))
NOBODY = "http://127.0.0.1:9"
START_S_MAX = 60.0
ROWS = 20
MINE = b"# mine\n"


@st.composite
def changes(draw: st.DrawFn) -> tuple[Blueprint, Blueprint, dict[str, str]]:
    """A blueprint, the next version of it, and a value for rows that exist."""
    before = draw(st.sampled_from(BASES))
    after = before
    fills: dict[str, str] = {}
    for _ in range(draw(st.integers(1, 3))):
        after, more = draw(_change(after))
        fills |= more
    # What a person would be refused is another test's business.
    assume(not any(each.is_fatal for each in object_to(after)))
    return before, after, fills


@st.composite
def _change(draw: st.DrawFn, blueprint: Blueprint) -> tuple[Blueprint, dict[str, str]]:
    index = draw(st.integers(0, len(blueprint.resources) - 1))
    resource = blueprint.resources[index]
    kind = draw(st.sampled_from(("optional", "default", "required", "drop", "loosen", "state", "operation", "less")))
    fills: dict[str, str] = {}
    if kind == "optional":
        resource = _with(resource, Field(name=_free(resource), kind=FieldKind.INT64, is_optional=True))
    elif kind == "default":
        resource = _with(resource, Field(name=_free(resource), kind=FieldKind.INT32, default=7))
    elif kind == "required":
        name = _free(resource)
        resource = _with(resource, Field(name=name, kind=FieldKind.STRING, length_max=40))
        fills = {f"{table.name}.{name}": "'as before'" for table in plan(blueprint).tables if _is_of(table, resource)}
    elif kind == "drop":
        plain = [field for field in resource.fields if _is_free(resource, blueprint, field)]
        if plain:
            gone = draw(st.sampled_from(plain))
            resource = replace(resource, fields=tuple(each for each in resource.fields if each.name != gone.name))
    elif kind == "loosen":
        resource = replace(
            resource, fields=tuple(replace(f, is_optional=True) if _is_plain(f) else f for f in resource.fields)
        )
    elif kind == "state" and resource.states:
        last = resource.states[-1]
        name = f"extra_{len(resource.states)}"
        states = (*resource.states[:-1], replace(last, to=(*last.to, name)), State(name=name))
        resource = replace(resource, states=states)
    elif kind == "operation":
        name = f"lookAt{resource.name}"
        if blueprint.operation(name) is None and not _has(blueprint, resource, Action.READ):
            more = Operation(name=name, on=resource.name, do=Action.READ, roles=("support",))
            blueprint = replace(blueprint, operations=(*blueprint.operations, more))
    elif kind == "less" and len(blueprint.operations) > 1:
        gone_at = draw(st.integers(0, len(blueprint.operations) - 1))
        kept = tuple(each for number, each in enumerate(blueprint.operations) if number != gone_at)
        blueprint = replace(blueprint, operations=kept)
    changed = (*blueprint.resources[:index], resource, *blueprint.resources[index + 1 :])
    return replace(blueprint, resources=changed), fills


def _with(resource: Resource, field: Field) -> Resource:
    return replace(resource, fields=(*resource.fields, field))


def _free(resource: Resource) -> str:
    return next(name for name in (f"extra_{number}" for number in range(20)) if resource.field(name) is None)


def _is_plain(field: Field) -> bool:
    kinds = (FieldKind.STRING, FieldKind.TEXT, FieldKind.INT32, FieldKind.INT64, FieldKind.BOOLEAN, FieldKind.DATE)
    return field.kind in kinds and not field.is_list


def _is_free(resource: Resource, blueprint: Blueprint, field: Field) -> bool:
    """Whether nothing else of the blueprint speaks of it."""
    named = {name for key in resource.unique for name in key}
    spoken = any(field.name in (*each.filters, *(part.column for part in each.order)) for each in blueprint.operations)
    told = any(field.name in event.fields for event in blueprint.events.types)
    return _is_plain(field) and field.name not in named and not (resource.invariants or spoken or told)


def _is_of(table: PlannedTable, resource: Resource) -> bool:
    return table.resource == resource.name


def _has(blueprint: Blueprint, resource: Resource, action: Action) -> bool:
    return any(each.on == resource.name and each.do is action for each in blueprint.operations)


def _delivered(blueprint: Blueprint, folder: Path, **wish: Any) -> Built:
    design = plan(blueprint)
    own = Item(path=BLUEPRINT, content=repr(blueprint).encode(), is_continued=True)
    planned = Planned(name=design.name, design=design)
    return deliver(planned, design, own, folder, Wish(**wish), today=TODAY, progress=Silent())


def _tried(blueprint: Blueprint, folder: Path, **wish: Any) -> tuple[Built | None, str]:
    try:
        return _delivered(blueprint, folder, **wish), ""
    except UsageError as refused:
        return None, refused.what


def test_any_change_keeps_the_owners_files_and_the_rows_and_tells_callers(server: Server) -> None:
    @settings(
        max_examples=CHANGES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )  # fmt: skip
    @given(changes())
    def carried_out(case: tuple[Blueprint, Blueprint, dict[str, str]]) -> None:
        with tempfile.TemporaryDirectory() as name:
            _changed(server, Path(name), *case)

    carried_out()


def _changed(server: Server, folder: Path, before: Blueprint, after: Blueprint, fills: dict[str, str]) -> None:
    first = _delivered(before, folder)
    owned = [path for path in read_lock(folder, SERVICE).owned if path != "migrations/changes.yaml"]
    for path in owned:
        (folder / path).write_bytes(MINE)
    scripts = {path.name: path.read_bytes() for path in (folder / "migrations").glob("*.sql")}
    assert len(first.migrations) == 1
    stood = _everything(folder)
    second, refusal = _tried(after, folder, fills=fills)
    if second is not None:
        assert not any(each.is_breaking for each in second.changes)
    elif "would break" in refusal:
        second, refusal = _tried(after, folder, fills=fills, accept_breaking=True)
        assert second is None or "breaks callers" in (folder / announcing.PATH).read_text()
    if second is None:
        assert "is not built" in refusal
        assert _everything(folder) == stood
        return
    assert {path: (folder / path).read_bytes() for path in owned} == dict.fromkeys(owned, MINE)
    assert {name: (folder / "migrations" / name).read_bytes() for name in scripts} == scripts
    assert (folder / "openapi.yaml").is_file()

    async def work(connection: Any) -> None:
        await _migrated(connection, plan(before).tables, plan(after).tables, second, folder)
        await _started(await server.url(connection), folder, after)

    server.run(work)


def _everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


async def _started(url: str, folder: Path, blueprint: Blueprint) -> None:
    """The new version runs on the old data, and answers as the contract that stands there says."""
    told = tomllib.loads((folder / "nines.toml").read_text())
    values = {"{database.url}": url, **{f"{{upstream.{name}.url}}": NOBODY for name in told.get("upstreams", {})}}
    environment = {name: _filled(text, values) for name, text in told["service"]["env"].items()}
    package = blueprint.service.name.replace("-", "_")
    # The owner's files hold nothing but a comment here, so that they are taken from a build of their own.
    fresh = folder / "fresh"
    _delivered(blueprint, fresh)
    for path in read_lock(folder, SERVICE).owned:
        if path.startswith("src/") and (fresh / path).exists():
            (folder / path).write_bytes((fresh / path).read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", package, "--port", str(port),
        cwd=folder, env={**os.environ, **environment, "PYTHONPATH": str(folder / "src")},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert await asyncio.to_thread(_is_ready, port, process), await _said(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _filled(text: str, values: dict[str, str]) -> str:
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _is_ready(port: int, process: asyncio.subprocess.Process) -> bool:
    until_s = time.monotonic() + START_S_MAX
    while time.monotonic() < until_s and process.returncode is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
            return bool(answer.status == 200)
        time.sleep(0.05)
    return False


async def _said(process: asyncio.subprocess.Process) -> str:
    if process.returncode is None:
        process.kill()
    assert process.stdout is not None
    return (await process.stdout.read()).decode(errors="replace")[-3_000:]


async def _migrated(
    connection: Any, before: tuple[PlannedTable, ...], after: tuple[PlannedTable, ...], built: Built, folder: Path
) -> None:
    await connection.execute((folder / "migrations/0001_first.sql").read_text())
    await connection.execute("SET session_replication_role = replica")
    for table in before:
        # Values that are made up do not pass every check that chance can draw.
        for rows in (seed(before, table), fill(before, table, ROWS)):
            with contextlib.suppress(asyncpg.CheckViolationError):
                await connection.execute(rows)
    await connection.execute("SET session_replication_role = origin")
    kept = [table for table in before if any(each.name == table.name for each in after)]
    was = {table.name: await _rows(connection, table, after) for table in kept}
    for step in built.migrations:
        text = (folder / "migrations" / f"{step.name}.sql").read_text()
        assert text.startswith(f"-- {step.phase}")
        await connection.execute(text)
    assert {table.name: await _rows(connection, table, after) for table in kept} == was
    assert migrate(after, after) == ()


async def _rows(connection: Any, table: PlannedTable, after: tuple[PlannedTable, ...]) -> list[tuple[object, ...]]:
    """What both versions know of every row."""
    later = next(each for each in after if each.name == table.name)
    both = [
        column.name
        for column in table.columns
        if (found := later.column(column.name)) is not None and found.type == column.type
    ]
    listed = ", ".join(f"{quoted(name)}::text" for name in both)
    rows = await connection.fetch(f"SELECT {listed} FROM {quoted(table.name)} ORDER BY 1, 2")
    return [tuple(row) for row in rows]
