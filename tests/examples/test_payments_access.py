"""The reference service: who may do what, and what tokens are worth."""

from __future__ import annotations

import base64
import json
import time
import uuid

import jwt
import pytest

from tests.examples.conftest import Caller, Stage

pytestmark = pytest.mark.lab
SECRET = "only-for-the-laboratory-and-long-enough-for-whatever-algorithm-there-is"


def claims(**changes: object) -> dict[str, object]:
    now = int(time.time())
    usual: dict[str, object] = {
        "sub": "usr_" + "0" * 32,
        "role": "customer",
        "iss": "https://payments.example",
        "aud": "payments-api",
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def unsigned() -> str:
    parts = [{"alg": "none", "typ": "JWT"}, claims(role="admin")]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, ""])


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        unsigned(),
        jwt.encode(
            claims(), "another secret that is long enough for whatever algorithm there is too", algorithm="HS256"
        ),
        jwt.encode(claims(), SECRET, algorithm="HS384"),
        jwt.encode(claims(exp=int(time.time()) - 10), SECRET, algorithm="HS256"),
        jwt.encode(claims(exp=None), SECRET, algorithm="HS256"),
        jwt.encode(claims(aud="another"), SECRET, algorithm="HS256"),
        jwt.encode(claims(iss="another"), SECRET, algorithm="HS256"),
        jwt.encode(claims(role="root"), SECRET, algorithm="HS256"),
    ],
    ids=["garbage", "unsigned", "secret", "algorithm", "expired", "endless", "audience", "issuer", "role"],
)
def test_a_token_that_does_not_hold_is_refused(stage: Stage, token: str) -> None:
    refused = stage.client.get("/v1/payments", headers={"authorization": f"Bearer {token}"})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_every_operation_but_the_public_ones_needs_a_token(stage: Stage) -> None:
    document = stage.client.get("/openapi.json").json()
    public = {"registerUser", "createToken", "getStartup", "getLiveness", "getReadiness"}
    ids = {"account_id": "acc_" + "0" * 32, "payment_id": "pay_" + "0" * 32, "refund_id": "ref_" + "0" * 32}
    tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert bool(operation.get("security")) == (operation["operationId"] not in public)
            if operation.get("security"):
                json_body: dict[str, object] | None = {} if "requestBody" in operation else None
                answer = stage.client.request(method.upper(), path.format(**ids), json=json_body)
                assert answer.status_code == 401, (method, path)
                tried += 1
    assert tried >= 15


def test_what_belongs_to_others_does_not_exist(owner: Caller, peer: Caller, merchant: Caller, account: str) -> None:
    path = owner.pay(account).headers["location"]
    merchant.post(f"{path}/captures")
    refund = merchant.post(f"{path}/refunds", {"amount_minor": 1}).headers["location"]
    for hidden in (path, f"{path}/refunds", refund, f"/v1/accounts/{account}", f"/v1/accounts/{account}/balance"):
        assert owner.get(hidden).status_code == 200
        assert peer.get(hidden).status_code == 404
    assert peer.get(f"/v1/accounts/{account}/entries").status_code == 404
    assert peer.patch(f"/v1/accounts/{account}", {"name": "mine"}, if_match="*").status_code == 404
    assert peer.pay(account).status_code == 422
    assert account not in peer.get("/v1/accounts").text
    assert path.rsplit("/", 1)[1] not in peer.get("/v1/payments").text


def test_functions_are_for_their_roles(owner: Caller, merchant: Caller, admin: Caller, account: str) -> None:
    path = owner.pay(account).headers["location"]
    assert owner.post(f"{path}/captures").status_code == 403
    assert owner.post(f"{path}/refunds", {"amount_minor": 1}).status_code == 403
    assert merchant.post("/v1/accounts", {"name": "x", "currency": "EUR"}).status_code == 403
    for report in ("/v1/audit-events", "/v1/reports/totals"):
        assert owner.get(report).status_code == 403
        assert merchant.get(report).status_code == 403
        assert admin.get(report).status_code == 200
    assert admin.post(f"{path}/captures").status_code == 200


def test_nobody_chooses_a_role(stage: Stage) -> None:
    body = {"email": f"{uuid.uuid4().hex}@example.com", "password": "a good long password", "display_name": "S"}
    assert stage.client.post("/v1/users", json=body | {"role": "admin"}).status_code == 422
    assert stage.client.post("/v1/users", json=body).json()["role"] == "customer"


def test_sensitive_writes_leave_a_trail(stage: Stage, owner: Caller, admin: Caller, account: str) -> None:
    made = owner.post(
        "/v1/accounts", {"name": uuid.uuid4().hex, "currency": "EUR"}, headers={"x-request-id": "trail-12345"}
    )
    assert made.headers["x-request-id"] == "trail-12345"
    events = admin.get("/v1/audit-events", params={"object_id": made.json()["id"]}).json()["items"]
    assert [(one["action"], one["request_id"]) for one in events] == [("account.create", "trail-12345")]


def test_guessing_passwords_is_slowed_down_for_that_address_alone(stage: Stage) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    guess = {"email": email, "password": "wrong"}
    answers = [stage.client.post("/v1/tokens", json=guess) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    last = answers[-1]
    assert int(last.headers["retry-after"]) >= 1
    assert last.headers["ratelimit-policy"] == '"login";q=10;w=60'
    assert last.headers["ratelimit"].startswith('"login";r=0;t=')
    other = stage.client.post("/v1/tokens", json=guess | {"email": "merchant@example.com"})
    assert other.status_code == 401
    assert other.json()["detail"] == answers[0].json()["detail"]
