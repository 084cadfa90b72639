"""What is written for each kind of broker, and that contract and service name the same places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nines import building
from nines.dossier.chapters.contract import asyncapi
from nines.dossier.chapters.testing import configuration
from nines.model.design import Design
from nines.verbs.design import from_blueprint

BLUEPRINT = Path(__file__).with_name("fleet.yaml")
KINDS = ("nats", "kafka", "redis", "rabbitmq")
EVENTS = ("planned", "started", "ended", "called_off")


@pytest.fixture(scope="module", params=KINDS)
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Design]:
    source = tmp_path_factory.mktemp(request.param) / "fleet.yaml"
    source.write_text(BLUEPRINT.read_text().replace("type: nats", f"type: {request.param}"))
    design = from_blueprint(source).design
    assert design is not None
    return request.param, design


def written(design: Design) -> dict[str, str]:
    return {file.path.removeprefix("src/fleet/"): file.text for file in building.write(design)}


def test_contract_and_service_name_the_same_places(fleet: tuple[str, Design]) -> None:
    kind, design = fleet
    document: Any = asyncapi.document(design)
    told = written(design)["_generated/application.py"]
    addresses = {each["address"] for each in document["channels"].values()}
    if kind in ("kafka", "redis"):
        # A log keeps the order of a topic: all that happens to an object goes into one.
        assert addresses == {"fleet.trip"}
        assert told.count('"fleet.trip"') == len(EVENTS)
        assert len(document["channels"]["Trip"]["messages"]) == len(EVENTS)
    else:
        assert addresses == {f"fleet.trip.{each}.v1" for each in EVENTS}
        assert 'everywhere("")' in told
    assert "in the order in which they happened" in document["info"]["description"]


def test_a_gateway_stands_where_the_runtime_has_a_client(fleet: tuple[str, Design]) -> None:
    kind, design = fleet
    files = written(design)
    gateway, settings = files["gateways/bus.py"], files["_generated/settings.py"]
    assert ("broker_at(" in gateway) == (kind != "rabbitmq")
    assert ("bus_ca: str" in settings) == (kind != "rabbitmq")
    assert ('"BUS_URL": "log://events"' in settings) == (kind in ("nats", "kafka"))
    assert "in_order=True" in files["_generated/jobs.py"]
    assert "AS earlier" in files["_generated/sql.py"]


def test_a_laboratory_starts_no_broker(fleet: tuple[str, Design]) -> None:
    kind, design = fleet
    expected = {"redis": "{redis.url}", "rabbitmq": "amqp://127.0.0.1:9"}.get(kind, "log://events")
    assert f'BUS_URL = "{expected}"' in configuration.text(design)
