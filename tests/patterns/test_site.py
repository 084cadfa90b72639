"""The site's pages: all are there, and each link between them leads to a page and to a place on it."""

from __future__ import annotations

import importlib.util
import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pygments.lexers
import pytest

from nines.verbs import explain, explained

TOOLS = Path(__file__).parents[2] / "tools" / "site"
_FENCED = re.compile(r"^(`{3,})(?!\{toctree\}).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\((?![a-z]+:)([^)\s]+)\)")
_TREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("collect", TOOLS / "collect.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("site") / "pages"
    module.collect(folder)
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def anchors(text: str) -> set[str]:
    """As the generator names headings, and what is named by hand."""
    prose = _FENCED.sub("", text)
    titles = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    named = re.findall(r"^\(([\w-]+)\)=$", prose, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles} | set(named)


def links(text: str) -> Iterator[str]:
    """Of a link whose words are code only these are taken away, not its target."""
    yield from _LINK.findall(_CODE.sub("", _FENCED.sub("", text)))


def test_every_topic_has_its_page(pages: dict[str, str]) -> None:
    for topic in explain.topics():
        path, _, anchor = explained.site_path(topic).partition("#")
        text = pages[f"{path.removesuffix('.html')}.md"]
        assert topic.title in text
        assert not anchor or anchor in anchors(text)


def test_every_link_leads_somewhere(pages: dict[str, str]) -> None:
    wrong = []
    count = 0
    for name, text in pages.items():
        if not name.endswith(".md"):
            continue
        for link in links(text):
            target, _, anchor = link.partition("#")
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) if target else name
            count += 1
            if path not in pages or (anchor and anchor not in anchors(pages[path])):
                wrong.append(f"{name}: {link}")
    assert wrong == []
    assert count > 500


def test_every_page_is_in_the_navigation(pages: dict[str, str]) -> None:
    listed = {"index.md"}
    for name, text in pages.items():
        for tree in _TREE.findall(text):
            entries = [line for line in tree.splitlines() if line and not line.startswith(":")]
            paths = [re.sub(r".*<(.+)>", r"\1", entry) for entry in entries]
            listed |= {f"{posixpath.normpath(posixpath.join(posixpath.dirname(name), path))}.md" for path in paths}
    assert {name for name in pages if name.endswith(".md")} == listed


def test_rules_and_patterns_lead_to_one_another(pages: dict[str, str]) -> None:
    assert "../../patterns/reserve-call-settle.md" in pages["rules/transactions/remote-call-in-transaction.md"]
    assert "../rules/transactions/remote-call-in-transaction.md" in pages["patterns/reserve-call-settle.md"]


def test_every_block_of_code_is_closed_and_has_a_language(pages: dict[str, str]) -> None:
    count = 0
    for name, text in pages.items():
        fences = re.findall(r"^`{3,}(.*)$", text, flags=re.MULTILINE)
        assert all(fences[::2]) or name in {"start.md", "field-notes.md", "architecture.md"}, name
        assert not any(fences[1::2]), name
        for fence in fences[::2]:
            language = fence.removeprefix("{code-block}").strip()
            if language and language != "{toctree}":
                assert pygments.lexers.get_lexer_by_name(language), f"{name}: {language}"
                count += 1
    assert count > 200


@pytest.mark.skipif(importlib.util.find_spec("furo") is None, reason="the generator is not installed")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, str(TOOLS / "build.py"), str(tmp_path / "site")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "searchindex.js").stat().st_size > 100_000
    for topic in explain.topics():
        assert (tmp_path / "site" / explained.site_path(topic).partition("#")[0]).is_file()
