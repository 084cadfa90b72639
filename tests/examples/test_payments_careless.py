"""The careless service: it works, its contract is the reference's, and its mistakes are real."""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.examples.conftest import Caller, Stage
from tests.examples.stage import EXAMPLES, Service, reference_env

pytestmark = pytest.mark.lab
FOLDER = EXAMPLES / "payments-careless"


@pytest.fixture(scope="module")
def careless(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Beside the reference service, in a database of its own."""
    url = stage.cluster.create()
    env = reference_env(url, stage.provider.url) | {"PYTHONPATH": "."}
    service = Service(FOLDER, env=env, log=tmp_path_factory.mktemp("careless") / "service.log")
    try:
        service.run("-m", "careless.migrate")
        service.run("-m", "careless.seed")
        service.start("-m", "uvicorn", "careless.main:app")
        with httpx.Client(base_url=service.url, timeout=30) as client:
            yield Stage(service, stage.cluster, stage.provider, url, client)
    finally:
        service.stop()


@pytest.fixture(scope="module")
def someone(careless: Stage) -> Caller:
    return careless.newcomer()


def test_it_works(careless: Stage, someone: Caller) -> None:
    made = someone.pay(someone.open_account())
    assert (made.status_code, made.json()["status"]) == (201, "authorized")
    path = f"/v1/payments/{made.json()['id']}"
    merchant = careless.sign_in("merchant@example.com", "merchant for the laboratory")
    assert merchant.post(f"{path}/captures").json()["status"] == "captured"
    assert merchant.post(f"{path}/refunds", {"amount_minor": 1000}).status_code == 201
    assert someone.get(path).json()["status"] == "refunded"
    assert [one["id"] for one in someone.get("/v1/payments").json()["items"]] == [made.json()["id"]]


def test_it_has_the_operations_of_the_reference(stage: Stage, careless: Stage) -> None:
    def operations(client: httpx.Client) -> set[tuple[str, str, str]]:
        paths = client.get("/openapi.json").json()["paths"]
        return {(path, method, one["operationId"]) for path in paths for method, one in paths[path].items()}

    missing = operations(stage.client) - operations(careless.client)
    assert missing == {("/health/startup", "get", "getStartup")}
    assert operations(careless.client) <= operations(stage.client)


def test_every_listed_mistake_has_its_place() -> None:
    rows = re.findall(r"^\| (careless/\S+?)(?: (\w+))? \|", (FOLDER / "MISTAKES.md").read_text(), re.MULTILINE)
    assert len(rows) >= 30
    for file, name in rows:
        tree = ast.parse((FOLDER / file).read_text())
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        assert not name or any(isinstance(node, kinds) and node.name == name for node in ast.walk(tree)), (file, name)


def test_its_mistakes_are_real(careless: Stage, someone: Caller) -> None:
    account = someone.open_account()
    path = f"/v1/payments/{someone.pay(account).json()['id']}"
    stranger = careless.newcomer()
    assert stranger.get(path).status_code == 200
    assert careless.client.get("/v1/reports/totals").status_code == 200
    assert someone.get("/v1/payments", params={"external_ref": "x' OR '1'='1"}).json()["items"]
    assert someone.patch(f"/v1/accounts/{account}", {"balance_minor": 10**6}).status_code == 200
    assert someone.get(f"/v1/accounts/{account}/balance").json()["balance_minor"] == 10**6
    body = {"email": f"{uuid.uuid4().hex}@example.com", "password": "a good long password", "display_name": "S"}
    assert careless.client.post("/v1/users", json=body | {"role": "admin"}).json()["role"] == "admin"
    # On a connection of its own, because the server closes it afterwards.
    broken = httpx.get(f"{careless.service.url}/v1/payments/nonsense", headers=someone.headers, timeout=30)
    assert (broken.status_code, broken.json()["type"]) == (500, "ValueError")


def test_it_loses_updates(careless: Stage, someone: Caller) -> None:
    """Several rounds, because a race may be missed once."""
    for _ in range(20):
        account, ref = someone.open_account(), uuid.uuid4().hex

        def pay(_: int, account: str = account, ref: str = ref) -> bool:
            return someone.pay(account, 100, ref=ref).status_code == 201

        with ThreadPoolExecutor(10) as pool:
            won = sum(pool.map(pay, range(10)))
        balance = someone.get(f"/v1/accounts/{account}/balance").json()["balance_minor"]
        if won > 1 and balance != -100 * won:
            return
    pytest.fail("neither the unique reference nor the balance was lost to a race")


def test_the_places_of_the_reference_are_small() -> None:
    for file in Path(EXAMPLES / "payments" / "src").rglob("*.py"):
        assert len(file.read_text().splitlines()) <= 300, file
