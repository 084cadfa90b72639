"""What a request costs before and after the operation itself: the runtime's edge against FastAPI and Starlette.

    python -m benchmarks.runtime_dispatch [--seconds N] [--rounds N]

Every peer reads the same JSON body, checks it and answers with what it read, under the same uvicorn (uvloop, httptools,
no access log), one at a time, in turns. The edge does so with all that it always does: it asks who the caller is,
counts against a limit, gives every request an id and a trace, a deadline, a place in the gate, a log line (to a file
that is thrown away) and a histogram, and adds the headers of every answer. FastAPI and Starlette do none of that;
`fastapi, guarded` does part of it with what such services commonly use: a dependency for the caller and one middleware.
`nines, unguarded` is the edge for a public operation that nobody observes, `raw` a constant: what the server itself
costs.

Processor time is that of the serving process alone, so it hardly depends on what else the machine does; rates do."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import secrets
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.requests import Request as Incoming
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.serving import Served, closed_loop, machine
from nines.lab.launch.cleanup import Premises
from nines.lab.load.request import Request, request_of
from nines.model.experiment import Call as Sent
from nines_runtime import (
    ANONYMOUS,
    Answer,
    Application,
    Call,
    Caller,
    Edge,
    Headers,
    Key,
    Limit,
    Log,
    Operations,
    Started,
)
from nines_runtime.running.protocol import BoundedProtocol
from nines_runtime.web.asgi import Receive, Scope, Send

RATIO_MIN = 3.0
"""How many times more a guarded route of FastAPI should cost than a guarded operation, at the least."""
TOKEN = os.environ.get("BENCH_TOKEN") or secrets.token_urlsafe(48)
PEERS = ("nines", "fastapi, guarded", "nines, unguarded", "fastapi", "starlette", "raw")
_PATH = "/v1/payments"
_BODY = {"amount": {"amount_minor": 1250, "currency": "EUR"}, "account_id": "acct_1", "external_ref": "order-1042"}


class Money(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    amount_minor: Annotated[int, msgspec.Meta(gt=0)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class PaymentCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    amount: Money
    account_id: Annotated[str, msgspec.Meta(max_length=64)]
    external_ref: Annotated[str, msgspec.Meta(max_length=64)]
    note: Annotated[str, msgspec.Meta(max_length=200)] | None = None


operations: Operations[None] = Operations()


@operations.post(_PATH, id="createPayment", roles=("customer",), limit=Limit(1_000_000_000), key=Key())
async def create_payment(service: None, call: Call, body: PaymentCreate) -> Answer:  # noqa: ARG001
    return Answer.of(body, status=201)


class Known:
    """Stands for a verified token that is cached."""

    def __init__(self) -> None:
        self._callers = {f"Bearer {TOKEN}": Caller(subject="s", tenant="t", roles=frozenset({"customer"}))}

    async def authenticate(self, headers: Headers, *, address: str) -> Caller:  # noqa: ARG002
        return self._callers.get(headers.get("authorization", ""), ANONYMOUS)


@contextlib.asynccontextmanager
async def _lifespan() -> AsyncIterator[Started[None]]:
    yield Started(None, authenticator=Known())


def edge() -> Any:
    log = Log("bench", descriptor=os.open(os.devnull, os.O_WRONLY))
    return Application("bench", operations, _lifespan, log=log)


def unguarded() -> Any:
    public: Operations[None] = Operations()
    public.post(_PATH, id="createPayment", is_public=True)(create_payment)
    found: Edge[None] = Edge(public, fallback=_ready)
    found.open(None)
    return found


async def _ready(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        for stage in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{stage}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan" or scope["path"] != _PATH:
        await _ready(scope, receive, send)
        return
    body: bytes = (await receive())["body"]
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class MoneyModel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount_minor: int = Field(gt=0)
    currency: str = Field(pattern="^[A-Z]{3}$")


class PaymentModel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount: MoneyModel
    account_id: str = Field(max_length=64)
    external_ref: str = Field(max_length=64)
    note: str | None = Field(default=None, max_length=200)


def fast(*, is_guarded: bool) -> Any:
    app = FastAPI()

    async def caller(authorization: Annotated[str, Header()]) -> str:
        if authorization != f"Bearer {TOKEN}":
            raise HTTPException(401)
        return "s"

    @app.post(_PATH, status_code=201, dependencies=[Depends(caller)] if is_guarded else [])
    async def create(payment: PaymentModel) -> PaymentModel:
        return payment

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ok"}

    if is_guarded:
        logger = logging.getLogger("bench")
        logger.setLevel(logging.INFO)
        logger.addHandler(logging.FileHandler(os.devnull))

        @app.middleware("http")
        async def told(request: Incoming, handle: Callable[[Incoming], Awaitable[Response]]) -> Response:
            begun = time.perf_counter()
            response = await handle(request)
            response.headers["x-request-id"] = request.headers.get("x-request-id", secrets.token_hex(16))
            response.headers["x-content-type-options"] = "nosniff"
            logger.info("%s %s %s %.3f", request.method, request.url.path, response.status_code, begun)
            return response

    return app


def plain() -> Any:
    async def create(request: Incoming) -> Response:
        return JSONResponse(PaymentModel.model_validate_json(await request.body()).model_dump(), status_code=201)

    async def ready(request: Incoming) -> Response:  # noqa: ARG001
        return JSONResponse({"status": "ok"})

    return Starlette(routes=[Route(_PATH, create, methods=["POST"]), Route("/health/ready", ready)])


def serve(name: str, port: int) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "nines": edge,
        "fastapi": lambda: fast(is_guarded=False),
        "fastapi, guarded": lambda: fast(is_guarded=True),
        "starlette": plain,
        "nines, unguarded": unguarded,
        "raw": lambda: raw,
    }
    app = makers[name]()
    http: Any = BoundedProtocol if name.startswith("nines") else "httptools"
    uvicorn.run(app, port=port, loop="uvloop", http=http, access_log=False, log_level="error", interface="asgi3")


async def measure(seconds: float, rounds: int) -> dict[str, tuple[float, float]]:
    """Requests a second and microseconds of processor time for each, the median over the rounds."""
    premises = Premises()
    premises.open()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PEERS}
    try:
        for _ in range(rounds):
            for name in PEERS:
                found[name].append(await _one(premises, name, seconds))
    finally:
        premises.close()
    return {
        name: (statistics.median(rate for rate, _ in each), statistics.median(cost for _, cost in each))
        for name, each in found.items()
    }


async def _one(premises: Premises, name: str, seconds: float) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.runtime_dispatch", "--serve", name, "--port", "{port}"]
    served = Served(premises, name.replace(", ", "-"), command, {"BENCH_TOKEN": TOKEN}, Path.cwd())
    await served.start()
    try:
        make = _maker(served.port)
        await closed_loop(served.port, 0.5, make)
        before_s = served.cpu_s()
        took = await closed_loop(served.port, seconds, make)
        cost_us = (served.cpu_s() - before_s) / max(1, took.good) * 1e6
    finally:
        await served.stop()
    if took.good < took.sent:
        raise SystemExit(f"{name} did not answer every request well: {took}")
    return took.rate_hz, cost_us


def _maker(port: int) -> Callable[[int], Request]:
    sent = Sent(
        operation="createPayment",
        method="POST",
        path=_PATH,
        headers=(
            ("authorization", f"Bearer {TOKEN}"),
            ("content-type", "application/json"),
            ("idempotency-key", secrets.token_hex(16)),
        ),
        body=msgspec.json.encode(_BODY),
    )
    request = request_of(sent, host=f"127.0.0.1:{port}")
    return lambda _index: request


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve, chosen.port)
        return
    print(machine())
    found = asyncio.run(measure(chosen.seconds, chosen.rounds))
    for name, (rate_hz, cost_us) in found.items():
        print(f"{name:18} {rate_hz:8,.0f}/s {cost_us:8.1f} us of processor time a request")
    for ours, theirs in (("nines", "fastapi, guarded"), ("nines", "fastapi"), ("nines, unguarded", "fastapi")):
        print(f"{theirs} costs {found[theirs][1] / found[ours][1]:.2f} times as much as {ours}")
    met = found["fastapi, guarded"][1] / found["nines"][1] >= RATIO_MIN
    print(f"goal, guarded: {RATIO_MIN:g} times: {'met' if met else 'missed'}")


if __name__ == "__main__":
    main()
