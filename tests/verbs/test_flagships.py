"""The shipped blueprints, built: clean by their own rules, and their own tests pass, ejected as well."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import msgspec
import pytest

from nines.model.tier import Tier
from nines.verbs.build import Wish, build
from nines.verbs.eject import eject
from nines.verbs.project import open_project
from nines.verbs.review import review

ROOT = Path(__file__).parents[2]
NAMES = ("login", "notifications", "payments")
_METHODS = frozenset(("get", "post", "put", "patch", "delete"))


@pytest.fixture(scope="module", params=NAMES)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name = str(request.param)
    folder = tmp_path_factory.mktemp("flagships") / name
    build(ROOT / f"examples/blueprints/{name}.yaml", folder, Wish(), today=date(2030, 1, 31))
    return folder


def _run(folder: Path, *words: str, path: str) -> None:
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-3_000:]}\n{done.stderr[-1_000:]}"


def test_a_flagship_is_clean_by_its_own_rules(service: Path) -> None:
    _run(service, "-m", "ruff", "check", "--no-cache", ".", path="src")
    _run(service, "-m", "ruff", "format", "--no-cache", "--check", ".", path="src")


def test_review_understands_a_flagship_and_finds_nothing_that_it_must_mend(service: Path) -> None:
    report = review(open_project(service))
    serious = [each for each in report.findings if each.tier in (Tier.RELIABILITY, Tier.SECURITY)]
    assert not serious, [f"{each.rule}: {each.message}" for each in serious]
    contract = msgspec.yaml.decode((service / "openapi.yaml").read_bytes())
    promised = sum(len([method for method in item if method in _METHODS]) for item in contract["paths"].values())
    text = "".join(path.read_text() for path in (service / "src").rglob("_generated/*.py"))
    assert text.count("@operations.") >= promised
    jobs = text.count("Queue(") + text.count("Schedule(")
    assert jobs > 0
    assert report.reading.endpoints > promised, "its jobs are entry points as well"


@pytest.mark.lab
def test_a_flagship_passes_its_own_tests(service: Path) -> None:
    _run(service, "-m", "pytest", "-p", "no:cacheprovider", path=str(service / "src"))


@pytest.mark.lab
def test_an_ejected_service_passes_the_same_tests(tmp_path: Path) -> None:
    folder = tmp_path / "notifications"
    build(ROOT / "examples/blueprints/notifications.yaml", folder, Wish(), today=date(2030, 1, 31))
    eject(folder)
    # Its own source comes first, and says so.
    shown = f"import nines_runtime; assert nines_runtime.__file__.startswith({str(folder)!r}), nines_runtime.__file__"
    _run(folder, "-c", shown, path=str(folder / "src"))
    _run(folder, "-m", "pytest", "-p", "no:cacheprovider", path=str(folder / "src"))
