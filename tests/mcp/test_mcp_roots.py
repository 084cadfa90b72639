"""Nothing outside the allowed folders, whatever a path looks like."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.mcp.roots import FOLDERS_MAX, Roots
from nines.model.errors import UsageError


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    (tmp_path / "allowed" / "service").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("s")
    (tmp_path / "allowed" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "allowed" / "loop").symlink_to(tmp_path / "allowed" / "loop")
    (tmp_path / "allowed" / "inner").symlink_to(tmp_path / "allowed" / "service")
    return Roots.of((tmp_path / "allowed",))


@pytest.mark.parametrize("text", [".", "service", "./service/../service", "service/new.yaml", "not/there/yet", "inner"])
def test_what_is_inside_is_allowed(roots: Roots, text: str) -> None:
    found = roots.inside(text)
    assert found.is_relative_to(roots.folders[0])
    assert not found.is_symlink()


@pytest.mark.parametrize(
    "text",
    [
        "..",
        "../outside",
        "/etc/passwd",
        "link",
        "link/secret",
        "link/new",
        "service/../../outside",
        "/",
        "x/../..",
        "a\0b",
    ],
)
def test_what_is_outside_is_refused(roots: Roots, text: str) -> None:
    with pytest.raises(UsageError):
        roots.inside(text)


def test_a_root_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "none"):
        with pytest.raises(UsageError, match="a root must be a folder"):
            Roots.of((path,))


def test_without_a_root_nothing_is_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert Roots.of_here().folders == ()
    with pytest.raises(UsageError, match="no folder is allowed"):
        Roots.of_here().inside(".")
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    assert Roots.of_here().folders == (tmp_path / "project",)


def test_folders_of_the_client_are_added_and_bounded(roots: Roots, tmp_path: Path) -> None:
    (tmp_path / "with space").mkdir()
    more = roots.with_uris(
        (
            (tmp_path / "outside").as_uri(),
            (tmp_path / "with space").as_uri(),
            "file://elsewhere/etc",
            "https://example.com/",
            "file:///not/there",
            "nonsense",
        )
    )
    assert more.folders == (*roots.folders, tmp_path / "outside", tmp_path / "with space")
    assert more.inside(str(tmp_path / "outside" / "secret"))
    assert len(roots.with_uris(("file:///",) * 500).folders) <= FOLDERS_MAX


@given(st.text(max_size=80))
def test_no_text_leads_outside(text: str) -> None:
    here = Path(__file__).parent
    try:
        found = Roots.of((here,)).inside(text)
    except UsageError:
        return
    assert found.is_relative_to(here.resolve())
