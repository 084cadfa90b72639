from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.model.design import Document
from nines.model.errors import NinesError, UsageError
from nines.verbs import handover
from nines.verbs.handover import DOSSIER, Comparison, Handover, Item, Lock

LOCK = DOSSIER.lock
HEAD = Lock(version=1, source="x.yaml", files={})


def _documents(**files: str) -> tuple[Item, ...]:
    return handover.items(Document(path=path.replace("__", "/"), text=text) for path, text in files.items())


def _compare(folder: Path, files: Sequence[Item]) -> Comparison:
    return Handover(folder, files, HEAD).compare()


def _hand_over(folder: Path, files: Sequence[Item], *, force: bool = False) -> Comparison:
    wanted = Handover(folder, files, HEAD)
    comparison = wanted.compare()
    wanted.write(comparison, force=force)
    return comparison


def _held(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


FIRST = _documents(README="one\n", data__README="two\n", data__ddl="three\n")


def test_a_second_run_changes_no_byte_and_touches_no_file(tmp_path: Path) -> None:
    assert _hand_over(tmp_path / "d", FIRST).new == ("README", "data/README", "data/ddl")
    before, times = _held(tmp_path / "d"), {p: p.stat().st_mtime_ns for p in (tmp_path / "d").rglob("*")}
    again = _hand_over(tmp_path / "d", FIRST)
    assert again.is_current
    assert again.unchanged == ("README", "data/README", "data/ddl")
    assert _held(tmp_path / "d") == before
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "d").rglob("*")} == times


def test_what_was_written_is_renewed_and_what_is_no_longer_made_is_removed(tmp_path: Path) -> None:
    _hand_over(tmp_path, FIRST)
    found = _hand_over(tmp_path, _documents(README="new\n"))
    assert (found.changed, found.stale) == (("README",), ("data/README", "data/ddl"))
    assert not (tmp_path / "data").exists()
    assert (tmp_path / "README").read_text() == "new\n"
    assert _compare(tmp_path, _documents(README="new\n")).is_current


def test_an_edited_file_stops_everything_and_the_edit_is_named(tmp_path: Path) -> None:
    _hand_over(tmp_path, FIRST)
    (tmp_path / "README").write_text("one\nmy own line\n")
    before = _held(tmp_path)
    with pytest.raises(UsageError, match=r"1 file would be overwritten") as caught:
        _hand_over(tmp_path, _documents(README="other\n", data__README="other\n"))
    assert "README: 2 lines would be lost: one" in caught.value.detail
    assert _held(tmp_path) == before
    _hand_over(tmp_path, _documents(README="other\n"), force=True)
    assert (tmp_path / "README").read_text() == "other\n"


def test_a_file_that_was_there_first_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("mine\n")
    with pytest.raises(UsageError):
        _hand_over(tmp_path, FIRST)
    assert _held(tmp_path) == {"README": b"mine\n"}


def test_an_edited_file_that_is_no_longer_made_stays(tmp_path: Path) -> None:
    _hand_over(tmp_path, FIRST)
    (tmp_path / "data/ddl").write_text("mine\n")
    found = _hand_over(tmp_path, _documents(README="one\n"))
    assert (found.stale, found.orphaned) == (("data/README",), ("data/ddl",))
    assert (tmp_path / "data/ddl").read_text() == "mine\n"
    assert _compare(tmp_path, _documents(README="one\n")).is_current


