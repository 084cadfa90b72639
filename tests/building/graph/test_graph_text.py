"""What is written for a graph is laid out, clean and typed, and fits its schema, for every blueprint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import graphql as reference
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from nines import building
from nines.building.names import package
from nines.dossier.chapters.contract import graphql
from nines.model.blueprint import Blueprint
from nines.model.design import Design, graph
from nines.model.errors import UsageError
from nines.planning import plan
from nines.readers import blueprint as blueprint_reader
from nines_runtime.web.graph import Bounds, naming
from tests.building.resources.running import ROOT
from tests.planning.blueprints import blueprints

EXAMPLES = ROOT / "examples" / "blueprints"
OTHERS = ROOT / "tests" / "building" / "resources"
FOUND = {path.stem: path for path in [*EXAMPLES.glob("*.yaml"), *OTHERS.glob("*.yaml")]}
BIND = """
from {package}._generated.application import operations
from {package}._generated.graph import with_graph

class Settings:
    environment = "local"

assert len(with_graph(operations, Settings())) == len(operations) + 1
"""


def designed(blueprint: Blueprint, *interfaces: str) -> Design:
    return plan(replace(blueprint, service=replace(blueprint.service, interfaces=interfaces or ("rest", "graphql"))))


def lay_out(design: Design, folder: Path) -> None:
    texts = {file.path: file.text for file in building.write(design)}
    texts[f"src/{package(design)}/_generated/schema.graphql"] = graphql.text(design)
    texts[f"src/{package(design)}/_generated/openapi.json"] = "{}\n"
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(folder: Path, *words: str) -> None:
    path = os.pathsep.join([str(folder / "src"), str(ROOT / "runtime" / "src")])
    command = [sys.executable, *words]
    environment = {**os.environ, "PYTHONPATH": path, "MYPYPATH": path}
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-2000:]


@pytest.mark.parametrize("name", sorted(FOUND))
def test_a_service_with_a_graph_is_clean_and_its_schema_fits(name: str, tmp_path: Path) -> None:
    design = designed(blueprint_reader.read(FOUND[name]))
    lay_out(design, tmp_path)
    run(tmp_path, "-m", "ruff", "format", "--check", "--quiet", "src", "tests")
    run(tmp_path, "-m", "ruff", "check", "--quiet", "--no-cache", "src", "tests")
    run(tmp_path, "-c", BIND.format(package=package(design)))


def test_the_python_of_a_graph_is_typed(tmp_path: Path) -> None:
    design = designed(blueprint_reader.read(FOUND["shop"]))
    lay_out(design, tmp_path)
    run(tmp_path, "-m", "mypy", f"src/{package(design)}/_generated/graph.py", "tests/contract/test_graph.py")


def test_without_a_graph_there_is_no_trace_of_it() -> None:
    blueprint = blueprint_reader.read(FOUND["shop"])
    plain = {file.path: file.text for file in building.write(designed(blueprint, "rest"))}
    assert not [path for path, text in plain.items() if "graph" in path or "graph." in text or "GraphQL" in text]
    assert not graph.loads(designed(blueprint, "rest"))
    statements = {each.id for each in designed(blueprint, "rest").queries}
    assert not [each for each in statements if "by-id" in each or "of-each" in each]


def test_keys_are_read_as_callers_write_the_identifiers() -> None:
    shop = blueprint_reader.read(EXAMPLES / "shop.yaml")
    bare = tuple(
        replace(each, identifier=replace(each.identifier, prefix="")) if each.name == "Product" else each
        for each in shop.resources
    )
    texts = {file.path: file.text for file in building.write(designed(replace(shop, resources=bare)))}
    written = texts["src/shop/_generated/graph.py"]
    products = written[written.index("async def _products(") :].partition("\n\n\n")[0]
    orders = written[written.index("async def _orders(") :].partition("\n\n\n")[0]
    assert "[UUID(each) for each in keys]" in products
    assert '[as_identifier(each, "ord") for each in keys]' in orders


def test_a_graph_may_come_first_or_alone() -> None:
    blueprint = blueprint_reader.read(FOUND["shop"])
    written = [building.write(designed(blueprint, *each)) for each in (("graphql",), ("graphql", "rest"))]
    assert all(any(file.path.endswith("_generated/graph.py") for file in files) for files in written)


def test_the_schema_and_the_runtime_agree() -> None:
    bounds = Bounds()
    assert (
        bounds.depth_max,
        bounds.cost_max,
        bounds.aliases_max,
    ) == (graphql.DEPTH_MAX, graphql.COST_MAX, graphql.ALIASES_MAX)
    assert (
        bounds.fields_max,
        bounds.values_max,
        bounds.bytes_max,
    ) == (graphql.FIELDS_MAX, graphql.VALUES_MAX, graphql.DOCUMENT_BYTES_MAX)
    assert (bounds.repeats_max, bounds.fragments_max) == (graphql.REPEATS_MAX, graphql.FRAGMENTS_MAX)
    for name in ("amount_minor", "line_1", "a_b_c", "address2_line", "page_size", "id"):
        assert graph.field_name(name) == naming.camel(name)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(blueprints())
def test_every_link_has_its_field(blueprint: Blueprint) -> None:
    """The first default document of a list is one that may be asked for."""
    design = designed(blueprint)
    try:
        files = {file.path: file.text for file in building.write(design)}
    except UsageError:
        # What is not built is said, and has no graph either.
        return
    schema = reference.build_schema(graphql.text(design))
    for link in graph.links(design):
        type = schema.get_type(graph.type_name(link.resource))
        assert isinstance(type, reference.GraphQLObjectType)
        assert graph.field_name(link.name) in type.fields
    text = next(text for path, text in files.items() if path.endswith("_generated/graph.py"))
    compile(text, "graph.py", "exec")
