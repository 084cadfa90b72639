"""PostgreSQL in the laboratory: fresh copies, death and recovery, and a server that belongs to somebody else."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import psutil
import pytest

from nines.lab.launch import installation, postgres
from nines.lab.launch import server as servers
from nines.lab.launch.cleanup import Premises
from nines.lab.launch.installation import Installation, choose, unavailable_extensions
from nines.lab.launch.postgres import Cluster, open_database
from nines.lab.launch.server import GivenServer
from nines.model.errors import LabError, LaunchError, SettingsError

pytestmark = pytest.mark.lab


def test_a_cluster_gives_fresh_copies_and_survives_being_killed(premises: Premises) -> None:
    async def scenario() -> None:
        cluster = Cluster(premises, choose(()))
        await cluster.open()
        await cluster.create("nines_base")
        await cluster.execute("nines_base", "CREATE TABLE thing (id int PRIMARY KEY)")
        await cluster.create("nines_1", "nines_base")
        await cluster.execute("nines_1", "INSERT INTO thing VALUES ($1)", 7)
        assert await cluster.execute("nines_1", "SELECT id FROM thing") == [(7,)]
        assert await cluster.execute("nines_base", "SELECT count(*) FROM thing") == [(0,)]
        assert await cluster.execute("nines_1", "SHOW fsync") == [("on",)]

        held = await cluster.connect("nines_1")
        assert cluster.process is not None
        before = cluster.process.tree()
        assert len(before) > 2
        await cluster.kill()
        assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in before)
        held.terminate()
        with pytest.raises(LabError, match="did not answer"):
            await cluster.execute("nines_1", "SELECT 1")

        assert await cluster.start() > 0
        assert await cluster.execute("nines_1", "SELECT id FROM thing") == [(7,)]
        await cluster.drop("nines_1")
        await cluster.drop("nines_1")
        with pytest.raises(LabError, match="does not exist"):
            await cluster.execute("nines_1", "SELECT 1")
        await cluster.close()
        assert cluster.process is None or not cluster.process.is_running

    asyncio.run(scenario())


def test_a_template_in_use_is_copied_all_the_same(premises: Premises) -> None:
    async def scenario() -> None:
        cluster = Cluster(premises, choose(()))
        await cluster.open()
        await cluster.create("nines_base")
        held = await cluster.connect("nines_base")
        await cluster.create("nines_1", "nines_base")
        held.terminate()
        assert await cluster.execute("nines_1", "SELECT 1") == [(1,)]

        url = f"postgresql://{cluster.user}@{cluster.host}:{cluster.port}/postgres"
        given = await open_database(premises, url, None)
        assert isinstance(given, GivenServer)
        assert not given.can_be_killed
        await given.create("nines_other_1")
        with pytest.raises(LabError, match="left alone"):
            await given.drop("nines_base")
        await given.close()
        assert await cluster.execute("postgres", "SELECT 1 FROM pg_database WHERE datname = 'nines_other_1'") == []
        assert await cluster.execute("postgres", "SELECT 1 FROM pg_database WHERE datname = 'nines_base'") == [(1,)]

    asyncio.run(scenario())


def test_a_cluster_that_cannot_start_says_why(premises: Premises, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres.SETTINGS, "fsync", "perhaps")
    with pytest.raises(LaunchError) as caught:
        asyncio.run(Cluster(premises, choose(())).open())
    assert 'parameter "fsync" requires a Boolean value' in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://localhost/x", "http://host/db", "postgresql://"])
def test_a_url_of_something_else_is_refused(premises: Premises, url: str) -> None:
    with pytest.raises(SettingsError, match=r"database\.url"):
        GivenServer(premises, url)


def test_a_dead_server_is_one_clear_error(premises: Premises, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "GIVEN_LIMIT_S", 0.3)
    with pytest.raises(LaunchError, match="does not answer"):
        asyncio.run(open_database(premises, "postgresql://nobody@127.0.0.1:1/none", None))


def test_a_user_who_may_not_create_databases_is_told_so(premises: Premises) -> None:
    async def scenario() -> None:
        cluster = Cluster(premises, choose(()))
        await cluster.open()
        await cluster.execute("postgres", "CREATE ROLE poor LOGIN NOCREATEDB")
        given = GivenServer(premises, f"postgresql://poor@127.0.0.1:{cluster.port}/postgres")
        await given.open()
        with pytest.raises(LabError, match="permission denied") as caught:
            await given.create("nines_mine")
        assert "database.url" in caught.value.hint

    asyncio.run(scenario())


def test_names_are_checked_before_they_reach_the_server(premises: Premises) -> None:
    server = GivenServer(premises, "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(LabError, match="cannot be the name"):
        asyncio.run(server.create('x"; DROP DATABASE y; --'))


def test_missing_extensions_are_read_from_the_error() -> None:
    output = (
        'ERROR:  extension "uuid-ossp" is not available\n'
        'could not open extension control file "/usr/share/extension/postgis.control": No such file'
    )
    assert unavailable_extensions(output) == ("uuid-ossp", "postgis")
    assert unavailable_extensions("all is well") == ()


def test_an_extension_that_nobody_has_is_one_clear_error() -> None:
    with pytest.raises(LaunchError, match="nobody_has_this"):
        choose(["nobody_has_this"])


def test_the_wheel_is_chosen_first_and_can_be_ruled_out() -> None:
    wheel = choose(["vector", "pg_trgm"])
    assert wheel.is_embedded
    others = [found.bin for found in installation.of_machine()]
    with pytest.raises(LaunchError):
        choose(["uuid-ossp"], lacking=[wheel.bin, *others])


def test_programs_in_a_private_directory_are_copied_for_the_server(tmp_path: Path) -> None:
    private = tmp_path / "private" / "install" / "bin"
    private.mkdir(parents=True)
    (private / "postgres").write_text("")
    (tmp_path / "private").chmod(0o700)
    copied = installation.reachable(Installation(bin=str(private), name="x"), tmp_path)
    if installation.server_user() is None:
        assert copied.bin == str(private)
    else:
        assert Path(copied.program("postgres")).is_relative_to(tmp_path / "postgresql")
        assert Path(copied.program("postgres")).exists()


def test_a_machine_without_another_server_gets_a_stand_in(premises: Premises, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "of_machine", lambda: iter(()))
    with pytest.raises(LaunchError, match="postgis"):
        choose(["uuid-ossp", "postgis"])
    chosen = choose(["uuid-ossp", "pg_trgm"])
    assert chosen.with_stand_ins
    assert "stand-in for uuid-ossp" in chosen.name

    async def scenario() -> None:
        cluster = Cluster(premises, chosen)
        await cluster.open()
        await cluster.create("nines_1")
        await cluster.execute("nines_1", 'CREATE EXTENSION "uuid-ossp"')
        await cluster.execute("nines_1", "CREATE EXTENSION pg_trgm")
        [(v4, v3, older, newer)] = await cluster.execute(
            "nines_1",
            "SELECT uuid_generate_v4(), uuid_generate_v3(uuid_ns_dns(), 'python.org'), uuid_generate_v1(), "
            "uuid_generate_v1mc()",
        )
        assert v4.version == 4
        assert v3 == uuid.uuid3(uuid.NAMESPACE_DNS, "python.org")
        assert older != newer
        await cluster.kill()
        await cluster.start()
        await cluster.create("nines_2", "nines_1")
        assert len(await cluster.execute("nines_2", "SELECT uuid_generate_v4()")) == 1

    asyncio.run(scenario())
