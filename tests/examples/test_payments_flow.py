"""The reference service: payments, captures, refunds, and the ledger behind them."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from tests.examples.conftest import Caller, Stage, payment
from tests.examples.stage import MERCHANT_ID

pytestmark = pytest.mark.lab
SWEEP_LIMIT_S = 30.0
HELD = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"


def balance(caller: Caller, account_id: str) -> int:
    return int(caller.get(f"/v1/accounts/{account_id}/balance").json()["balance_minor"])


def wait_for(caller: Caller, path: str, status: str) -> httpx.Response:
    until = time.monotonic() + SWEEP_LIMIT_S
    while True:
        answer = caller.get(path)
        if answer.json()["status"] == status or time.monotonic() > until:
            return answer
        time.sleep(0.1)


def test_money_goes_from_the_customer_to_the_merchant_and_back(stage: Stage, owner: Caller, merchant: Caller) -> None:
    account = owner.open_account()
    made = owner.pay(account, 1000)
    assert made.status_code == 201
    assert made.json()["status"] == "authorized"
    path = made.headers["location"]
    assert balance(owner, account) == -1000

    captured = merchant.post(f"{path}/captures")
    assert (captured.status_code, captured.json()["status"]) == (200, "captured")
    part = merchant.post(f"{path}/refunds", {"amount_minor": 400, "reason": "Damaged"})
    assert (part.status_code, part.json()["status"]) == (201, "succeeded")
    assert owner.get(path).json()["status"] == "captured"
    assert balance(owner, account) == -600

    rest = merchant.post(f"{path}/refunds", {"amount_minor": 600})
    assert rest.status_code == 201
    assert owner.get(path).json()["status"] == "refunded"
    assert balance(owner, account) == 0
    assert [one["kind"] for one in owner.get(f"/v1/accounts/{account}/entries").json()["items"]] == [
        "refund",
        "refund",
        "authorize",
    ]
    refunds = owner.get(f"{path}/refunds").json()["items"]
    assert [one["amount_minor"] for one in refunds] == [600, 400]
    assert owner.get(f"{path}/refunds/{refunds[0]['id']}").json() == refunds[0]


def test_illegal_changes_of_state_are_conflicts(owner: Caller, merchant: Caller, account: str) -> None:
    path = owner.pay(account).headers["location"]
    assert merchant.post(f"{path}/refunds", {"amount_minor": 1}).status_code == 409
    assert merchant.post(f"{path}/captures").status_code == 200
    assert merchant.post(f"{path}/captures").status_code == 409
    assert merchant.post(f"{path}/refunds", {"amount_minor": 1001}).status_code == 422
    assert merchant.post(f"{path}/refunds", {"amount_minor": 1000}).status_code == 201
    assert merchant.post(f"{path}/refunds", {"amount_minor": 1}).status_code == 409


def test_concurrent_refunds_never_exceed_the_payment(owner: Caller, merchant: Caller, account: str) -> None:
    path = owner.pay(account, 1000).headers["location"]
    merchant.post(f"{path}/captures")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: merchant.post(f"{path}/refunds", {"amount_minor": 300}), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 5
    assert owner.get(path).json()["refunded_minor"] == 900


def test_one_of_many_concurrent_captures_wins(owner: Caller, merchant: Caller, account: str) -> None:
    path = owner.pay(account).headers["location"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: merchant.post(f"{path}/captures"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


def test_declined_payments_fail_and_move_nothing(stage: Stage, owner: Caller) -> None:
    account = owner.open_account()
    with stage.provider_in("declined"):
        made = owner.pay(account)
    assert (made.status_code, made.json()["status"], made.json()["failure_code"]) == (201, "failed", "declined")
    assert balance(owner, account) == 0


def test_a_declined_capture_releases_the_money(stage: Stage, owner: Caller, merchant: Caller) -> None:
    account = owner.open_account()
    path = owner.pay(account).headers["location"]
    with stage.provider_in("declined"):
        captured = merchant.post(f"{path}/captures")
    assert captured.json()["status"] == "failed"
    assert balance(owner, account) == 0


def test_a_declined_refund_gives_the_share_back(stage: Stage, owner: Caller, merchant: Caller, account: str) -> None:
    path = owner.pay(account).headers["location"]
    merchant.post(f"{path}/captures")
    with stage.provider_in("declined"):
        refund = merchant.post(f"{path}/refunds", {"amount_minor": 500})
    assert refund.json()["status"] == "failed"
    assert owner.get(path).json()["refunded_minor"] == 0


@pytest.mark.parametrize("mood", ["error", "garbage"])
def test_an_unclear_outcome_is_accepted_and_finished_by_the_sweep(stage: Stage, owner: Caller, mood: str) -> None:
    account = owner.open_account()
    key = uuid.uuid4().hex
    with stage.provider_in(mood):
        made = owner.pay(account, key=key, ref=f"unclear-{key}")
        assert (made.status_code, made.json()["status"]) == (202, "pending")
    assert wait_for(owner, made.headers["location"], "authorized").json()["status"] == "authorized"
    again = owner.pay(account, key=key, ref=f"unclear-{key}")
    assert (again.status_code, again.content) == (202, made.content)
    assert balance(owner, account) == -1000
    keys = {key for path, key in stage.provider.attempts}
    assert len(keys) <= len(stage.provider.attempts)


def test_a_silent_provider_does_not_hold_the_caller_or_the_database(stage: Stage, owner: Caller) -> None:
    account = owner.open_account()
    before = len(stage.provider.attempts)
    with stage.provider_in("stall"), ThreadPoolExecutor(12) as pool:
        paying = [pool.submit(owner.pay, account) for _ in range(12)]
        assert owner.get("/v1/payments", params={"page_size": 1}).status_code == 200
        # A reservation may be under way at any one moment; with calls outstanding it must not stay so.
        free = False
        while not free and not all(one.done() for one in paying):
            outstanding = len(stage.provider.attempts) > before
            free = outstanding and stage.sql(HELD) == [(0,)] and not all(one.done() for one in paying)
        assert free
        answers = [one.result() for one in paying]
    assert {answer.status_code for answer in answers} == {202}
    for answer in answers:
        assert wait_for(owner, answer.headers["location"], "authorized").json()["status"] == "authorized"
    assert balance(owner, account) == -12_000


def test_the_sum_of_all_entries_is_zero(stage: Stage, owner: Caller, account: str) -> None:
    owner.pay(account)
    assert stage.sql("SELECT sum(amount_minor) FROM entries") == [(0,)]
    unbalanced = stage.sql("SELECT posting_id FROM entries GROUP BY posting_id HAVING sum(amount_minor) <> 0")
    assert unbalanced == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET amount_minor = amount_minor + 1",
        "DELETE FROM entries",
        "TRUNCATE audit_events",
        "INSERT INTO entries SELECT 'ent_x', posting_id, account_id, 5 FROM entries LIMIT 1",
        "UPDATE payments SET status = 'pending' WHERE status = 'authorized'",
        "UPDATE payments SET amount_minor = amount_minor + 1",
        "UPDATE payments SET refunded_minor = amount_minor + 1",
    ],
)
def test_the_database_itself_refuses_to_break_the_books(
    stage: Stage, owner: Caller, account: str, statement: str
) -> None:
    owner.pay(account)
    with pytest.raises(psycopg.errors.IntegrityError):
        stage.sql(statement)


def test_migrations_and_seeds_can_be_repeated(stage: Stage) -> None:
    assert stage.service.run("-m", "payments.migrate") == ""
    stage.service.run("-m", "payments.seed")
    assert stage.sql("SELECT count(*) FROM users WHERE id = %s", MERCHANT_ID) == [(1,)]


def test_currencies_do_not_mix(owner: Caller) -> None:
    refused = owner.pay(owner.open_account("USD"))
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/amount/currency"
    body = payment(owner.open_account()) | {"merchant_id": "usr_" + "0" * 32}
    assert owner.post("/v1/payments", body).json()["errors"][0]["pointer"] == "/merchant_id"
