"""A service that parts from the runtime's package, and its wheel."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest

from nines.model.errors import UsageError
from nines.verbs import wheel
from nines.verbs.build import Wish, build
from nines.verbs.eject import eject
from nines.verbs.handover import SERVICE, read_lock, write_lock
from nines.verbs.runtime import requirements, runtime
from tests.verbs.services import NOTES, TODAY, held, written


def test_the_runtimes_source_stands_beside_the_service_and_no_wheel_is_left(tmp_path: Path) -> None:
    written(tmp_path)
    found = eject(tmp_path)
    assert found.files == len(runtime().sources)
    assert not (tmp_path / "wheels").exists()
    for path, content in runtime().sources:
        assert (tmp_path / "src" / path).read_bytes() == content
    for name in ("requirements.lock", "requirements-dev.lock", "Dockerfile"):
        assert "wheels" not in (tmp_path / name).read_text()
    assert 'exclude = ["src/nines_runtime"]' in (tmp_path / "nines.toml").read_text()
    with pytest.raises(UsageError, match="already"):
        eject(tmp_path)


def test_an_ejected_service_is_built_again_and_its_runtime_is_the_owners(tmp_path: Path) -> None:
    written(tmp_path)
    eject(tmp_path)
    (tmp_path / "src/nines_runtime/__init__.py").write_text("mine = 1\n")
    before = held(tmp_path)
    found = build(tmp_path / "blueprint.yaml", tmp_path, Wish(), today=TODAY)
    assert found.comparison is not None
    assert found.comparison.is_current
    assert held(tmp_path) == before


def test_a_runtime_that_went_on_is_not_mixed_with_the_source_of_an_older_one(tmp_path: Path) -> None:
    """What is generated may ask for what the older one does not have."""
    written(tmp_path)
    eject(tmp_path)
    lock = msgspec.structs.replace(read_lock(tmp_path, SERVICE), runtime="0.0.1+older")
    write_lock(tmp_path, SERVICE, lock)
    (tmp_path / "openapi.yaml").unlink()
    before = held(tmp_path)
    with pytest.raises(UsageError, match=r"has the source of nines-runtime 0\.0\.1\+older"):
        build(tmp_path / "blueprint.yaml", tmp_path, Wish(), today=TODAY)
    assert held(tmp_path) == before
    # The way back that the refusal tells.
    shutil.rmtree(tmp_path / "src/nines_runtime")
    build(tmp_path / "blueprint.yaml", tmp_path, Wish(), today=TODAY)
    assert not read_lock(tmp_path, SERVICE).is_ejected
    assert list((tmp_path / "wheels").glob("*.whl"))
    assert "nines_runtime" not in (tmp_path / "nines.toml").read_text()
    assert "./wheels/" in (tmp_path / "requirements.lock").read_text()
    assert eject(tmp_path).files


def test_an_owners_edits_survive_an_eject_and_the_build_after_it(tmp_path: Path) -> None:
    written(tmp_path)
    owned = read_lock(tmp_path, SERVICE).owned
    for path in owned:
        with (tmp_path / path).open("a") as stream:
            stream.write("\n# mine\n")
    eject(tmp_path)
    (tmp_path / "src/nines_runtime/mine.py").write_text("mine = 1\n")
    grown = NOTES.replace("title: {type", "colour: {type: string, max: 9, optional: true}\n      title: {type")
    built = written(tmp_path, grown)
    assert built.migrations[0].name == "0002_add_notes_colour"
    for path in owned:
        assert (tmp_path / path).read_text().endswith("\n# mine\n"), path
    assert (tmp_path / "src/nines_runtime/mine.py").read_text() == "mine = 1\n"
    assert not (tmp_path / "wheels").exists()


def test_what_nines_did_not_build_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    with pytest.raises(UsageError, match="nines built nothing here"):
        eject(tmp_path)


def test_another_wheel_or_another_runtime_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "src/nines_runtime").mkdir()
    with pytest.raises(UsageError, match="another runtime"):
        eject(tmp_path)
    (tmp_path / "wheels" / runtime().wheel.name).write_bytes(b"x")
    with pytest.raises(UsageError, match="another one"):
        eject(tmp_path)


def test_the_ejected_runtime_is_imported_where_no_package_is_installed(tmp_path: Path) -> None:
    written(tmp_path)
    eject(tmp_path)
    script = (
        "import sys, importlib.metadata as m\n"
        "assert not any('runtime' in path for path in sys.path), sys.path\n"
        "sys.path.insert(0, 'src')\n"
        "import nines_runtime, pathlib\n"
        "assert pathlib.Path(nines_runtime.__file__).parent.samefile('src/nines_runtime')\n"
        "print(len(nines_runtime.__all__))\n"
    )
    # What the checkout installs for its own tests is left out, so that nothing but the service's folder has it.
    away = (
        "import sys; sys.path = [p for p in sys.path if '/runtime' not in p]; "
        "sys.meta_path = [f for f in sys.meta_path if 'ditable' not in repr(f)]\n"
    )
    command = [sys.executable, "-c", away + script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20


def test_a_wheel_is_the_same_bytes_each_time_and_holds_what_pip_asks_for() -> None:
    project = {
        "name": "some-thing", "description": "A thing.", "license": "Apache-2.0", "requires-python": ">=3.11",
        "dependencies": ["msgspec>=0.20"], "optional-dependencies": {"more": ["redis>=5"]},
    }  # fmt: skip
    files = {"some_thing/__init__.py": b"x = 1\n", "some_thing/py.typed": b""}
    made = wheel.make(project, "1.0", files)
    assert made == wheel.make(project, "1.0", dict(reversed(files.items())))
    assert made.name == "some_thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert archive.testzip() is None
        record = archive.read("some_thing-1.0.dist-info/RECORD").decode().splitlines()
        assert {line.split(",")[0] for line in record} == set(archive.namelist())
        metadata = archive.read("some_thing-1.0.dist-info/METADATA").decode()
    assert "Requires-Dist: redis>=5; extra == 'more'" in metadata


def test_pins_are_those_that_the_project_itself_is_tested_with() -> None:
    """Both are made by the same resolver; a version that only one of them has was tried by nobody."""
    root = Path(__file__).parents[2]
    own = {line.split()[0] for line in (root / "requirements.lock").read_text().splitlines() if "==" in line}
    for name in ("requirements.lock", "requirements-dev.lock"):
        pinned = {line.split()[0] for line in (root / "runtime" / name).read_text().splitlines() if "==" in line}
        assert pinned
        known = {each.partition("==")[0] for each in own}
        assert {each for each in pinned if each.partition("==")[0] in known} <= own


def test_a_lock_names_the_wheel_with_its_hash_and_leaves_out_what_is_not_needed() -> None:
    found = runtime()
    text = requirements(found, pins=found.needed, without=("redis",))
    assert text.startswith(f"./wheels/{found.wheel.name} \\\n    --hash=sha256:{found.wheel.digest}\n")
    assert "\nredis==" not in text
    assert "\nmsgspec==" in text
    assert all("--hash=sha256:" in block for block in text.split("\n") if block.startswith("    "))
