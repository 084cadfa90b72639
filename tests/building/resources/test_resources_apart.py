"""Modules that are deployed apart: each process serves its own and nothing else; other services know no parts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from nines import building, dossier
from nines.model.design import Design
from nines.planning import plan
from nines.readers import blueprint as blueprint_reader

BLUEPRINTS = Path(__file__).parents[3] / "examples/blueprints"


@pytest.fixture(scope="module")
def shop() -> Design:
    return plan(blueprint_reader.read(BLUEPRINTS / "shop.yaml"))


def _written(design: Design) -> dict[str, str]:
    return {file.path: file.text for file in building.write(design)}


def _table(text: str, name: str) -> dict[str, str]:
    """The values of one of the file's tables, as they are written, by the part."""
    found = next(
        node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name
    )
    assert isinstance(found, ast.Dict)
    return {
        ast.literal_eval(key): ast.unparse(value) for key, value in zip(found.keys, found.values, strict=True) if key
    }


def test_every_operation_and_every_job_of_a_resource_has_one_part(shop: Design) -> None:
    text = _written(shop)["src/shop/_generated/apart.py"]
    served = _table(text, "OPERATIONS")
    assert set(served) == {"catalogue", "inventory", "orders", "payments"}
    for table, part in (("products", "catalogue"), ("reservations", "inventory"), ("payments", "payments")):
        assert [name for name, found in served.items() if f"{table}.operations" in found] == [part]
    jobs = _table(text, "JOBS")
    owned = {job.name: [part for part, found in jobs.items() if f"'{job.name}'" in found] for job in shop.jobs}
    assert owned["capturePayments"] == ["payments"]
    assert owned["continueSagas"] == ["orders"]
    assert owned["relayOutbox"] == []
    assert all(len(parts) <= 1 for parts in owned.values())


def test_a_part_starts_with_what_its_own_manifest_tells_it(shop: Design) -> None:
    """Its settings, and stand-ins for those whom it never asks."""
    absent = _table(_written(shop)["src/shop/_generated/apart.py"], "ABSENT")
    documents = {each.path: each.text for each in dossier.write(shop)}
    needed = {"DB_URL", "CACHE_URL", "BUS_URL", "PROVIDER_URL"}
    for part in shop.running.deployables:
        path = f"operation/deploy/kubernetes/{part.name}/deployment.yaml"
        container = yaml.safe_load(documents[path])["spec"]["template"]["spec"]["containers"][0]
        assert container["args"][:5] == ["python", "-m", "shop", "--module", part.module]
        told = {each["name"] for each in container["env"]}
        assert needed <= told | {name for name in needed if name in absent.get(part.module, "")}
    compose = yaml.safe_load(documents["operation/deploy/compose.yaml"])["services"]
    assert compose["shop-orders"]["command"][:5] == ["python", "-m", "shop", "--module", "orders"]


@pytest.mark.parametrize("name", ["login", "notifications", "payments"])
def test_a_service_that_is_one_knows_no_parts(name: str) -> None:
    written = _written(plan(blueprint_reader.read(BLUEPRINTS / f"{name}.yaml")))
    assert not any(path.endswith("_generated/apart.py") for path in written)
    assert not any("module: str" in text for path, text in written.items() if path.endswith(".py"))
