"""What the built payments service carries, against the same contract by FastAPI and the SQLAlchemy ORM.

    python -m benchmarks.built_payments [--seconds N] [--rounds N] [--peak]

Each runs in one process, on a database of its own on one server, in turns, under the same closed loop of 64 users who
each have a token: new payments with a key of their own, reads of a payment, first pages of a list.

With --peak instead: the built service alone, under an open loop at the peak of its blueprint."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import msgspec
import uvloop

from benchmarks.built import ROOT, Built
from benchmarks.serving import CONNECTIONS, Served, closed_loop, database, machine, open_loop, send
from nines.lab.load.request import Request, request_of
from nines.model.experiment import Call

GOAL = 2.0
WARM_S = 2.0
TENANT = "north"
MIX = ("create", "create", "read", "read", "list")
"""In turns: about the shares that the blueprint gives its three most frequent operations."""
PEAK_HZ, PEAK_S, P95_MS_MAX = 600.0, 30.0, 200.0
PEER = "benchmarks.peers.payments_orm:app"


async def measure(seconds: float, rounds: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        built = Built("payments", Path(folder) / "payments")
        tokens = built.tokens(CONNECTIONS, TENANT, "customer")
        async with database() as (premises, cluster):
            ours = await built.serve(premises, cluster)
            await cluster.create("peer", template=built.name)
            url = f"postgresql://{cluster.user}:{cluster.password}@127.0.0.1:{cluster.port}/peer"
            uvicorn = [sys.executable, "-m", "uvicorn", PEER, "--port", "{port}", "--loop", "uvloop"]
            env = {"DB_URL": url, "TOKEN_KEY": _public(built), "OIDC_ISSUER": built.rules().issuer}
            peer = Served(premises, "peer", [*uvicorn, "--http", "httptools", "--no-access-log"], env, ROOT)
            found: dict[str, list[float]] = {"nines": [], "peer": []}
            for name, service in (("nines", ours), ("peer", peer)) * rounds:
                found[name].append(await _one(name, service, tokens, seconds))
    ratio = statistics.median(found["nines"]) / statistics.median(found["peer"])
    print(
        f"on {machine()}: {ratio:.2f} x the peer's rate, at least {GOAL:.0f} x: {'held' if ratio >= GOAL else 'MISSED'}"
    )
    return ratio >= GOAL


async def peak() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        built = Built("payments", Path(folder) / "payments")
        tokens = built.tokens(CONNECTIONS, TENANT, "customer")
        async with database() as (premises, cluster):
            service = await built.serve(premises, cluster)
            await service.start()
            try:
                accounts = [await _account(service.port, token) for token in tokens]
                payments = [await _payment(service.port, *pair) for pair in zip(tokens, accounts, strict=True)]
                took = await open_loop(service.port, PEAK_HZ, PEAK_S, maker(tokens, accounts, payments))
            finally:
                await service.stop()
    held = took.good == took.sent and took.percentile_ms(95) < P95_MS_MAX
    print(
        f"payments at its peak, on {machine()}: {took}; p95 below {P95_MS_MAX:.0f} ms: {'held' if held else 'MISSED'}"
    )
    return held


async def _one(name: str, service: Served, tokens: list[str], seconds: float) -> float:
    await service.start()
    try:
        accounts = [await _account(service.port, token) for token in tokens]
        payments = [await _payment(service.port, *pair) for pair in zip(tokens, accounts, strict=True)]
        make = maker(tokens, accounts, payments)
        await closed_loop(service.port, WARM_S, make)
        took = await closed_loop(service.port, seconds, make)
    finally:
        await service.stop()
    print(f"  {name}: {took}")
    if took.good != took.sent:
        raise SystemExit(f"{name} did not answer as the contract says")
    return took.rate_hz


def maker(tokens: list[str], accounts: list[str], payments: list[str]) -> Callable[[int], Request]:
    def make(index: int) -> Request:
        user = index % len(tokens)
        kind = MIX[index % len(MIX)]
        if kind == "create":
            return _creating(tokens[user], accounts[user])
        path = f"/v1/payments/{payments[user]}" if kind == "read" else "/v1/payments?page_size=20"
        return _request("GET", path, tokens[user])

    return make


def _creating(token: str, account: str) -> Request:
    amount = {"amount_minor": 1250, "currency": "EUR"}
    body = {"amount": amount, "account_id": account, "external_ref": uuid4().hex, "note": "Leave it with them"}
    return _request("POST", "/v1/payments", token, body)


def _request(method: str, path: str, token: str, body: object = None) -> Request:
    headers: tuple[tuple[str, str], ...] = (("authorization", f"Bearer {token}"), ("content-type", "application/json"))
    if method == "POST":
        headers += (("idempotency-key", uuid4().hex),)
    content = msgspec.json.encode(body) if body is not None else b""
    return request_of(Call(operation=method, method=method, path=path, headers=headers, body=content), host="127.0.0.1")


async def _account(port: int, token: str) -> str:
    body = {"label": "Card", "gateway_token": "tok_1", "currency": "EUR"}
    return await _made(port, _request("POST", "/v1/accounts", token, body))


async def _payment(port: int, token: str, account: str) -> str:
    return await _made(port, _creating(token, account))


async def _made(port: int, request: Request) -> str:
    status, body = await send(port, request)
    if not 200 <= status < 300:
        raise SystemExit(f"{request.call.method} {request.call.path}: {status} {body[:500]!r}")
    return str(msgspec.json.decode(body)["id"])


def _public(built: Built) -> str:
    """The key that the tokens are checked with, as a JWK."""
    (key,) = msgspec.json.decode(built.issuer().jwks())["keys"]
    return msgspec.json.encode(key).decode()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--peak", action="store_true")
    given = arguments.parse_args()
    sys.exit(0 if uvloop.run(peak() if given.peak else measure(given.seconds, given.rounds)) else 1)


if __name__ == "__main__":
    main()
