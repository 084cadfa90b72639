"""What is written where gRPC is asked for, and that nothing is where it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nines import building
from nines.building import internal
from nines.dossier.chapters.contract import proto
from nines.model.design import Design
from nines.planning import plan
from nines.readers import blueprint as blueprint_reader
from nines_runtime.grpc import Messages
from tests.dossier.designs import EXAMPLES, example

STAYS = Path(__file__).with_name("stays.yaml")
"""Over gRPC it is asked, and asks two others, of which one is told more than the thing."""


@pytest.fixture(scope="module")
def stays() -> Design:
    return plan(blueprint_reader.read(STAYS))


@pytest.fixture(scope="module")
def folder(stays: Design, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("stays")
    for file in building.write(stays):
        path = found / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    assert stays.protocol is not None
    (found / "src/stays/_generated/stays.proto").write_text(proto.text(stays.protocol, stays))
    return found


def run(folder: Path, *words: str) -> None:
    found = subprocess.run([sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]


@pytest.mark.parametrize("name", EXAMPLES)
def test_whoever_does_not_ask_for_it_has_no_trace_of_it(name: str) -> None:
    design = example(name)
    assert not list(internal.write(design))
    assert not [each.path for each in building.write(design) if "grpc" in each.text.lower()]


def test_what_is_written_is_laid_out_clean_and_typed(folder: Path) -> None:
    run(folder, "ruff", "format", "--check", "--quiet", ".")
    run(folder, "ruff", "check", "--quiet", "--no-cache", ".")
    run(folder, "mypy", "--cache-dir", str(folder / ".mypy"), "src/stays")


def test_every_method_meets_its_operation(stays: Design, folder: Path) -> None:
    """As the listener would find at its start."""
    script = (
        "from nines_runtime.calls.messages import Messages\n"
        "from nines_runtime.web.edge import Edge\n"
        "from nines_runtime.web.rpc import Bound\n"
        "from stays._generated.application import operations\n"
        "from stays._generated.internal import METHODS, PROTOCOL, SPELLED\n"
        "edge, messages = Edge(operations), Messages.of(PROTOCOL, spelled=SPELLED)\n"
        "print(len([Bound(each, edge.route(each.operation), messages) for each in METHODS]))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=folder / "src", capture_output=True, text=True, check=False
    )
    assert found.stdout.strip() == str(len(stays.endpoints)), found.stderr[-2000:]


def test_others_are_asked_by_files_of_the_owner(stays: Design, folder: Path) -> None:
    owned = {each.path for each in building.write(stays) if each.is_owned}
    for name, rpc, members in (("prices", "Quote", ["stay"]), ("doors", "Open", ["stay", "request"])):
        path = folder / f"src/stays/gateways/{name}.proto"
        assert {f"src/stays/gateways/{name}.proto", f"src/stays/gateways/{name}.py"} <= owned
        messages = Messages.of(path)
        assert messages.rpcs[rpc].path == f"/{name}.v1.{name.capitalize()}Service/{rpc}"
        assert [each.name for each in messages.fields[messages.rpcs[rpc].request]] == members
        row = {"id": "0" * 32, "version": 3, "created_at": "2030-01-01T00:00:00Z"}
        read = messages.read(f"{rpc}Request", messages.write(f"{rpc}Request", {"stay": row}))
        assert read["stay"]["version"] == 3
