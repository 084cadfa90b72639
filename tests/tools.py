"""The tools of other fields, from tools/; a test that needs one which is not there is skipped."""

from __future__ import annotations

import functools
import html
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "tools"
PATIENCE_S = 120
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
)
_DRAW = """<!doctype html><meta charset="utf-8"><body><script src="{library}"></script><script>
mermaid.initialize({{ startOnLoad: false, securityLevel: "strict", deterministicIds: true }});
(async () => {{
  const drawn = {{}};
  let number = 0;
  for (const [name, text] of Object.entries({diagrams})) {{
    try {{
      drawn[name] = {{ svg: (await mermaid.render("d" + number++, text)).svg, error: "" }};
    }} catch (problem) {{
      drawn[name] = {{ svg: "", error: String(problem.message || problem) }};
    }}
  }}
  document.body.textContent = "drawn" + JSON.stringify(drawn) + "end";
}})();
</script>"""


class Drawing(NamedTuple):
    svg: str
    error: str
    """What mermaid says of the text; "" when it could be drawn."""


def lint_openapi(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """What Spectral's recommended rules find in an OpenAPI document."""
    return _findings("lint_openapi.mjs", "@stoplight/spectral-core", json.dumps(document))


def parse_asyncapi(text: str) -> list[dict[str, str]]:
    """What AsyncAPI's own parser finds in a document (YAML or JSON)."""
    return _findings("parse_asyncapi.mjs", "@asyncapi/parser", text)


def draw(diagrams: Mapping[str, str], folder: Path) -> dict[str, Drawing]:
    """Every mermaid diagram as SVG, drawn by a browser; all in one go, because a browser is slow to start."""
    page = folder / "diagrams.html"
    library = _package("mermaid") / "dist" / "mermaid.min.js"
    texts = json.dumps(dict(diagrams)).replace("<", "\\u003c")
    page.write_text(_DRAW.format(library=library.as_uri(), diagrams=texts), encoding="utf-8")
    done = _browse(folder, "--virtual-time-budget=60000", "--dump-dom", page.as_uri())
    said = re.search(r"drawn(\{.*\})end", done.stdout, re.DOTALL)
    assert said, done.stdout[:500] + done.stderr[:500]
    found: dict[str, dict[str, str]] = json.loads(html.unescape(said[1]))
    return {name: Drawing(**each) for name, each in found.items()}


def screenshot(page: Path, image: Path, *, width: int = 1200, height: int = 900) -> Path:
    """The page as a picture."""
    _browse(
        image.parent,
        "--virtual-time-budget=5000",
        "--hide-scrollbars",
        f"--window-size={width},{height}",
        f"--screenshot={image}",
        page.as_uri(),
    )
    return image


def page_text(page: Path, folder: Path, *flags: str, width: int = 1200) -> str:
    """What the page has become after its scripts ran, with its entities resolved; for pages that examine themselves."""
    size = f"--window-size={width},900"
    done = _browse(folder, "--virtual-time-budget=5000", size, *flags, "--dump-dom", page.as_uri())
    return html.unescape(done.stdout)


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Prometheus's checker of rules and of their tests."""
    found = shutil.which("promtool") or shutil.which("promtool", path=str(FOLDER / "bin"))
    if not found:
        pytest.skip("promtool is not there: make tools")
    return subprocess.run([found, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def _browse(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if not found:
        pytest.skip("no browser is there: make tools")
    command = [found, *_FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)


def _findings(script: str, package: str, text: str) -> list[dict[str, str]]:
    _package(package)
    command = [_node(), str(FOLDER / script)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def _package(name: str) -> Path:
    folder = FOLDER / "node_modules" / name
    if not folder.is_dir():
        pytest.skip(f"the node package {name} is not there: make tools")
    return folder


@functools.cache
def _node() -> str:
    found = shutil.which("node")
    if not found:
        pytest.skip("node is not there: make tools")
    return found
