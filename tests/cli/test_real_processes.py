"""The command as a process of its own: signals, pipes, a service that does not start. Nothing stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.projects import MAIN, SERVER, backend, write

pytestmark = pytest.mark.lab
_LIMIT_S = 120.0
_SETTINGS = f"""\
contract = "openapi.json"
[service]
command = "{sys.executable} server.py {{port}}"
[database]
needed = NEEDED
[redis]
needed = false
[load]
rate_hz = 20
duration_s = 60
"""
_CONTRACT = """\
{"openapi": "3.1.0", "info": {"title": "t", "version": "1"},
 "paths": {"/items": {"get": {"responses": {"200": {"description": "ok"}}}}}}
"""


@pytest.fixture
def lab_folder() -> Iterator[Path]:
    """A temporary directory that another user may enter, as PostgreSQL's server needs it when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="nines-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def started(folder: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "nines", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), **more},
        start_new_session=True,
    )


def service(folder: Path, *, needs_database: bool) -> Path:
    write(folder, {"server.py": SERVER, "openapi.json": _CONTRACT})
    write(folder, {"nines.toml": _SETTINGS.replace("NEEDED", str(needs_database).lower())})
    return folder


def heard(process: subprocess.Popen[str], text: str) -> None:
    """Reads standard error until a line holds the text."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the process ended before it said {text!r}")


def left_behind(folder: Path) -> list[str]:
    """Processes that were given this folder for temporary files, and the run's own directories in it."""
    found = [path.name for path in folder.glob("nines-*")]
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder) or Path(process.cwd()).is_relative_to(folder):
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):
            continue
    return found


def nothing_is_left(folder: Path) -> bool:
    until_s = time.monotonic() + 30.0
    while left_behind(folder) and time.monotonic() < until_s:
        time.sleep(0.05)
    return left_behind(folder) == []


@pytest.mark.parametrize(
    ("stage", "needs_database", "signals"),
    [
        ("reading the code", False, [signal.SIGINT]),
        ("starting the service", True, [signal.SIGINT]),
        ("starting the service", True, [signal.SIGINT, signal.SIGINT]),
        ("starting the service", False, [signal.SIGTERM]),
        ("Steady load", False, [signal.SIGINT]),
        ("Steady load", False, [signal.SIGTERM, signal.SIGINT, signal.SIGINT]),
    ],
)
def test_a_signal_leaves_nothing_behind(
    lab_folder: Path, stage: str, needs_database: bool, signals: list[signal.Signals]
) -> None:
    project = service(lab_folder / "project", needs_database=needs_database)
    process = started(lab_folder, "prove", str(project), "--only", "steady")
    heard(process, stage)
    time.sleep(0.2)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.1)
    _, said = process.communicate(timeout=_LIMIT_S)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    if len(signals) < 3:
        assert "nines: interrupted; everything that was started has been stopped" in said
    assert nothing_is_left(lab_folder)


def test_reading_a_revision_is_interrupted_without_a_trace(lab_folder: Path) -> None:
    main = MAIN + "".join(f"\n\ndef f{i}():\n    return requests.get('https://x.example/{i}')\n" for i in range(3000))
    project = backend(lab_folder / "project", main)
    write(project, {f"app/m{i}.py": main for i in range(40)})
    process = started(lab_folder, "review", str(project))
    heard(process, "reading the code")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=_LIMIT_S)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert nothing_is_left(lab_folder)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m nines review {backend(tmp_path)} -q -f html | head -c 10; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True, timeout=_LIMIT_S)
    assert done.returncode in (0, 1)
    assert done.stderr == ""


def test_a_full_disk_behind_standard_output_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "nines", "review", str(backend(tmp_path)), "-q"]
        done = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, text=True, timeout=_LIMIT_S)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["nines: No space left on device"]


def test_a_service_that_does_not_start_is_reviewed_all_the_same(lab_folder: Path) -> None:
    project = backend(lab_folder / "project")
    command = f'{sys.executable} -c \\"print(40 * 3 + 3, 0x7b); raise SystemExit(7)\\"'
    write(project, {"nines.toml": f'[service]\ncommand = "{command}"\n[database]\nneeded = false\n'})
    process = started(lab_folder, "prove", str(project), "-q")
    out, said = process.communicate(timeout=_LIMIT_S)
    assert (process.returncode, out) == (2, "")
    assert "123 123" in said
    process = started(lab_folder, "check", str(project), "-q")
    out, said = process.communicate(timeout=_LIMIT_S)
    assert (process.returncode, said) == (1, "")
    for text in ("NOT READY", "123 123", "no timeout", "not shown"):
        assert text in out
    assert nothing_is_left(lab_folder)


@pytest.mark.parametrize(
    "url", ["postgresql://u:p@127.0.0.1:9/x", "http://127.0.0.1:9/x", "postgresql://u:p@127.0.0.1:notaport/x"]
)
def test_a_database_that_refuses_is_one_message(lab_folder: Path, url: str) -> None:
    project = service(lab_folder / "project", needs_database=True)
    with (project / "nines.toml").open("a") as settings:
        settings.write(f'[database]\nurl = "{url}"\n')
    text = (project / "nines.toml").read_text().replace("[database]\nneeded = true\n", "", 1)
    (project / "nines.toml").write_text(text)
    process = started(lab_folder, "prove", str(project), "-q")
    out, said = process.communicate(timeout=_LIMIT_S)
    assert (process.returncode, out) == (2, "")
    assert "database" in said
    assert "Traceback" not in said
    assert "Future" not in said
    assert nothing_is_left(lab_folder)


def test_where_nothing_could_be_tried_nothing_passes(lab_folder: Path) -> None:
    project = service(lab_folder / "project", needs_database=False)
    process = started(lab_folder, "prove", str(project), "-q", "--only", "object-authorization")
    out, said = process.communicate(timeout=_LIMIT_S)
    assert (process.returncode, said) == (2, "")
    assert "not tried, for want of" in out
    assert nothing_is_left(lab_folder)


def test_a_port_that_is_taken_is_told_with_the_words_of_the_service(lab_folder: Path) -> None:
    project = service(lab_folder / "project", needs_database=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = (project / "nines.toml").read_text().replace("{port}", str(taken.getsockname()[1]))
        (project / "nines.toml").write_text(settings)
        process = started(lab_folder, "prove", str(project), "-q")
        _, said = process.communicate(timeout=_LIMIT_S)
    assert process.returncode == 2
    assert "Address already in use" in said
    assert nothing_is_left(lab_folder)
