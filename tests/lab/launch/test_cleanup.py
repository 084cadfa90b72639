"""However a run ends, nothing of it stays: no process, no port, no directory, no database, no shared memory."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from nines.lab.launch.cleanup import Entry, Premises, clear_stale, settle
from nines.lab.launch.installation import choose
from nines.lab.launch.ports import is_free
from nines.lab.launch.postgres import Cluster
from nines.model.errors import LaunchError

pytestmark = pytest.mark.lab

RUN = """
import asyncio, json, os, sys
from pathlib import Path
from nines.lab.launch.cleanup import Premises, ending_on_signals
from nines.lab.launch.installation import choose
from nines.lab.launch.postgres import Cluster
from nines.lab.launch.server import GivenServer
from nines.lab.launch.service import Service
from nines.model.settings import ServiceSettings, Settings

async def main(base, root, url, end):
    premises = Premises(Path(base))
    try:
        with ending_on_signals():
            premises.open()
            cluster = Cluster(premises, choose(()))
            await cluster.open()
            given = GivenServer(premises, url)
            await given.create("nines_" + premises.run + "_1")
            # A worker that leaves the service's session and group, as daemons do.
            command = f"{sys.executable} stray.py {{port}}"
            service = Service(premises, Settings(service=ServiceSettings(command=command)), Path(root))
            await service.start({})
            pids = [p.pid for p in service.tree() + cluster.process.tree()] + [int(Path(root, "stray").read_text())]
            print(json.dumps({"pids": pids, "ports": [service.port, cluster.port], "run": premises.run}), flush=True)
            if end == "exception":
                raise RuntimeError("a defect in nines")
            await asyncio.sleep(600)
    finally:
        premises.close()

asyncio.run(main(*sys.argv[1:]))
"""

STRAY = """
import http.server, os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
open("stray", "w").write(str(child.pid))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A server that plays somebody else's."""
    with tempfile.TemporaryDirectory(prefix="nines-test-") as name:
        Path(name).chmod(0o711)
        premises = Premises(Path(name))
        premises.open()
        cluster = Cluster(premises, choose(()))
        asyncio.run(cluster.open())
        yield cluster
        premises.close()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone_within(seconds: float, pids: list[int], directory: Path) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(is_alive(pid) for pid in pids) and not directory.exists():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", "SIGKILL", "exception"])
def test_nothing_stays(end: str, server: Cluster, common_folder: Path) -> None:
    (common_folder / "stray.py").write_text(STRAY)
    (common_folder / "run.py").write_text(RUN)
    url = f"postgresql://{server.user}@{server.host}:{server.port}/postgres"
    run = subprocess.Popen(
        [sys.executable, str(common_folder / "run.py"), str(common_folder), str(common_folder), url, end],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert run.stdout is not None
    line = run.stdout.readline()
    if not line:
        pytest.fail(run.communicate(timeout=30)[1])
    said = json.loads(line)
    directory = common_folder / f"nines-lab-{said['run']}"
    assert len(said["pids"]) > 5
    wardens = [p for p in psutil.process_iter(["cmdline"]) if str(directory) in (p.info["cmdline"] or [])]
    assert wardens
    if end != "exception":
        assert directory.exists()
        assert all(is_alive(pid) for pid in said["pids"])
        os.kill(run.pid, getattr(signal, end))
    _, errors = run.communicate(timeout=60)
    assert gone_within(30, [*said["pids"], *(w.pid for w in wardens)], directory), errors
    assert all(is_free(port) for port in said["ports"])
    rows = asyncio.run(server.execute("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'nines%'"))
    assert rows == []
    expected = {"SIGTERM": -signal.SIGTERM, "SIGKILL": -signal.SIGKILL, "exception": 1}
    assert run.returncode == expected.get(end, run.returncode)


def test_the_next_run_clears_away_what_a_dead_one_left(tmp_path: Path) -> None:
    left = tmp_path / "nines-lab-deadbeef"
    left.mkdir()
    (left / "lock").touch()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env={"NINES_RUN": "deadbeef"})
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    reused = f'{{"kind":"process","pid":{stranger.pid},"started_s":1.0}}\n'
    (left / "ledger").write_text(reused + "a torn line")
    until = time.monotonic() + 10
    while "NINES_RUN" not in psutil.Process(child.pid).environ() and time.monotonic() < until:
        time.sleep(0.01)
    living = Premises(tmp_path)
    living.open()
    assert not left.exists()
    assert child.wait(10) == -signal.SIGKILL, "it was not killed"
    assert stranger.poll() is None, "a number that was taken by another process is not ours"
    assert clear_stale(tmp_path) == 0
    assert living.directory.exists(), "a living run is left alone"
    living.close()
    living.close()
    stranger.kill()
    stranger.wait(10)
    with pytest.raises(LaunchError, match="closed"):
        living.write(Entry(kind="process"))


def test_a_directory_that_is_just_being_made_is_not_taken_for_abandoned(tmp_path: Path) -> None:
    (tmp_path / "nines-lab-00000000").mkdir()
    (tmp_path / "nines-lab-link").symlink_to(tmp_path)
    assert clear_stale(tmp_path) == 0
    assert (tmp_path / "nines-lab-00000000").exists()


def test_settling_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    settle(tmp_path / "nines-lab-nothing")


def test_premises_that_cannot_be_made_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="working directory"):
        Premises(tmp_path / "missing").open()


def test_a_killed_cluster_leaves_no_shared_memory(premises: Premises) -> None:
    def segments() -> set[str]:
        lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
        return {line.split()[1] for line in lines}

    async def scenario() -> set[str]:
        before = segments()
        cluster = Cluster(premises, choose(()))
        await cluster.open()
        own = segments() - before
        await cluster.kill()
        return own

    own = asyncio.run(scenario())
    assert own
    premises.close()
    assert not own & segments()
