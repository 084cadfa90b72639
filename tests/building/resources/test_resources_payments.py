"""The payments service as it is built: it runs, keeps its contract, and survives what it must."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.building.resources.contract import Contract
from tests.building.resources.running import ROOT, Reply, Running, Stub, built, database, eventually

pytestmark = pytest.mark.lab
BLUEPRINT = ROOT / "examples" / "blueprints" / "payments.yaml"


class Shop:
    """A service with a customer and a merchant, and every answer held against the contract."""

    def __init__(self, service: Running, gateway: Stub) -> None:
        self.service, self.gateway = service, gateway
        self.contract = Contract(service.folder / "openapi.yaml")
        self.customer = service.token("ada", "customer", tenant="north")
        self.other = service.token("grace", "customer", tenant="north")
        self.merchant = service.token("shop", "merchant", tenant="north")
        self.elsewhere = service.token("shop", "merchant", tenant="south")

    def ask(self, method: str, path: str, body: Any = None, **given: str) -> Reply:
        reply = self.service.ask(method, path, body, **given)
        self.contract.check(method, path, reply)
        return reply

    def account(self) -> str:
        body = {"label": "Household", "gateway_token": "tok_1", "currency": "EUR"}
        return str(self.ask("POST", "/v1/accounts", body, token=self.customer, key=new_key()).json["id"])

    def pay(self, **changes: Any) -> Reply:
        body = {
            "amount": {"amount_minor": 1200, "currency": "EUR"},
            "account_id": self.account(),
            "external_ref": uuid.uuid4().hex,
        }
        return self.ask("POST", "/v1/payments", body | changes, token=self.customer, key=new_key())

    def authorized(self) -> Reply:
        path = f"/v1/payments/{self.pay().json['id']}"

        def is_there() -> Reply | None:
            found = self.ask("GET", path, token=self.customer)
            return found if found.json["status"] == "authorized" else None

        found: Reply = eventually(is_there, "the payment is authorized")
        return found

    def capture(self, payment: Reply, key: str, *, token: str = "") -> Reply:
        path = f"/v1/payments/{payment.json['id']}/captures"
        return self.ask("POST", path, token=token or self.merchant, key=key, If_Match=payment.headers["etag"])


def new_key() -> str:
    return uuid.uuid4().hex


@pytest.fixture(scope="module")
def gateway() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, gateway: Stub) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("payments")
    with database() as url, built(BLUEPRINT, folder, {"DB_URL": url, "GATEWAY_URL": gateway.url}) as service:
        yield Shop(service, gateway)


def test_a_payment_is_taken_captured_and_given_back(shop: Shop) -> None:
    payment = shop.authorized()
    assert payment.json["gateway_ref"] == "ref-authorize"
    captured = shop.capture(payment, new_key())
    assert (captured.status, captured.json["status"]) == (200, "captured")
    path = f"/v1/payments/{payment.json['id']}/refunds"
    etag = captured.headers["etag"]
    many = shop.ask("POST", path, {"amount_minor": 9000}, token=shop.merchant, key=new_key(), If_Match=etag)
    assert (many.status, many.problem) == (409, "refused")
    some = shop.ask("POST", path, {"amount_minor": 1000}, token=shop.merchant, key=new_key(), If_Match=etag)
    assert (some.status, some.json["status"], some.json["refunded_minor"]) == (200, "refunded", 1000)
    entries = shop.ask("GET", "/v1/entries?page_size=200", token=shop.merchant).json["items"]
    assert {entry["amount_minor"] for entry in entries} >= {1200, 1000}


def test_an_answer_is_given_again_to_its_key(shop: Shop) -> None:
    payment, key = shop.authorized(), new_key()
    first, second = shop.capture(payment, key), shop.capture(payment, key)
    assert (first.status, first.body) == (second.status, second.body)
    assert second.headers["idempotency-replayed"] == "true"
    assert first.headers["etag"] == second.headers["etag"]


def test_problems_are_the_most_specific(shop: Shop) -> None:
    payment = shop.authorized()
    path = f"/v1/payments/{payment.json['id']}"
    etag = payment.headers["etag"]
    stranger = shop.ask("GET", path, token=shop.other)
    assert (stranger.status, stranger.problem) == (404, "not-found")
    assert shop.capture(payment, new_key(), token=shop.elsewhere).problem == "not-found"
    assert shop.ask("GET", "/v1/payments/pay_nothing", token=shop.customer).problem == "not-found"
    missing = shop.ask("POST", f"{path}/captures", token=shop.merchant, key=new_key())
    assert (missing.status, missing.problem) == (428, "precondition-required")
    old = shop.ask("POST", f"{path}/captures", token=shop.merchant, key=new_key(), If_Match='"1"')
    assert (old.status, old.problem) == (412, "precondition-failed")
    keyless = shop.ask("POST", f"{path}/captures", token=shop.merchant, If_Match=etag)
    assert (keyless.status, keyless.problem) == (400, "idempotency-key-missing")
    early = shop.ask("POST", f"{path}/refunds", {"amount_minor": 1}, token=shop.merchant, key=new_key(), If_Match=etag)
    assert (early.status, early.problem) == (409, "state-conflict")
    forbidden = shop.ask("POST", f"{path}/captures", token=shop.customer, key=new_key(), If_Match=etag)
    assert (forbidden.status, forbidden.problem) == (403, "forbidden")
    assert shop.ask("GET", path).problem == "unauthorized"
    assert shop.ask("GET", "/v1/payments?cursor=x", token=shop.customer).problem == "invalid-cursor"
    assert shop.ask("GET", "/v1/payments?page_size=0", token=shop.customer).problem == "invalid-parameter"


def test_a_body_is_read_strictly(shop: Shop) -> None:
    unknown = shop.pay(colour="red")
    assert (unknown.status, unknown.problem) == (422, "invalid-request")
    nobody = shop.pay(account_id=f"acct_{'0' * 32}")
    assert (nobody.status, nobody.json["errors"][0]["pointer"]) == (422, "/account_id")
    assert shop.pay(external_ref="a\0b").status == 422
    assert shop.pay(amount={"amount_minor": 1, "currency": "EUR\n"}).status == 422
    twice = shop.pay()
    taken = shop.pay(external_ref=twice.json["external_ref"])
    assert (taken.status, taken.problem) == (409, "already-exists")
    broken = shop.ask("POST", "/v1/accounts", b"{", token=shop.customer, key=new_key())
    assert (broken.status, broken.problem) == (400, "malformed-request")


def test_another_body_under_the_same_key_is_refused(shop: Shop) -> None:
    key, body = new_key(), {"label": "One", "gateway_token": "tok_1", "currency": "EUR"}
    assert shop.ask("POST", "/v1/accounts", body, token=shop.customer, key=key).status == 201
    other = shop.ask("POST", "/v1/accounts", body | {"label": "Two"}, token=shop.customer, key=key)
    assert (other.status, other.problem) == (422, "idempotency-key-reused")


def test_pages_follow_one_another(shop: Shop) -> None:
    made = {shop.pay().json["id"] for _ in range(5)}
    found: list[str] = []
    path = "/v1/payments?page_size=2"
    while True:
        page = shop.ask("GET", path, token=shop.customer).json
        found += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        path = f"/v1/payments?page_size=2&cursor={page['next_cursor']}"
    assert made <= set(found)
    assert len(found) == len(set(found))
    sparse = shop.ask("GET", "/v1/payments?fields=status&page_size=1", token=shop.customer).json["items"]
    assert set(sparse[0]) == {"id", "status"}


def test_who_declines_is_believed_and_nothing_moves(shop: Shop, gateway: Stub) -> None:
    payment, key = shop.authorized(), new_key()
    usual = gateway.answer
    gateway.answer = lambda verb, body: (402, {"detail": "no"}) if verb == "capture" else usual(verb, body)
    try:
        declined = shop.capture(payment, key)
    finally:
        gateway.answer = usual
    assert (declined.status, declined.problem) == (422, "declined")
    again = shop.capture(payment, key)
    assert (again.status, again.body) == (422, declined.body)
    assert shop.ask("GET", f"/v1/payments/{payment.json['id']}", token=shop.merchant).json["status"] == "authorized"
    assert shop.capture(payment, new_key()).json["status"] == "captured"


def test_without_an_answer_it_is_accepted_and_settled_later(shop: Shop, gateway: Stub) -> None:
    payment, key = shop.authorized(), new_key()
    usual = gateway.answer
    gateway.answer = lambda verb, body: (503, {}) if verb == "capture" else usual(verb, body)
    asked = len(gateway.keys("capture"))
    try:
        accepted = shop.capture(payment, key)
        assert (accepted.status, accepted.json["status"]) == (202, "authorized")
        pending = shop.capture(payment, new_key())
        assert (pending.status, pending.problem) == (409, "operation-pending")
    finally:
        gateway.answer = usual
    path = f"/v1/payments/{payment.json['id']}"
    eventually(lambda: shop.ask("GET", path, token=shop.merchant).json["status"] == "captured", "the job settles it")
    assert len(set(gateway.keys("capture")[asked:])) == 1
    assert shop.capture(payment, key).status == 202


def test_a_crash_between_reserving_and_settling_loses_nothing(shop: Shop, gateway: Stub) -> None:
    payment, key = shop.authorized(), new_key()
    asked = len(gateway.keys("capture"))
    gateway.hangs_s = 3.0
    held = threading.Thread(target=_ignoring, args=(shop, payment, key))
    held.start()
    eventually(lambda: len(gateway.keys("capture")) > asked, "the gateway is asked")
    shop.service.kill()
    held.join()
    gateway.hangs_s = 0.0
    shop.service.start()
    path = f"/v1/payments/{payment.json['id']}"
    eventually(lambda: shop.ask("GET", path, token=shop.merchant).json["status"] == "captured", "the job settles it")
    assert len(set(gateway.keys("capture")[asked:])) == 1
    answered = shop.capture(payment, key)
    assert (answered.status, answered.json["status"]) == (200, "captured")
    assert answered.headers["idempotency-replayed"] == "true"


def _ignoring(shop: Shop, payment: Reply, key: str) -> None:
    try:
        shop.capture(payment, key)
    except (OSError, AssertionError):
        return
