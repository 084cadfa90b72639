"""One PostgreSQL, one provider and one reference service for all tests of the examples."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest

from tests.examples.stage import EXAMPLES, MERCHANT_ID, Cluster, Provider, Service, reference_env

CALM_LIMIT_S = 30.0


@dataclass
class Caller:
    """Somebody with a token."""

    client: httpx.Client
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headers = {"authorization": f"Bearer {self.token}"}

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(path, headers=self.headers | options.pop("headers", {}), **options)

    def post(self, path: str, body: Any = None, *, key: str | None = "", **options: Any) -> httpx.Response:
        """With a fresh idempotency key unless one, or None, is given."""
        headers = self.headers | options.pop("headers", {})
        if key is not None:
            headers["idempotency-key"] = key or uuid.uuid4().hex
        return self.client.post(path, json=body, headers=headers, **options)

    def patch(self, path: str, body: Any, **headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.patch(path, json=body, headers=self.headers | names)

    def open_account(self, currency: str = "EUR") -> str:
        made = self.post("/v1/accounts", {"name": uuid.uuid4().hex, "currency": currency})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def pay(self, account_id: str, amount_minor: int = 1000, *, key: str = "", ref: str = "") -> httpx.Response:
        return self.post("/v1/payments", payment(account_id, amount_minor, ref=ref), key=key)


def payment(account_id: str, amount_minor: int = 1000, *, ref: str = "") -> dict[str, Any]:
    return {
        "account_id": account_id,
        "merchant_id": MERCHANT_ID,
        "amount": {"amount_minor": amount_minor, "currency": "EUR"},
        "external_ref": ref or uuid.uuid4().hex,
    }


@dataclass
class Stage:
    """The service, what it depends on, and people to be."""

    service: Service
    cluster: Cluster
    provider: Provider
    database_url: str
    client: httpx.Client

    def sign_in(self, email: str, password: str) -> Caller:
        answer = self.client.post("/v1/tokens", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        return Caller(self.client, answer.json()["access_token"])

    @contextlib.contextmanager
    def provider_in(self, mood: str) -> Iterator[None]:
        """And afterwards waits until payments go through again: the breaker may be open."""
        with self.provider.in_mood(mood):
            yield
        caller = self.newcomer()
        account, until = caller.open_account(), time.monotonic() + CALM_LIMIT_S
        while caller.pay(account).status_code != 201:
            assert time.monotonic() < until, "the service did not recover from the provider's trouble"
            time.sleep(0.2)

    def newcomer(self) -> Caller:
        email = f"{uuid.uuid4().hex}@example.com"
        body = {"email": email, "password": "a good long password", "display_name": "Somebody"}
        assert self.client.post("/v1/users", json=body).status_code == 201
        return self.sign_in(email, "a good long password")

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("examples")
    cluster, provider = Cluster(folder), Provider()
    try:
        cluster.start()
        database_url = cluster.create()
        service = Service(
            EXAMPLES / "payments", env=reference_env(database_url, provider.url), log=folder / "service.log"
        )
        try:
            service.run("-m", "payments.migrate")
            service.run("-m", "payments.seed")
            service.start("-m", "payments")
            with httpx.Client(base_url=service.url, timeout=30) as client:
                yield Stage(service, cluster, provider, database_url, client)
        finally:
            service.stop()
    finally:
        provider.close()
        cluster.stop()


@pytest.fixture(scope="session")
def owner(stage: Stage) -> Caller:
    return stage.newcomer()


@pytest.fixture(scope="session")
def peer(stage: Stage) -> Caller:
    return stage.newcomer()


@pytest.fixture(scope="session")
def merchant(stage: Stage) -> Caller:
    return stage.sign_in("merchant@example.com", "merchant for the laboratory")


@pytest.fixture(scope="session")
def admin(stage: Stage) -> Caller:
    return stage.sign_in("admin@example.com", "admin for the laboratory")


@pytest.fixture(scope="session")
def account(owner: Caller) -> str:
    return owner.open_account()
