"""One request that carries out several operations: each behind its own guards, and told as one of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from nines_runtime import ANONYMOUS, Answer, Call, Caller, Edge, Gate, Key, Limit, Operations, Problem
from nines_runtime.web.caller import Headers
from nines_runtime.web.exchange import Exchange
from nines_runtime.web.inside import Asked, Inside
from nines_runtime.web.operations import Operation

from .asking import Answered, ask

Service = list[Call]
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class SignIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str


operations: Operations[Service] = Operations()


@operations.post("/v1/sessions", id="signIn", is_public=True, limit=Limit(2, per="account", field="name"))
async def sign_in(service: Service, call: Call, body: SignIn) -> Answer:
    service.append(call)
    return Answer.of({"name": body.name})


@operations.post("/v1/payments/{payment_id}/captures", id="capture", key=Key(ttl_s=60), needs_if_match=True)
async def capture(service: Service, call: Call) -> Answer:
    service.append(call)
    return Answer.of({}, headers=((b"idempotency-replayed", b"true"),))


@operations.get("/v1/reports", id="report", is_public=True, sheds_first=True, deadline_s=1.0)
async def report(service: Service, call: Call) -> Answer:
    service.append(call)
    return Answer.of({})


class Known:
    async def authenticate(self, headers: Headers, *, address: str) -> Caller:
        del address
        return Caller(subject="ada") if "authorization" in headers else ANONYMOUS


class Watching:
    def __init__(self) -> None:
        self.seen: list[Exchange] = []

    def ended(self, exchange: Exchange) -> None:
        self.seen.append(exchange)

    def shed(self, reason: str) -> None:
        del reason


class Several:
    """Carries out what its body names, and answers with the status of each."""

    def __init__(self, gate: Gate | None = None) -> None:
        self.watching = Watching()
        self.service: Service = []
        together: Operations[Service] = Operations(operations)
        together.add(
            Operation(
                id="several", method="POST", path="/several", handler=self.handle, is_public=True, is_compound=True,
                media_type="application/json",
            )
        )  # fmt: skip
        self.edge: Edge[Service] = Edge(together, observer=self.watching, gate=gate)
        self.edge.open(self.service, authenticator=Known())

    async def handle(self, inside: Inside[Service], call: Call) -> Answer:
        found: list[int | str] = []
        for id, given in msgspec.json.decode(call.body):
            body = given.pop("body", None)
            asked = Asked(**given, body=b"" if body is None else msgspec.json.encode(body))
            try:
                found.append((await inside.carry_out(id, asked)).status)
            except Problem as problem:
                found.append(problem.kind.code)
        return Answer.of(found)

    def ask(self, *wanted: tuple[str, dict[str, Any]], **headers: str) -> Answered:
        given = {"content-type": "application/json", "authorization": "Bearer x", "traceparent": TRACE, **headers}
        return asyncio.run(ask(self.edge, "POST", "/several", msgspec.json.encode(wanted), headers=given))


def test_headers_of_the_request_around_it_are_no_operations_own() -> None:
    several = Several()
    own = {"idempotency-key": "mine", "if-match": '"3"'}
    named = {"parameters": {"payment_id": "p1"}}
    found = several.ask(("capture", named), ("capture", {**named, "headers": own}), **{"idempotency-key": "other"})
    assert found.json == ["idempotency-key-missing", 200]
    (call,) = several.service
    assert (call.path, call.idempotency_key, call.version) == ("/v1/payments/p1/captures", "mine", 3)
    assert (call.operation, call.method, call.subject, call.key) == ("capture", "POST", "ada", Key(ttl_s=60))


def test_accounts_are_counted_by_what_an_operation_is_sent() -> None:
    several = Several()
    tried = [("signIn", {"body": {"name": "ada"}})] * 3 + [("signIn", {"body": {"name": "eve"}})]
    assert several.ask(*tried).json == [200, 200, "rate-limited", 200]
    assert several.ask(("signIn", {"body": {"name": 5}})).json == ["invalid-request"]


def test_what_is_not_critical_is_refused_first() -> None:
    assert Several(Gate(in_flight_max=100)).ask(("report", {})).json == [200]
    # The request around it is all that there is room for.
    assert Several(Gate(in_flight_max=1)).ask(("report", {}), ("signIn", {"body": {"name": "a"}})).json == [
        "unavailable",
        200,
    ]


def test_each_is_told_as_one_of_its_own() -> None:
    several = Several()
    named = {"parameters": {"payment_id": "p"}, "headers": {"idempotency-key": "k", "if-match": '"1"'}}
    several.ask(("capture", named), ("report", {"query": {"x": "1"}}))
    inner, refused, outer = several.watching.seen
    assert (inner.operation, inner.status, inner.is_replayed) == ("capture", 200, True)
    assert (refused.operation, refused.status, refused.problem) == ("report", 400, "invalid-parameter")
    assert (outer.operation, outer.status, outer.caller.subject) == ("several", 200, "ada")
    assert inner.trace_parent[:36] == outer.trace_parent[:36] == refused.trace_parent[:36]
    assert len({each.trace_parent for each in several.watching.seen}) == 3
    assert len({each.request_id for each in several.watching.seen}) == 1


def test_a_deadline_is_never_later_than_that_of_the_request() -> None:
    several = Several()
    several.ask(("report", {}), ("signIn", {"body": {"name": "a"}}))
    first, second = several.service
    outer = several.watching.seen[-1]
    assert first.deadline.at_s < outer.at_s
    assert second.deadline.at_s == outer.at_s


def test_a_stranger_is_told_apart_for_each() -> None:
    several = Several()
    body = msgspec.json.encode([("capture", {}), ("report", {})])
    headers = {"content-type": "application/json"}
    assert asyncio.run(ask(several.edge, "POST", "/several", body, headers=headers)).json == ["unauthorized", 200]
