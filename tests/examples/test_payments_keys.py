"""The reference service: idempotency keys, unique references and edits that are not lost."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.examples.conftest import Caller, Stage, payment

pytestmark = pytest.mark.lab


def test_the_same_request_is_answered_with_the_same_bytes(stage: Stage, owner: Caller, account: str) -> None:
    body, key = payment(account), uuid.uuid4().hex
    first = owner.post("/v1/payments", body, key=key)
    again = owner.post("/v1/payments", body, key=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert again.headers["location"] == first.headers["location"]
    found = owner.get("/v1/payments", params={"external_ref": body["external_ref"]}).json()["items"]
    assert len(found) == 1


def test_the_key_is_required_and_bound_to_the_request(owner: Caller, account: str) -> None:
    key = uuid.uuid4().hex
    assert owner.post("/v1/payments", payment(account), key=None).status_code == 400
    assert owner.post("/v1/payments", payment(account), key="x" * 256).status_code == 400
    assert owner.post("/v1/payments", payment(account), key=key).status_code == 201
    assert owner.post("/v1/payments", payment(account), key=key).status_code == 422


def test_a_key_belongs_to_its_subject(owner: Caller, peer: Caller, account: str) -> None:
    key = uuid.uuid4().hex
    assert owner.pay(account, key=key).status_code == 201
    assert peer.pay(peer.open_account(), key=key).status_code == 201


def test_while_the_first_is_in_flight_the_second_is_a_conflict(stage: Stage, owner: Caller, account: str) -> None:
    body, key = payment(account), uuid.uuid4().hex
    before = len(stage.provider.attempts)
    with stage.provider_in("stall"), ThreadPoolExecutor(2) as pool:
        first = pool.submit(owner.post, "/v1/payments", body, key=key)
        while len(stage.provider.attempts) == before and not first.done():
            time.sleep(0.01)
        second = owner.post("/v1/payments", body, key=key)
        assert first.result().status_code == 202
    assert (second.status_code, second.headers["retry-after"]) == (409, "1")


def test_parallel_retries_have_one_effect(owner: Caller, account: str) -> None:
    body, key = payment(account), uuid.uuid4().hex
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: owner.post("/v1/payments", body, key=key), range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    found = owner.get("/v1/payments", params={"external_ref": body["external_ref"]}).json()["items"]
    assert len(found) == 1


def test_of_many_payments_with_one_reference_one_wins(owner: Caller, account: str) -> None:
    body = payment(account)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: owner.post("/v1/payments", body), range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


def test_of_many_registrations_with_one_address_one_wins(stage: Stage) -> None:
    body = {"email": f"{uuid.uuid4().hex}@example.com", "password": "a good long password", "display_name": "S"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: stage.client.post("/v1/users", json=body), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 3


def test_a_refused_request_does_not_use_up_its_key(owner: Caller, account: str) -> None:
    key = uuid.uuid4().hex
    assert owner.post("/v1/payments", payment("acc_" + "0" * 32), key=key).status_code == 422
    assert owner.post("/v1/payments", payment(account), key=key).status_code == 201


def test_edits_are_kept_or_refused(owner: Caller) -> None:
    path = f"/v1/accounts/{owner.open_account()}"
    read = owner.get(path)
    assert owner.patch(path, {"description": "x"}).status_code == 428
    assert owner.patch(path, {"description": "x"}, if_match='"99"').status_code == 412
    with ThreadPoolExecutor(6) as pool:
        tag = read.headers["etag"]
        answers = list(pool.map(lambda n: owner.patch(path, {"description": str(n)}, if_match=tag), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
    kept = owner.get(path)
    assert kept.headers["etag"] == '"2"'
    assert kept.json()["description"] in [str(n) for n in range(6)]
    assert kept.json()["name"] == read.json()["name"]
