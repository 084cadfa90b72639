"""The shop as it is built: several modules, changes, functions of the owner, and an operation over all of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.building.resources.contract import Contract
from tests.building.resources.running import ROOT, Reply, Running, Stub, built, database, eventually

pytestmark = pytest.mark.lab
BLUEPRINT = ROOT / "examples" / "blueprints" / "shop.yaml"


class Shop:
    def __init__(self, service: Running) -> None:
        self.service = service
        self.contract = Contract(service.folder / "openapi.yaml")
        self.customer = service.token("ada", "customer")
        self.merchandiser = service.token("mel", "merchandiser", factors=2)
        self.warehouse = service.token("wim", "warehouse")
        self.shop = service.token("orders", "shop")

    def ask(self, method: str, path: str, body: Any = None, **given: str) -> Reply:
        if method == "POST":
            given.setdefault("key", uuid.uuid4().hex)
        reply = self.service.ask(method, path, body, **given)
        self.contract.check(method, path, reply)
        return reply

    def product(self, **changes: Any) -> Reply:
        price = {"amount_minor": 500, "currency": "EUR"}
        body = {"sku": uuid.uuid4().hex, "title": "Lamp", "category": "light", "price": price} | changes
        return self.ask("POST", "/v1/products", body, token=self.merchandiser)

    def order(self) -> Reply:
        body = {"total": {"amount_minor": 500, "currency": "EUR"}, "ship_to": "Somewhere 1"}
        return self.ask("POST", "/v1/orders", body, token=self.customer)


@pytest.fixture(scope="module")
def provider() -> Iterator[Stub]:
    stub = Stub()
    stub.answer = lambda verb, _: (200, {"provider_ref": f"ref-{verb}"})
    yield stub
    stub.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, provider: Stub) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    with database() as url, built(BLUEPRINT, folder, {"DB_URL": url, "PROVIDER_URL": provider.url}) as service:
        yield Shop(service)


def test_a_change_is_merged_under_its_version(shop: Shop) -> None:
    made = shop.product()
    path, etag = f"/v1/products/{made.json['id']}", made.headers["etag"]
    changed = shop.ask(
        "PATCH", path, {"title": "Desk lamp", "description": "x"}, token=shop.merchandiser, If_Match=etag
    )
    assert (changed.status, changed.json["title"], changed.json["category"]) == (200, "Desk lamp", "light")
    etag = changed.headers["etag"]
    taken = shop.ask("PATCH", path, {"description": None}, token=shop.merchandiser, If_Match=etag)
    assert (taken.json["description"], taken.json["title"]) == (None, "Desk lamp")
    late = shop.ask("PATCH", path, {"title": "y"}, token=shop.merchandiser, If_Match=etag)
    assert (late.status, late.problem) == (412, "precondition-failed")
    etag = taken.headers["etag"]
    for wrong in ({}, {"title": None}, {"colour": "red"}, {"title": "x" * 121}):
        refused = shop.ask("PATCH", path, wrong, token=shop.merchandiser, If_Match=etag)
        assert (refused.status, refused.problem) == (422, "invalid-request")
    plain = shop.ask("PATCH", path, {"title": "z"}, token=shop.merchandiser, If_Match=etag, Content_Type="text/plain")
    assert (plain.status, plain.problem) == (415, "unsupported-media-type")


def test_everybody_reads_what_is_public_and_asks_again_with_the_etag(shop: Shop) -> None:
    made = shop.product()
    path = f"/v1/products/{made.json['id']}"
    read = shop.ask("GET", path)
    assert (read.status, read.headers["cache-control"]) == (200, "public, max-age=60")
    assert shop.ask("GET", path, If_None_Match=read.headers["etag"]).status == 304
    found = shop.ask("GET", "/v1/products?category=light&status=draft&page_size=200").json["items"]
    assert made.json["id"] in {each["id"] for each in found}
    assert shop.ask("GET", "/v1/products?category=none").json["items"] == []


def test_states_follow_one_another(shop: Shop) -> None:
    made = shop.product()
    path, etag = f"/v1/products/{made.json['id']}", made.headers["etag"]
    early = shop.ask("POST", f"{path}/retirements", token=shop.merchandiser, If_Match=etag)
    assert (early.status, early.problem) == (409, "state-conflict")
    listed = shop.ask("POST", f"{path}/publications", token=shop.merchandiser, If_Match=etag)
    assert (listed.status, listed.json["status"]) == (200, "listed")


def test_a_row_that_others_refer_to_stays_and_one_of_its_own_goes(shop: Shop) -> None:
    order, product = shop.order(), shop.product()
    price = {"amount_minor": 500, "currency": "EUR"}
    body = {"order_id": order.json["id"], "product_id": product.json["id"], "title": "Lamp"}
    line = shop.ask("POST", "/v1/order-lines", body | {"unit_price": price, "quantity": 2}, token=shop.customer)
    assert line.status == 201
    found = shop.ask("GET", f"/v1/order-lines?order_id={order.json['id']}", token=shop.customer).json["items"]
    assert [each["id"] for each in found] == [line.json["id"]]
    stranger = shop.service.token("eve", "customer")
    assert shop.ask("GET", f"/v1/order-lines?order_id={order.json['id']}", token=stranger).json["items"] == []
    path, etag = f"/v1/order-lines/{line.json['id']}", line.headers["etag"]
    assert shop.ask("DELETE", path, token=shop.customer).problem == "precondition-required"
    assert shop.ask("DELETE", path, token=shop.customer, If_Match='"9"').problem == "precondition-failed"
    assert shop.ask("DELETE", path, token=shop.customer, If_Match=etag).status == 204
    assert shop.ask("DELETE", path, token=shop.customer, If_Match=etag).problem == "not-found"


def test_a_creation_asks_others_and_is_settled(shop: Shop, provider: Stub) -> None:
    body = {"order_id": shop.order().json["id"], "amount": {"amount_minor": 500, "currency": "EUR"}}
    paid = shop.ask("POST", "/v1/payments", body, token=shop.shop)
    assert (paid.status, paid.json["status"], paid.json["provider_ref"]) == (201, "authorized", "ref-authorize")
    read = shop.ask("GET", f"/v1/payments/{paid.json['id']}", token=shop.shop)
    assert read.json == paid.json
    usual = provider.answer
    provider.answer = lambda verb, asked: (402, {}) if verb == "authorize" else usual(verb, asked)
    try:
        body["order_id"] = shop.order().json["id"]
        refused = shop.ask("POST", "/v1/payments", body, token=shop.shop)
    finally:
        provider.answer = usual
    assert (refused.status, refused.problem) == (422, "declined")


def test_functions_of_the_owner_are_asked_within_the_transaction(shop: Shop) -> None:
    body = {"order_id": shop.order().json["id"], "product_id": shop.product().json["id"], "quantity": 1}
    held = shop.ask("POST", "/v1/reservations", body | {"expires_at": "2031-01-02T03:04:05Z"}, token=shop.shop)
    assert (held.status, held.json["status"]) == (201, "held")
    path = f"/v1/reservations/{held.json['id']}/releases"
    assert shop.ask("POST", path, token=shop.shop).json["status"] == "released"
    assert shop.ask("POST", path, token=shop.shop).problem == "state-conflict"


def test_an_operation_over_modules_turns_back_where_a_step_is_refused(shop: Shop) -> None:
    """The steps that others carry out are the owner's; until they are written, they refuse."""
    order = shop.order()
    path = f"/v1/orders/{order.json['id']}"
    placed = shop.ask("POST", f"{path}/placements", token=shop.customer, If_Match=order.headers["etag"])
    assert (placed.status, placed.json["status"]) == (202, "placed")
    assert placed.headers["location"] == path
    eventually(lambda: shop.ask("GET", path, token=shop.customer).json["status"] == "rejected", "it is undone")
