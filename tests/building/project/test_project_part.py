"""What stands around the code of a service: well formed, with the names that the dossier promises."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from nines import building, dossier
from nines.building.project import requests, settings
from nines.model.design import Design
from nines.planning import plan
from nines.readers import blueprint as blueprint_reader
from nines.verbs import placing

ROOT = Path(__file__).parents[3]
NAMES = ("login", "notifications", "payments", "shop")


@pytest.fixture(scope="module", params=NAMES)
def design(request: pytest.FixtureRequest) -> Design:
    return plan(blueprint_reader.read(ROOT / f"examples/blueprints/{request.param}.yaml"))


@pytest.fixture(scope="module")
def files(design: Design) -> dict[str, str]:
    return {file.path: file.text for file in building.write(design)}


def test_a_second_time_gives_the_same(design: Design, files: dict[str, str]) -> None:
    assert {file.path: file.text for file in building.write(design)} == files


def test_python_is_formatted_and_clean_by_the_services_own_rules(files: dict[str, str], tmp_path: Path) -> None:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        assert text.endswith("\n") or not text
    for words in (["format", "--check", "."], ["check", "--no-cache", "."]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_settings_have_the_names_that_the_dossier_promises(design: Design, files: dict[str, str]) -> None:
    known = {each.name for each in settings.settings(design)} | {
        f"{each.name}_FILE" for each in settings.settings(design)
    }
    documents = {each.path: each.text for each in placing.place(dossier.write(design))}
    told = tomllib.loads(documents["nines.toml"])
    # The one who makes people at the console is given a password in this way.
    assert set(told["service"]["env"]) <= known | {"NEW_PASSWORD"}
    compose = yaml.safe_load(documents["deploy/compose.yaml"])
    for each in design.running.deployables:
        assert set(compose["services"][each.name]["environment"]) <= known
    manifests = [text for path, text in documents.items() if path.endswith("deployment.yaml")]
    names = {entry["name"] for text in manifests for entry in _environment(yaml.safe_load(text))}
    assert names
    # The way out of the network is the process's own; no part of the service knows of it.
    assert names <= known | {"EGRESS_PROXY"}
    own = settings.database(design).removesuffix("_URL")
    migration = {f"{own}_MIGRATION_PASSWORD", f"{own}_MIGRATION_USER", settings.database(design)}
    jobs = [yaml.safe_load(text) for path, text in documents.items() if path.endswith("/migration.yaml")]
    assert jobs
    for job in jobs:
        assert {entry["name"] for entry in _environment(job)} == migration
        assert all(f'"{name}"' in files[f"src/{_package(design)}/migrate.py"] for name in migration)


def _environment(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manifest["spec"]["template"]["spec"]["containers"][0]["env"]
    return found


def _package(design: Design) -> str:
    return design.name.replace("-", "_")


def test_what_is_started_is_what_the_deployment_starts(design: Design, files: dict[str, str]) -> None:
    documents = {each.path: each.text for each in placing.place(dossier.write(design))}
    package = _package(design)
    assert f'CMD ["python", "-m", "{package}"' in documents["Dockerfile"]
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", documents["Dockerfile"], re.MULTILINE):
        # The lock and the wheel are written beside these by build itself.
        assert set(copied.split()) <= {"requirements.lock", "requirements.txt", "wheels", "src", "migrations"}
    assert f"src/{package}/__main__.py" in files
    assert f"src/{package}/migrate.py" in files


def test_the_overlay_of_production_lies_over_every_manifest(design: Design, files: dict[str, str]) -> None:
    base = yaml.safe_load(files["deploy/kubernetes/kustomization.yaml"])
    documents = {
        each.path for each in placing.place(dossier.write(design)) if each.path.startswith("deploy/kubernetes/")
    }
    listed = {f"deploy/kubernetes/{each}" for each in base["resources"]}
    assert listed <= documents
    # The job that migrates is applied on its own, before a release.
    assert {path.rpartition("/")[2] for path in documents - listed} <= {"migration.yaml"}
    assert yaml.safe_load(files["deploy/production/kustomization.yaml"])["resources"] == ["../kubernetes"]


def test_every_line_of_the_makefile_is_one_that_make_reads(files: dict[str, str], tmp_path: Path) -> None:
    for path in ("Makefile", "requirements.txt"):
        (tmp_path / path).write_text(files[path])
    (tmp_path / "requirements-dev.lock").write_text("")
    for target in ("all", "run", "test", "check", "migrate", "clean"):
        done = subprocess.run(["make", "-n", target], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_first_requests_refer_to_what_was_made_before(design: Design) -> None:
    made: set[str] = set()
    for request in requests.first(design):
        assert {variable for _, variable in request.takes} <= made
        made.add(request.gives)
    script = "\n".join(requests.shell(design))
    assert script
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