def test_files_of_the_owner_stay_beside_the_dossier(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("mine\n")
    _hand_over(tmp_path, FIRST)
    _hand_over(tmp_path, _documents(README="one\n"))
    assert (tmp_path / "notes.md").read_text() == "mine\n"


def test_a_file_that_was_deleted_is_written_again(tmp_path: Path) -> None:
    _hand_over(tmp_path, FIRST)
    (tmp_path / "README").unlink()
    assert not _compare(tmp_path, FIRST).is_current
    assert _hand_over(tmp_path, FIRST).new == ("README",)


@pytest.mark.parametrize("lock", [b"", b"{}", b"[1]", b'{"version": 1, "source": "", "files": {"../x": []}}', b"\xff"])
def test_a_lock_that_is_broken_makes_every_file_somebody_elses(tmp_path: Path, lock: bytes) -> None:
    _hand_over(tmp_path, FIRST)
    (tmp_path / LOCK).write_bytes(lock)
    found = _compare(tmp_path, _documents(README="changed\n"))
    assert (found.edited, found.stale) == (("README",), ())
    assert _hand_over(tmp_path, FIRST).unchanged == ("README", "data/README", "data/ddl")


def test_an_interrupted_run_is_taken_up_again_with_another_blueprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hand_over(tmp_path, FIRST)
    second = _documents(README="one, two\n", data__README="two, two\n", data__ddl="three, two\n")
    renames = Path.replace

    def broken(self: Path, target: Path) -> Path:
        if target.name == "ddl":
            raise OSError(28, "No space left on device")
        return renames(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", broken)
        with pytest.raises(UsageError, match="No space left"):
            _hand_over(tmp_path, second)
    assert sorted(_held(tmp_path)) == ["README", "data/README", "data/ddl", LOCK]
    third = _documents(README="one, three\n", data__README="two, three\n", data__ddl="three, three\n")
    assert _hand_over(tmp_path, third).changed == ("README", "data/README", "data/ddl")


@pytest.mark.parametrize("path", ["../out.md", "/etc/out.md", "a/../../out.md", "a//b", LOCK])
def test_a_path_outside_of_the_dossier_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(NinesError, match="outside"):
        _hand_over(tmp_path / "d", (Item(path=path, content=b"x\n"),))
    assert list(tmp_path.iterdir()) == []


def test_two_documents_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NinesError, match="two parts"):
        _hand_over(tmp_path, (Item(path="a.md", content=b"x\n"), Item(path="A.md", content=b"y\n")))


def test_a_link_does_not_carry_files_elsewhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "d").mkdir()
    (tmp_path / "d/data").symlink_to(outside)
    with pytest.raises(UsageError, match="no folder of the dossier"):
        _hand_over(tmp_path / "d", FIRST)
    assert list(outside.iterdir()) == []


def test_a_link_in_the_place_of_a_file_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine\n")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/README").symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError):
        _hand_over(tmp_path / "d", FIRST)
    _hand_over(tmp_path / "d", FIRST, force=True)
    assert (tmp_path / "mine").read_text() == "mine\n"
    assert (tmp_path / "d/README").read_text() == "one\n"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("x")
    with pytest.raises(UsageError, match="no folder"):
        _hand_over(tmp_path / "d", FIRST)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be written"):
        _hand_over(tmp_path / "d", FIRST)


_NAMES = st.sampled_from(["a", "b", "c/a", "c/b", "c/d/a"])
_SETS = st.dictionaries(_NAMES, st.text("xy\n", max_size=3), max_size=5)


@settings(max_examples=40, deadline=None)
@given(st.lists(_SETS, min_size=1, max_size=4))
def test_after_any_runs_the_folder_holds_the_last_dossier_and_nothing_else(runs: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for run in runs:
            _hand_over(folder, [Item(path=path, content=text.encode()) for path, text in run.items()])
        held = _held(folder)
        held.pop(LOCK)
        assert held == {path: text.encode() for path, text in runs[-1].items()}


def test_what_is_the_owners_is_created_once_and_never_touched_again(tmp_path: Path) -> None:
    own = (*FIRST, Item(path="own.py", content=b"first\n", is_owned=True))
    assert "own.py" in _hand_over(tmp_path, own).new
    (tmp_path / "own.py").write_text("mine\n")
    later = (*FIRST, Item(path="own.py", content=b"second\n", is_owned=True))
    found = _hand_over(tmp_path, later, force=True)
    assert found.is_current
    assert found.kept == ("own.py",)
    assert (tmp_path / "own.py").read_text() == "mine\n"
    (tmp_path / "own.py").unlink()
    _hand_over(tmp_path, later)
    assert not (tmp_path / "own.py").exists(), "what the owner took away must not come back"
    _hand_over(tmp_path, FIRST)
    _hand_over(tmp_path, later)
    assert not (tmp_path / "own.py").exists()
