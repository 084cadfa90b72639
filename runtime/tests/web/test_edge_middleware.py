"""The pieces in front of somebody else's FastAPI and Starlette applications."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, Query
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from nines_runtime.web.asgi import App, Receive, Scope, Send
from nines_runtime.web.caller import Caller
from nines_runtime.web.exchange import Exchange
from nines_runtime.web.frameworks import caller_with, claims, problems
from nines_runtime.web.gate import Gate
from nines_runtime.web.middleware import BodyLimit, RateLimit, RequestContext
from nines_runtime.web.operations import Limit
from nines_runtime.web.problem import Problem

from .asking import Answered, ask


class Seen:
    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.reasons: list[str] = []

    def ended(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def shed(self, reason: str) -> None:
        self.reasons.append(reason)


def asked(app: App, method: str, path: str, body: bytes = b"", **named: Any) -> Answered:
    return asyncio.run(ask(app, method, path, body, **named))


def shop() -> FastAPI:
    app = FastAPI()
    problems(app)

    @app.get("/items/{number}")
    async def item(number: int, size: Annotated[int, Query(le=10)] = 1) -> dict[str, int]:
        return {"number": number, "size": size}

    @app.post("/items")
    async def create(body: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        return body

    @app.get("/failures/{kind}")
    async def fail(kind: str) -> None:
        if kind == "inside":
            raise RuntimeError("password=hunter2")
        if kind == "own":
            raise Problem("state-conflict", "It is closed.")
        if kind == "teapot":
            raise HTTPException(418, "short and stout")
        if kind == "spoken":
            raise HTTPException(409, "Somebody else has it.")
        raise HTTPException(404)

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(30)

    return app


def test_what_the_outermost_piece_adds() -> None:
    seen = Seen()
    app = RequestContext(shop(), observer=seen)
    answered = asked(app, "GET", "/items/7", headers={"x-request-id": "r.1"})
    assert (answered.status, answered.json) == (200, {"number": 7, "size": 1})
    assert answered.headers["x-request-id"] == "r.1"
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert [(each.operation, each.status) for each in seen.exchanges] == [("item", 200)]
    assert len(seen.exchanges[0].trace_parent) == 55


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/items/x", b"", 404, "not-found"),
        ("GET", "/failures/x", b"", 404, "not-found"),
        ("GET", "/nothing", b"", 404, "not-found"),
        ("DELETE", "/items", b"", 405, "method-not-allowed"),
        ("POST", "/items", b'{"a":{"b":"x"}}', 422, "invalid-request"),
        ("POST", "/items", b"{", 400, "malformed-request"),
        ("GET", "/failures/own", b"", 409, "state-conflict"),
        ("GET", "/failures/inside", b"", 500, "internal-error"),
        ("GET", "/slow", b"", 503, "unavailable"),
    ],
)
def test_failures_of_the_application_are_problems(method: str, path: str, body: bytes, status: int, code: str) -> None:
    seen = Seen()
    app = RequestContext(shop(), observer=seen, deadline_s=0.2)
    answered = asked(app, method, path, body, headers={"content-type": "application/json"})
    assert (answered.status, answered.problem) == (status, code)
    assert answered.json["request_id"] == answered.headers["x-request-id"] == seen.exchanges[0].request_id
    assert b"hunter2" not in answered.body
    assert seen.exchanges[0].problem == code
    assert (seen.exchanges[0].error is not None) == (code in ("internal-error", "unavailable"))


def test_pointers_and_words_of_the_application() -> None:
    app = shop()
    wrong = asked(app, "POST", "/items", b'{"a/b":{"c":"x"}}', headers={"content-type": "application/json"})
    assert wrong.json["errors"][0]["pointer"] == "/a~1b/c"
    query = asked(app, "GET", "/items/1", query="size=11")
    assert (query.problem, query.json["errors"][0]["pointer"]) == ("invalid-parameter", "size")
    other = asked(app, "GET", "/failures/teapot")
    assert (other.status, other.json["type"], other.json["title"]) == (418, "about:blank", "I'm a teapot")
    assert asked(app, "GET", "/failures/spoken").status == 409
    assert asked(app, "DELETE", "/items").headers["allow"] == "POST"


def test_a_handler_of_the_owner_stays() -> None:
    app = FastAPI()

    @app.exception_handler(404)
    async def own(request: Request, error: Exception) -> Response:
        return PlainTextResponse("mine", 404)

    problems(app)
    assert asked(app, "GET", "/nothing").body == b"mine"


def test_a_rate_limit_in_front_of_starlette() -> None:
    async def home(request: Request) -> Response:
        return PlainTextResponse("home")

    app = Starlette(routes=[Route("/", home)])
    app.add_middleware(RateLimit, limit=Limit(2, window_s=60, per="address", name="pages"))
    first, _, third = (asked(app, "GET", "/") for _ in range(3))
    assert (first.status, first.headers["ratelimit-policy"]) == (200, '"pages";q=2;w=60')
    assert (third.status, third.problem) == (429, "rate-limited")
    assert int(third.headers["retry-after"]) >= int(third.headers["ratelimit"].partition("t=")[2])
    assert asked(app, "GET", "/", address="198.51.100.7").status == 200
    inner = Seen()
    around = RequestContext(
        RateLimit(app, limit=Limit(1, name="all"), counted=lambda scope, headers: "all"), observer=inner
    )
    told = [asked(around, "GET", "/", address=f"203.0.113.{at}") for at in range(2)]
    assert [each.status for each in told] == [200, 429]
    assert "x-request-id" in told[1].headers
    assert '"all";q=1' in told[0].headers["ratelimit-policy"]
    assert inner.exchanges[1].problem == "rate-limited"


def test_a_body_limit_in_front_of_anything() -> None:
    read: list[bytes] = []

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        read.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = BodyLimit(reading, bytes_max=10)
    assert asked(app, "POST", "/", b"x" * 10).status == 200
    assert asked(app, "POST", "/", pieces=[b"xxxx"] * 3).problem == "body-too-large"
    told = asked(app, "POST", "/", headers={"content-length": "11"}, pieces=[])
    assert (told.status, told.headers["connection"]) == (413, "close")
    assert read == [b"x" * 10]


def test_what_streams_is_not_touched_and_outlives_the_deadline() -> None:
    async def home(request: Request) -> Response:
        async def lines() -> Any:
            for at in range(6):
                yield f"{at}\n"
                await asyncio.sleep(0.05)

        return StreamingResponse(lines())

    gate = Gate()
    app = RequestContext(Starlette(routes=[Route("/", home)]), deadline_s=0.1, gate=gate)
    assert asked(app, "GET", "/").body == b"0\n1\n2\n3\n4\n5\n"
    assert gate.in_flight == 0


def test_a_page_keeps_its_own_policy() -> None:
    async def page(request: Request) -> Response:
        return HTMLResponse("<script src=a.js></script>")

    answered = asked(RequestContext(Starlette(routes=[Route("/", page)])), "GET", "/")
    assert "content-security-policy" not in answered.headers
    assert answered.headers["x-content-type-options"] == "nosniff"


def test_too_much_at_once() -> None:
    async def run() -> None:
        seen = Seen()
        app = RequestContext(shop(), observer=seen, gate=Gate(in_flight_max=2, shed=seen.shed), deadline_s=0.2)
        answered = await asyncio.gather(*(ask(app, "GET", "/slow") for _ in range(3)))
        assert [each.json["detail"] for each in answered].count("Too much is asked for at once.") == 1
        assert seen.reasons == ["full"]

    asyncio.run(run())


def test_callers_of_the_edge_in_routes_of_the_owner() -> None:
    class Known:
        async def authenticate(self, headers: Any, *, address: str) -> Caller:
            return Caller(subject=headers.get("x-user", ""), roles=frozenset({headers.get("x-role", "")}))

    app = FastAPI()
    problems(app)

    @app.get("/audit")
    async def audit(caller: Annotated[Caller, Depends(caller_with("auditor"))]) -> str:
        return caller.subject

    async def within(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"authenticator": Known()}
        await app(scope, receive, send)

    seen = Seen()
    outer = RequestContext(within, observer=seen)
    told = [
        asked(outer, "GET", "/audit", headers=each)
        for each in ({}, {"x-user": "a"}, {"x-user": "a", "x-role": "auditor"})
    ]
    assert [each.status for each in told] == [401, 403, 200]
    assert told[0].headers["www-authenticate"] == "Bearer"
    assert seen.exchanges[2].caller.subject == "a"


def test_whether_a_route_of_the_owner_takes_a_request() -> None:
    app = shop()
    scope = {"type": "http", "path": "/items", "method": "POST", "headers": [], "root_path": ""}
    assert claims(app, scope)
    assert not claims(app, {**scope, "method": "PUT"})
    assert not claims(None, scope)


def test_what_nobody_expected_is_logged_where_nobody_observes(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    problems(app)

    @app.get("/broken")
    async def broken() -> None:
        raise KeyError("inside")

    answered = asked(RequestContext(app), "GET", "/broken")
    assert answered.status == 500
    assert b"inside" not in answered.body
    [record] = [each for each in caplog.records if each.name == "nines_runtime.requests"]
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError
    assert vars(record)["request_id"].encode() in answered.body
