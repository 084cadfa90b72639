"""Projects are found, read, limited and cached."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nines.model.code import Program
from nines.model.errors import SourceError
from nines.readers.python import files as files_module
from nines.readers.python import read
from nines.readers.python.cache import PACKS_MAX, Cache, digest_of
from nines.readers.python.facts import Facts, quiet
from nines.readers.python.parallel import facts_of_all

KEY = b"k" * 32


@pytest.fixture(autouse=True)
def own_account(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are kept where no real account keeps its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("account")))


def _project(root: Path, **contents: str) -> Path:
    for name, content in contents.items():
        _write(root, name.replace("__", "/") + ".py", content)
    return root


def _write(root: Path, name: str, content: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def _files(program: Program) -> list[str]:
    return [module.file for module in program.modules]


def test_only_what_runs_in_production_is_read(tmp_path: Path) -> None:
    for name in (
        "app/main.py",
        "app/migrations/0001_initial.py",
        "app/build/__init__.py",
        "tests/test_a.py",
        "app/test_b.py",
        "app/conftest.py",
        "app/b_test.py",
        "node_modules/x/a.py",
        "build/lib/a.py",
        ".tox/a.py",
        "env/lib/a.py",
        "app/__pycache__/a.py",
    ):
        _write(tmp_path, name, "x = 1\n")
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /usr\n")
    assert _files(read(tmp_path)) == ["app/build/__init__.py", "app/main.py", "app/migrations/0001_initial.py"]
    assert _files(read(tmp_path, paths=("tests",))) == []
    assert _files(read(tmp_path, paths=("tests/test_a.py",))) == ["tests/test_a.py"]
    assert _files(read(tmp_path, exclude=("migrations",))) == ["app/build/__init__.py", "app/main.py"]
    assert _files(read(tmp_path, exclude=("app/m*",))) == ["app/build/__init__.py"]


def test_a_project_below_a_folder_called_tests_is_read(tmp_path: Path) -> None:
    assert _files(read(_project(tmp_path / "tests" / "test_x", main="x = 1"))) == ["main.py"]


def test_links_are_not_followed_and_those_that_lead_out_are_told(tmp_path: Path) -> None:
    outside = _project(tmp_path / "outside", secret="x = 1")
    root = _project(tmp_path / "root", app__main="x = 1")
    (root / "out").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "file.py").symlink_to(outside / "secret.py")
    program = read(root)
    assert _files(program) == ["app/main.py"]
    assert {unread.file for unread in program.unread} == {"out", "file.py"}
    with pytest.raises(SourceError, match="leads out"):
        read(root, paths=("../outside",))


def test_paths_that_are_not_there_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read(tmp_path, paths=("missing",))
    with pytest.raises(SourceError, match="not a folder"):
        read(tmp_path / "missing")


def test_what_is_too_large_or_broken_is_unread_and_the_rest_is_read(tmp_path: Path) -> None:
    _project(tmp_path, good="x = 1\n", broken="x = (\n\ndef", deep="x = " + "-" * 50_000 + "1")
    _write(tmp_path, "generated.py", "#" * (files_module.FILE_BYTES_MAX + 1))
    program = read(tmp_path)
    assert _files(program) == ["good.py"]
    reasons = {unread.file: unread for unread in program.unread}
    assert set(reasons) == {"broken.py", "deep.py", "generated.py"}
    assert reasons["broken.py"].line == 1
    assert "at most" in reasons["generated.py"].reason
    assert all(unread.hint for unread in program.unread)


@pytest.mark.skipif(
    not hasattr(os, "mkfifo") or os.geteuid() == 0, reason="needs pipes and a person without all rights"
)
def test_what_cannot_be_opened_is_unread(tmp_path: Path) -> None:
    _project(tmp_path, locked="x = 1")
    (tmp_path / "locked.py").chmod(0)
    assert [unread.file for unread in read(tmp_path).unread] == ["locked.py"]


def test_a_pipe_with_the_name_of_a_source_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert read(tmp_path).modules == ()


def test_a_second_run_parses_only_what_changed(tmp_path: Path) -> None:
    root = _project(tmp_path / "root", a="def f(): return g()\n", b="x = 1\n", empty="", bad="x = (")
    cache = tmp_path / "cache"
    cold = read(root, cache=cache)
    assert cold.parsed == 4
    warm = read(root, cache=cache)
    assert warm.parsed == 0
    assert msgspec.structs.replace(warm, parsed=4) == cold
    _write(root, "b.py", "x = 2\n")
    changed = read(root, cache=cache)
    assert changed.parsed == 1
    assert msgspec.structs.replace(changed, parsed=0) == msgspec.structs.replace(read(root), parsed=0)


@given(position=st.floats(min_value=0, max_value=0.999), byte=st.integers(0, 255), cut=st.booleans())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_cache_is_read_again_without_a_word(tmp_path: Path, position: float, byte: int, cut: bool) -> None:
    root = _project(tmp_path / "root", a="def f(): return g()\n", b="class C:\n    x = 1\n")
    cache = tmp_path / "cache"
    expected = read(root)
    read(root, cache=cache)
    (pack,) = cache.glob("*.pack")
    content = bytearray(pack.read_bytes())
    place = int(position * len(content))
    content[place] = byte
    pack.write_bytes(content[:place] if cut else content)
    found = read(root, cache=cache)
    assert msgspec.structs.replace(found, parsed=2) == expected


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    root = _project(tmp_path / "root", a="x = 1")
    (tmp_path / "file").write_text("in the way")
    assert read(root, cache=tmp_path / "file").parsed == 1


def test_entries_nobody_asks_for_are_forgotten_in_time(tmp_path: Path) -> None:
    old = digest_of(b"old")
    Cache(tmp_path, tmp_path, KEY).store({old: b"blob"}, frozenset({old}))
    runs = 0
    while Cache(tmp_path, tmp_path, KEY).get(old) is not None:
        runs += 1
        assert runs < 50
        new = digest_of(str(runs).encode())
        Cache(tmp_path, tmp_path, KEY).store({new: b"blob"}, frozenset({new}))
    assert runs > 1


def test_two_writers_leave_a_whole_pack(tmp_path: Path) -> None:
    first, second = Cache(tmp_path, tmp_path, KEY), Cache(tmp_path, tmp_path, KEY)
    a, b = digest_of(b"a"), digest_of(b"b")
    first.store({a: b"from a"}, frozenset({a}))
    second.store({b: b"from b"}, frozenset({b}))
    found = Cache(tmp_path, tmp_path, KEY).get(b)
    assert found is not None
    assert bytes(found) == b"from b"
    assert [path.suffix for path in tmp_path.iterdir()] == [".pack"]


def test_facts_that_another_account_has_left_are_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _project(tmp_path / "root", a="x = 1")
    cache = root / ".nines" / "cache"
    assert read(root, cache=cache).parsed == 1
    assert read(root, cache=cache).parsed == 0
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert read(root, cache=cache).parsed == 1


def test_a_project_cannot_have_us_write_or_delete_elsewhere(tmp_path: Path) -> None:
    root = _project(tmp_path / "root", a="x = 1")
    victim = tmp_path / "victim"
    victim.mkdir()
    (root / ".nines").symlink_to(victim)
    assert read(root, cache=root / ".nines" / "cache").parsed == 1
    assert list(victim.iterdir()) == []


def test_old_packs_go_and_foreign_files_stay(tmp_path: Path) -> None:
    foreign = [tmp_path / f"objects-{number}.pack" for number in range(PACKS_MAX + 5)]
    for path in foreign:
        path.write_bytes(b"precious")
    roots = [tmp_path / str(number) for number in range(PACKS_MAX + 3)]
    for root in roots:
        Cache(tmp_path, root, KEY).store({b"digest": b"blob"}, frozenset())
    packs = set(tmp_path.glob("*.pack"))
    assert packs.issuperset(foreign)
    assert len(packs) == len(foreign) + PACKS_MAX


def test_several_processes_find_the_same(tmp_path: Path) -> None:
    root = _project(tmp_path, **{f"m{number}": f"def f{number}(x): return x + {number}\n" * 20 for number in range(12)})
    _write(root, "bad.py", "x = (")
    assert read(root, jobs=3) == read(root, jobs=1)


def _facts(sources: list[bytes], program: str) -> list[Facts]:
    with quiet():
        return facts_of_all(sources, 2, (sys.executable, "-c", program))


def test_a_worker_that_does_not_start_is_done_without() -> None:
    assert [facts.lines for facts in _facts([b"x = 1\n", b"y\n\n"], "raise SystemExit(3)")] == [1, 2]


def test_a_source_that_kills_the_interpreter_costs_only_itself() -> None:
    program = (
        "import os\n"
        "from nines.readers.python import worker\n"
        "from nines.readers.python.facts import facts_of\n"
        "worker.facts_of = lambda source: os._exit(9) if b'crash' in source else facts_of(source)\n"
        "worker.main()\n"
    )
    # The largest goes to this process; the worker gets the two others, in their order.
    found = _facts([b"x = 1\n" * 100, b"crash = 1\n", b"y = 1\n"], program)
    assert [facts.lines for facts in found] == [100, 0, 1]
    assert "breaks down" in found[1].reason
