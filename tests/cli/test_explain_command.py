"""`nines explain` as it is typed."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import pytest

from nines.cli.main import run
from nines.verbs import explained

Captured = pytest.CaptureFixture[str]


def test_one_page_several_hits_and_all(capsys: Captured) -> None:
    assert run(["explain", "circuit-breaker"]) == 0
    assert capsys.readouterr().out.startswith("# Circuit breaker\n")
    assert run(["explain", "retry"]) == 0
    heard = capsys.readouterr()
    assert "the best first" in heard.err
    assert "pattern  retry-with-jitter " in heard.out
    assert "rule     deadlines/retry-non-idempotent " in heard.out
    assert run(["explain"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line for line in listed if not line.startswith(" ")] == [
        "patterns",
        "rules",
        "experiments",
        "objections",
        "guides",
    ]


def test_formats_and_files(tmp_path: Path, capsys: Captured) -> None:
    assert run(["explain", "outbox", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "outbox"
    assert run(["explain", "-f", "markdown", "outbox"]) == 0
    assert capsys.readouterr().out.startswith("# Transactional outbox\n")
    file = tmp_path / "page.html"
    assert run(["explain", "outbox", "--format", "html", "--output", str(file)]) == 0
    assert capsys.readouterr().out == ""
    assert file.read_text().startswith("<!doctype html>")
    assert run(["explain", "outbox", "-f", "html", "-o", str(tmp_path / "none" / "page.html")]) == 2
    assert "cannot be saved" in capsys.readouterr().err
    assert run(["explain", "outbox", "-f", "sarif"]) == 2


def test_open_prefers_the_site_and_keeps_a_page_otherwise(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def opens(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", opens)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    site = tmp_path / "site"
    monkeypatch.setattr(explained, "SITE", site)
    assert run(["explain", "outbox", "--open"]) == 0
    shown = capsys.readouterr().out.strip()
    assert shown == (tmp_path / "nines" / "pages" / "outbox.html").as_uri()
    assert opened == [shown]
    (site / "patterns").mkdir(parents=True)
    for page in ("patterns/outbox.html", "objections.html", "index.html"):
        (site / page).write_text("")
    for arguments, page in (
        (["outbox"], "patterns/outbox.html"),
        (["names-collide"], "objections.html#names-collide"),
        ([], "index.html"),
    ):
        assert run(["explain", *arguments, "--open"]) == 0
        assert opened[-1] == f"{site.as_uri()}/{page}"
    assert run(["explain", "retry", "--open"]) == 0
    assert opened[-1].endswith("/pages/list.html"), "a selection is no page of the site"


def test_without_a_browser_the_page_is_named(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(explained, "SITE", tmp_path / "none")
    assert run(["explain", "outbox", "--open"]) == 0
    heard = capsys.readouterr()
    assert "No browser" in heard.err
    assert Path(heard.out.strip().removeprefix("file://")).is_file()
