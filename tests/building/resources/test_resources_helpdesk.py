"""People who sign in here, in tenants: whoever is of another one sees nothing, and whoever was added to it does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.building.resources.contract import Contract
from tests.building.resources.running import Reply, Running, built, database

pytestmark = pytest.mark.lab
BLUEPRINT = Path(__file__).with_name("helpdesk.yaml")


@pytest.fixture(scope="module")
def helpdesk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("helpdesk")
    with database() as url, built(BLUEPRINT, folder, {"DB_URL": url}) as service:
        yield service


def _opened(service: Running, token: str) -> Reply:
    made = service.ask("POST", "/v1/tickets", {"subject": "Help", "body": "x"}, token=token, key=uuid.uuid4().hex)
    Contract(service.folder / "openapi.yaml").check("POST", "/v1/tickets", made)
    assert made.status == 201
    return made


def test_a_tenant_ends_where_another_begins(helpdesk: Running) -> None:
    ada, eve = helpdesk.somebody("ada@example.com"), helpdesk.somebody("eve@example.com", "agent")
    made = _opened(helpdesk, ada).json
    assert made["organisation_id"]
    assert helpdesk.ask("GET", f"/v1/tickets/{made['id']}", token=ada).status == 200
    assert helpdesk.ask("GET", f"/v1/tickets/{made['id']}", token=eve).status == 404
    assert helpdesk.ask("GET", "/v1/tickets", token=eve).json["items"] == []
    agent = helpdesk.somebody("greg@example.com", "agent", tenant=made["organisation_id"])
    assert helpdesk.ask("GET", f"/v1/tickets/{made['id']}", token=agent).json == made
    assert [each["id"] for each in helpdesk.ask("GET", "/v1/tickets", token=agent).json["items"]] == [made["id"]]


def test_what_hangs_below_goes_with_what_it_hangs_below(helpdesk: Running) -> None:
    token = helpdesk.somebody("mel@example.com", "agent")
    ticket = _opened(helpdesk, token).json["id"]
    comment = helpdesk.ask("POST", "/v1/comments", {"ticket_id": ticket, "body": "y"}, token=token).json["id"]
    body = {"comment_id": comment, "file_name": "a.txt", "media_type": "text/plain", "size_bytes": 3, "sha256": "YWJj"}
    made = helpdesk.ask("POST", "/v1/attachments", body, token=token)
    assert made.status == 201, made.json
    assert helpdesk.ask("POST", "/v1/attachments", body, token=token).problem == "already-exists"
    assert helpdesk.ask("DELETE", f"/v1/tickets/{ticket}", token=token).status == 204
    assert helpdesk.ask("GET", f"/v1/comments/{comment}", token=token).status == 404
    assert helpdesk.ask("GET", f"/v1/attachments?comment_id={comment}", token=token).json["items"] == []
