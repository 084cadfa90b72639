"""Notifications as they are built: many share a commit, and each is delivered at least once or laid aside."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.building.resources.contract import Contract
from tests.building.resources.running import ROOT, Reply, Running, Stub, built, database, eventually

pytestmark = pytest.mark.lab
BLUEPRINT = ROOT / "examples" / "blueprints" / "notifications.yaml"
AT_ONCE = 40


class Office:
    def __init__(self, service: Running) -> None:
        self.service = service
        self.contract = Contract(service.folder / "openapi.yaml")
        self.sender = service.token("news", "sender", tenant="news")
        self.other = service.token("shop", "sender", tenant="shop")
        self.provider = service.token("carrier", "provider", tenant="news")
        self.operator = service.token("opal", "operator", tenant="news", factors=2)

    def ask(self, method: str, path: str, body: Any = None, **given: str) -> Reply:
        reply = self.service.ask(method, path, body, **given)
        self.contract.check(method, path, reply)
        return reply

    def push(self, key: str, **changes: str) -> Reply:
        body = {"device_token": "device", "title": "News", "body": "There are some."} | changes
        return self.ask("POST", "/v1/pushes", body, token=self.sender, key=key)

    def is_in(self, push: Reply, state: str) -> bool:
        return bool(self.ask("GET", f"/v1/pushes/{push.json['id']}", token=self.sender).json["status"] == state)


def new_key() -> str:
    return uuid.uuid4().hex


@pytest.fixture(scope="module")
def carrier() -> Iterator[Stub]:
    stub = Stub()
    stub.answer = lambda *_: (200, {"provider_ref": "carried"})
    yield stub
    stub.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, carrier: Stub) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("notifications")
    urls = dict.fromkeys(("PUSH_URL", "MAIL_URL", "SMS_URL"), carrier.url)
    with database() as url, built(BLUEPRINT, folder, {"DB_URL": url, **urls}) as service:
        yield Office(service)


def test_what_is_accepted_is_delivered_and_confirmed(office: Office) -> None:
    push = office.push(new_key())
    assert (push.status, push.json["status"], push.json["device_token"]) == (202, "accepted", "device")
    eventually(lambda: office.is_in(push, "sent"), "it is sent")
    path = f"/v1/pushes/{push.json['id']}"
    confirmed = office.ask("POST", f"{path}/confirmations", token=office.provider)
    assert (confirmed.status, confirmed.json["status"], confirmed.json["provider_ref"]) == (200, "delivered", "carried")
    assert office.ask("GET", path, token=office.other).problem == "not-found"
    found = office.ask("GET", "/v1/pushes?status=delivered", token=office.sender).json["items"]
    assert push.json["id"] in {each["id"] for each in found}


def test_many_at_once_are_each_accepted_once(office: Office) -> None:
    keys = [new_key() for _ in range(AT_ONCE)]
    with ThreadPoolExecutor(max_workers=8) as together:
        answers = list(together.map(office.push, [key for key in keys for _ in range(2)]))
    first, second = answers[::2], answers[1::2]
    done = [(one, other) for one, other in zip(first, second, strict=True) if (one.status, other.status) == (202, 202)]
    assert all(one.body == other.body for one, other in done)
    assert {each.status for each in answers} <= {202, 409}
    again = [office.push(key) for key in keys]
    assert {each.status for each in again} == {202}
    assert len({each.json["id"] for each in again}) == AT_ONCE
    assert {each.headers["idempotency-replayed"] for each in again} == {"true"}


def test_confirmations_mean_the_same_whether_they_share_a_commit_or_not(office: Office) -> None:
    pushes = [office.push(new_key()) for _ in range(12)]
    eventually(lambda: all(office.is_in(push, "sent") for push in pushes), "all are sent")
    keys = [new_key() if at % 3 == 0 else "" for at in range(len(pushes))]

    def confirmed(at: int) -> Reply:
        path = f"/v1/pushes/{pushes[at].json['id']}/confirmations"
        return office.ask("POST", path, token=office.provider, **({"key": keys[at]} if keys[at] else {}))

    with ThreadPoolExecutor(max_workers=8) as together:
        answers = list(together.map(confirmed, range(len(pushes))))
    assert {(each.status, each.json["status"]) for each in answers} == {(200, "delivered")}
    again = [confirmed(at) for at in range(len(pushes))]
    assert [each.status for each in again] == [200 if key else 409 for key in keys]
    assert {each.problem for each in again if each.status == 409} == {"state-conflict"}
    stranger = office.service.token("carrier", "provider", tenant="shop")
    path = f"/v1/pushes/{pushes[1].json['id']}/confirmations"
    assert office.ask("POST", path, token=stranger).problem == "not-found"


def test_another_message_under_the_same_key_is_refused(office: Office) -> None:
    key = new_key()
    office.push(key)
    assert office.push(key, title="Other news").problem == "idempotency-key-reused"


def test_what_the_carrier_refuses_is_laid_aside_and_can_be_sent_again(office: Office, carrier: Stub) -> None:
    usual = carrier.answer
    carrier.answer = lambda *_: (410, {"detail": "gone"})
    try:
        push = office.push(new_key())
        eventually(lambda: office.is_in(push, "dead"), "it is laid aside")
    finally:
        carrier.answer = usual
    path = f"/v1/pushes/{push.json['id']}"
    etag = office.ask("GET", path, token=office.sender).headers["etag"]
    again = office.ask("POST", f"{path}/dispatches", token=office.operator, If_Match=etag)
    assert (again.status, again.json["status"]) == (200, "accepted")
    eventually(lambda: office.is_in(push, "sent"), "it is sent after all")
    assert len({key for key in carrier.keys("send") if push.json["id"][4:] in key.replace("-", "")}) == 2


def test_nothing_that_was_accepted_is_lost_when_the_process_dies(office: Office, carrier: Stub) -> None:
    carrier.hangs_s = 1.0
    pushes = [office.push(new_key()) for _ in range(5)]
    office.service.kill()
    carrier.hangs_s = 0.0
    office.service.start()
    for push in pushes:
        assert office.ask("GET", f"/v1/pushes/{push.json['id']}", token=office.sender).status == 200
