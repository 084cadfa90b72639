"""The HTML report in a real browser, where one is at hand."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nines import reports
from tests.reports.sample import report

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=2000",
)
PROBE = """
<script>
addEventListener("load", () => {
  const visible = () => [...document.querySelectorAll("details.finding")].filter((d) => !d.hidden).length;
  const before = visible();
  document.querySelector('button[data-filter="tier"][data-value="performance"]').click();
  const filtered = visible();
  document.querySelector('button[data-filter="tier"][data-value="performance"]').click();
  const all = visible();
  for (const details of document.querySelectorAll("details")) details.open = true;
  const overflow = document.documentElement.scrollWidth - innerWidth;
  const background = getComputedStyle(document.body).backgroundColor;
  document.title = "probe" + JSON.stringify({ before, filtered, all, overflow, background });
});
</script>
"""

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not BROWSER, reason="no browser on this machine")]


def probe(tmp_path: Path, width: int, *flags: str) -> dict[str, Any]:
    page = tmp_path / "report.html"
    page.write_text(reports.render("html", report()) + PROBE, encoding="utf-8")
    command = [BROWSER, *FLAGS, *flags, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900"]
    done = subprocess.run(
        [*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    said = re.search(r"<title>probe(\{.*?\})</title>", done.stdout)
    assert said, done.stdout[:500]
    result: dict[str, Any] = json.loads(said[1].replace("&quot;", '"'))
    return result


def test_filters_work_and_nothing_overflows(tmp_path: Path) -> None:
    wide = probe(tmp_path, 1200)
    assert (wide["before"], wide["filtered"], wide["all"]) == (3, 1, 3)
    assert wide["overflow"] <= 0
    assert probe(tmp_path, 500)["overflow"] <= 0


def test_dark_is_dark(tmp_path: Path) -> None:
    light = probe(tmp_path, 900)["background"]
    dark = probe(tmp_path, 900, "--force-dark-mode")["background"]
    assert light != dark
