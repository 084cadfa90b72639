"""One request through the edge: what is checked, in which order, and what is answered."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls import tracing
from nines_runtime.web.answer import Answer
from nines_runtime.web.asgi import Receive, Scope, Send
from nines_runtime.web.call import Call, identifier
from nines_runtime.web.caller import ANONYMOUS, Caller
from nines_runtime.web.edge import Edge
from nines_runtime.web.exchange import Exchange
from nines_runtime.web.gate import Gate
from nines_runtime.web.operations import Key, Limit, Operations
from nines_runtime.web.problem import KINDS, Problem
from nines_runtime.web.sending import DIRECT

from .asking import Answered, ask

THING = "thg_" + "ab" * 16
GOOD = {
    "authorization": "Bearer customer",
    "content-type": "application/json",
    "idempotency-key": "k",
    "if-match": '"3"',
}


class ThingCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=10)]
    password: str = ""


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: str


class ListThings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    page_size: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class Service:
    def __init__(self) -> None:
        self.done: list[str] = []
        self.last: Call | None = None


operations: Operations[Service] = Operations()


@operations.post(
    "/v1/things/{thing_id}/changes",
    id="changeThing",
    roles=("customer", "admin"),
    limit=Limit(3, name="default"),
    key=Key(),
    needs_if_match=True,
    body_bytes_max=100,
)
async def change_thing(service: Service, call: Call, body: ThingCreate) -> Answer:
    service.done.append(body.name)
    service.last = call
    return Answer.of(
        body, status=202, location=f"/v1/things/{call.identifier('thing_id', 'thg').hex}", retry_after_s=1.2
    )


@operations.get("/v1/things/{thing_id}", id="getThing", is_public=True)
async def get_thing(service: Service, call: Call) -> Answer:
    service.last = call
    return Answer.of({"id": str(call.identifier("thing_id", "thg"))}, version=7, cache="private, no-cache")


@operations.get("/v1/things", id="listThings", is_public=True)
async def list_things(service: Service, call: Call, query: ListThings) -> Answer:
    return Answer.of(query)


@operations.patch("/v1/things/{thing_id}", id="updateThing", is_public=True)
async def update_thing(service: Service, call: Call, body: ThingCreate) -> Answer:
    return Answer.nothing()


@operations.post(
    "/v1/sessions", id="signIn", is_public=True, limit=(Limit(2, per="account", field="email"), Limit(5, per="address"))
)
async def sign_in(service: Service, call: Call, body: SignIn) -> Answer:
    return Answer.of(body, status=201)


@operations.post("/v1/forms", id="takeForm", is_public=True)
async def take_form(service: Service, call: Call, form: SignIn) -> Answer:
    return Answer.of(form)


@operations.get("/v1/failures/{kind}", id="fail", is_public=True, deadline_s=0.1)
async def fail(service: Service, call: Call) -> Answer:
    kind = call.parameters["kind"]
    if kind == "slow":
        await asyncio.sleep(30)
    if kind == "timeout":
        raise TimeoutError("the secret of the database")
    if kind == "inside":
        raise RuntimeError("password=hunter2 at db.internal:5432")
    if kind == "unknown":
        raise Problem("no-such-code")
    raise Problem(kind)


class Authenticator:
    async def authenticate(self, headers: Mapping[str, str], *, address: str) -> Caller:
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token == "expired":
            raise Problem("unauthorized")
        return Caller(subject=f"subject-{token}", tenant="t", roles=frozenset({token})) if token else ANONYMOUS


class Seen:
    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.reasons: list[str] = []

    def ended(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def shed(self, reason: str) -> None:
        self.reasons.append(reason)


class World:
    def __init__(self, **options: Any) -> None:
        self.service, self.seen = Service(), Seen()
        self.edge: Edge[Service] = Edge(operations, observer=self.seen, **options)
        self.edge.open(self.service, authenticator=Authenticator())

    def ask(self, method: str, path: str, body: bytes = b"", **named: Any) -> Answered:
        return asyncio.run(ask(self.edge, method, path, body, **named))


PATH = f"/v1/things/{THING}/changes"
BODY = b'{"name":"x"}'


def test_all_is_well() -> None:
    world = World()
    answered = world.ask("POST", PATH, BODY, headers=GOOD)
    assert (answered.status, answered.json) == (202, {"name": "x", "password": ""})
    assert answered.headers["retry-after"] == "2"
    assert answered.headers["ratelimit-policy"] == '"default";q=3;w=60'
    assert answered.headers["ratelimit"].startswith('"default";r=2;t=')
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert answered.headers["cache-control"] == "no-store"
    seen = world.seen.exchanges[0]
    assert (seen.operation, seen.status, seen.caller.subject, seen.problem) == (
        "changeThing",
        202,
        "subject-customer",
        "",
    )
    assert "Bearer" not in repr(seen)
    assert "hunter" not in repr(world.service.last)


# Each is wrong in one way more than the one before, seen from the end: the first check that fails answers.
_FLAWS: list[tuple[str, int, dict[str, Any]]] = [
    ("unauthorized", 401, {"authorization": ""}),
    ("forbidden", 403, {"authorization": "Bearer stranger"}),
    ("idempotency-key-missing", 400, {"idempotency-key": None}),
    ("precondition-required", 428, {"if-match": None}),
    ("unsupported-media-type", 415, {"content-type": "text/plain"}),
    ("body-too-large", 413, {"body": b'{"name":"' + b"x" * 200 + b'"}'}),
    ("invalid-request", 422, {"body": b'{"name":7}'}),
]


@pytest.mark.parametrize("first", range(len(_FLAWS)))
def test_the_order_of_the_checks(first: int) -> None:
    headers, body = dict(GOOD), BODY
    for _, _, flaw in reversed(_FLAWS[first:]):
        changed = dict(flaw)
        body = changed.pop("body", body)
        for name, value in changed.items():
            if value is None:
                headers.pop(name, None)
            else:
                headers[name] = value
    world = World()
    answered = world.ask("POST", PATH, body, headers=headers)
    code, status, _ = _FLAWS[first]
    assert (answered.problem, answered.status) == (code, status)
    assert answered.json["status"] == status
    assert answered.json["request_id"] == answered.headers["x-request-id"]
    assert answered.json["instance"] == PATH
    assert world.service.done == []
    assert world.seen.exchanges[0].problem == code


def test_the_rate_is_asked_after_the_role_and_before_the_body() -> None:
    world = World()
    wrong = GOOD | {"content-type": "text/plain"}
    assert [world.ask("POST", PATH, headers=wrong).status for _ in range(4)] == [415, 415, 415, 429]
    refused = world.ask("POST", PATH, headers=wrong)
    assert int(refused.headers["retry-after"]) >= int(refused.headers["ratelimit"].partition("t=")[2])
    assert refused.json["detail"] == "At most 3 requests in 1 min for each subject."
    assert world.ask("POST", PATH, headers=wrong | {"authorization": "Bearer stranger"}).status == 403
    assert world.ask("POST", PATH, BODY, headers=GOOD | {"authorization": "Bearer admin"}).status == 202


def test_guessing_is_counted_by_account_and_by_address() -> None:
    world = World()
    headers = {"content-type": "application/json"}

    def sign(email: str, address: str) -> int:
        return world.ask(
            "POST", "/v1/sessions", msgspec.json.encode({"email": email}), headers=headers, address=address
        ).status

    assert [sign(each, f"192.0.2.{at}") for at, each in enumerate(["a@x", " A@x", "a@X", "b@x"])] == [
        201,
        201,
        429,
        201,
    ]
    assert [sign(f"{at}@y", "198.51.100.1") for at in range(6)] == [201] * 5 + [429]


def test_whoever_has_a_network_of_addresses_is_counted_once() -> None:
    world, form = World(), {"content-type": "application/json"}

    def sign(address: str, email: str) -> int:
        body = msgspec.json.encode({"email": email})
        return world.ask("POST", "/v1/sessions", body, headers=form, address=address).status

    assert [sign(f"2001:db8:1:2::{at:x}", f"{at}@x") for at in range(1, 8)] == [201] * 5 + [429] * 2
    assert sign("2001:db8:1:3::1", "a@y") == 201
    assert [sign("::ffff:192.0.2.9", f"{at}@z") for at in range(5)] == [201] * 5
    assert sign("192.0.2.9", "b@z") == 429


def test_a_laboratory_may_ask_more_often() -> None:
    world = World(limit_factor=100)
    answered = world.ask("POST", PATH, BODY, headers=GOOD)
    assert answered.headers["ratelimit-policy"] == '"default";q=300;w=60'


@pytest.mark.parametrize("key", ["", "a" * 256, "a b", "ä", "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(key: str) -> None:
    answered = World().ask("POST", PATH, BODY, headers=GOOD | {"idempotency-key": key})
    assert (answered.status, answered.problem) == (400, "invalid-parameter")
    assert answered.json["errors"][0]["pointer"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("etag", "status"), [('"7"', 304), ('W/"7"', 304), ('"6", "7"', 304), ("*", 304), ('"8"', 200), ("7", 200)]
)
def test_what_the_caller_has_is_not_sent_again(etag: str, status: int) -> None:
    answered = World().ask("GET", f"/v1/things/{THING}", headers={"if-none-match": etag})
    assert (answered.status, answered.body == b"") == (status, status == 304)
    assert answered.headers["etag"] == '"7"'
    assert answered.headers["cache-control"] == "private, no-cache"
    assert ("content-length" in answered.headers) == (status == 200)


def test_head_options_and_other_methods() -> None:
    world = World()
    got, head = (world.ask(method, f"/v1/things/{THING}") for method in ("GET", "HEAD"))
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", got.headers["content-length"])
    options = world.ask("OPTIONS", f"/v1/things/{THING}")
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PATCH")
    wrong = world.ask("DELETE", f"/v1/things/{THING}")
    assert (wrong.status, wrong.problem, wrong.headers["allow"]) == (
        405,
        "method-not-allowed",
        "GET, HEAD, OPTIONS, PATCH",
    )
    assert world.ask("GET", "/v1/nothing").problem == "not-found"
    assert world.ask("GET", "/v1/things/").problem == "not-found"


@pytest.mark.parametrize(
    "name", ["x", "thg_", "thg_" + "AB" * 16, THING + "0", "acc_" + "ab" * 16, THING.replace("_", "")]
)
def test_an_identifier_that_nothing_has_is_not_found(name: str) -> None:
    assert World().ask("GET", f"/v1/things/{name}").problem == "not-found"


@given(st.uuids())
def test_identifiers_are_read_as_they_are_written(value: UUID) -> None:
    assert identifier(f"thg_{value.hex}", "thg") == identifier(value.hex) == identifier(str(value)) == value


def test_a_patch_says_what_it_takes() -> None:
    world = World()
    path = f"/v1/things/{THING}"
    refused = world.ask("PATCH", path, BODY, headers={"content-type": "application/json"})
    assert (refused.status, refused.headers["accept-patch"]) == (415, "application/merge-patch+json")
    taken = world.ask("PATCH", path, BODY, headers={"content-type": "Application/Merge-Patch+JSON; charset=utf-8"})
    assert (taken.status, taken.body) == (204, b"")
    assert "content-type" not in taken.headers
    zipped = {"content-type": "application/merge-patch+json", "content-encoding": "gzip"}
    assert world.ask("PATCH", path, BODY, headers=zipped).status == 415


def test_a_form_and_a_query_string() -> None:
    world = World()
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert world.ask("POST", "/v1/forms", b"email=a%40x", headers=form).json == {"email": "a@x"}
    assert world.ask("POST", "/v1/forms", b"email=a&email=b", headers=form).json["errors"][0]["pointer"] == "/email"
    assert world.ask("GET", "/v1/things", query="page_size=7").json == {"page_size": 7}
    assert world.ask("GET", "/v1/things", query="page_size=0").problem == "invalid-parameter"
    assert world.ask("GET", "/v1/things", query="%ff=1").problem == "invalid-parameter"
    unknown = world.ask("GET", f"/v1/things/{THING}", query="debug=1")
    assert (unknown.status, unknown.json["errors"][0]["pointer"]) == (400, "debug")


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=8))
def test_a_body_is_the_same_in_pieces(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    world = World()
    one = world.ask("POST", PATH, whole, headers=GOOD)
    other = world.ask("POST", PATH, headers=GOOD, pieces=pieces)
    assert one.status == other.status
    assert (one.status == 413) == (len(whole) > 100)


def test_a_body_that_says_it_is_too_large_is_not_waited_for() -> None:
    answered = World().ask("POST", PATH, headers=GOOD | {"content-length": "101"}, pieces=[])
    assert (answered.status, answered.headers["connection"]) == (413, "close")


def test_a_body_that_does_not_come_is_cut() -> None:
    slow: Operations[Service] = Operations()
    slow.post("/slow", id="slow", is_public=True, deadline_s=0.1)(take_form)
    edge: Edge[Service] = Edge(slow)
    edge.open(Service())
    form = {"content-type": "application/x-www-form-urlencoded"}
    answered = asyncio.run(ask(edge, "POST", "/slow", headers=form, pieces=[b"email="], is_whole=False))
    assert (answered.status, answered.problem, answered.headers["connection"]) == (408, "request-timeout", "close")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("slow", 503, "unavailable"), ("timeout", 503, "unavailable"), ("inside", 500, "internal-error"),
        ("unknown", 500, "internal-error"), ("state-conflict", 409, "state-conflict"),
    ],
)  # fmt: skip
def test_failures_tell_nothing_of_the_inside(kind: str, status: int, code: str) -> None:
    world = World()
    answered = world.ask("GET", f"/v1/failures/{kind}")
    assert (answered.status, answered.problem) == (status, code)
    for inside in (b"hunter2", b"db.internal", b"secret", b"Runtime", b"Traceback", b"no-such"):
        assert inside not in answered.body
    if status == 503:
        assert int(answered.headers["retry-after"]) >= 1
    assert (world.seen.exchanges[0].error is not None) == (kind in ("inside", "slow", "timeout"))
    assert world.edge.gate.in_flight == 0


@pytest.mark.parametrize("code", KINDS)
def test_every_problem_can_be_answered(code: str) -> None:
    problem = Problem(code, errors=(("/a", "Is wrong."),))
    answer = problem.answer(instance="/x", request_id="r")
    told = msgspec.json.decode(answer.body)
    assert told["type"] == f"/problems/{code}"
    assert (told["status"], told["title"], told["detail"]) == (answer.status, KINDS[code].title, KINDS[code].detail)
    assert told["errors"] == [{"pointer": "/a", "detail": "Is wrong."}]
    assert (answer.header(b"www-authenticate") is not None) == (answer.status == 401)
    assert (answer.header(b"retry-after") is not None) == (answer.status in (429, 503) or KINDS[code].passes)


def test_the_request_id_and_the_trace_of_the_caller_are_continued() -> None:
    world = World()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answered = world.ask("GET", f"/v1/things/{THING}", headers={"x-request-id": "abc.1", "traceparent": trace})
    assert answered.headers["x-request-id"] == "abc.1"
    assert world.service.last is not None
    ours = world.service.last.trace_parent
    assert ours[:36] == trace[:36]
    assert (ours[36:52] != trace[36:52], ours[-2:]) == (True, "00")
    assert world.service.last.request_id == "abc.1"


@pytest.mark.parametrize("given_", ["", "a" * 65, "a b", "a\nb", "<x>", "ä"])
def test_a_request_id_that_is_no_plain_token_is_replaced(given_: str) -> None:
    answered = World().ask("GET", "/v1/nothing", headers={"x-request-id": given_, "traceparent": "00-" + "0" * 32})
    assert answered.headers["x-request-id"].startswith("req_")
    assert len(answered.headers["x-request-id"]) == 36


def test_calls_to_others_carry_the_trace() -> None:
    seen: list[str] = []
    inner: Operations[None] = Operations()

    @inner.get("/", id="root", is_public=True)
    async def root(service: None, call: Call) -> Answer:
        seen.extend((tracing.trace_parent.get(), call.trace_parent, tracing.request_id.get(), call.request_id))
        return Answer.nothing()

    edge: Edge[None] = Edge(inner)
    edge.open(None)
    asyncio.run(ask(edge, "GET", "/"))
    assert seen[0] == seen[1]
    assert seen[2] == seen[3]


def test_addresses_behind_proxies() -> None:
    world = World(proxies_trusted=2)
    told = {"x-forwarded-for": "6.6.6.6, 203.0.113.5, 10.0.0.1"}
    world.ask("GET", f"/v1/things/{THING}", headers=told)
    assert world.seen.exchanges[0].address == "203.0.113.5"
    direct = World()
    direct.ask("GET", f"/v1/things/{THING}", headers=told)
    assert direct.seen.exchanges[0].address == "192.0.2.1"


def test_a_caller_of_ones_own_may_shorten_the_deadline() -> None:
    world = World(trusts_deadlines=True)
    world.ask("GET", f"/v1/things/{THING}", headers={"x-deadline-ms": "250"})
    assert world.service.last is not None
    assert 0 < world.service.last.deadline.left_s <= 0.25
    world.ask("GET", f"/v1/things/{THING}", headers={"x-deadline-ms": "999999999999"})
    assert world.service.last.deadline.left_s <= 10


def test_a_header_given_twice_is_not_half_overlooked() -> None:
    world = World()

    async def run() -> None:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": BODY}

        async def send(message: Any) -> None:
            sent.append(message)

        raw = [(name.encode(), value.encode()) for name, value in GOOD.items()]
        scope: Scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "client": None}
        await world.edge({**scope, "headers": [*raw, (b"authorization", b"Bearer admin")]}, receive, send)
        assert sent[0]["status"] == 403

    asyncio.run(run())


def test_too_much_at_once_is_refused_and_what_is_not_critical_first() -> None:
    async def run() -> None:
        some: Operations[asyncio.Event] = Operations()

        async def wait(service: asyncio.Event, call: Call) -> Answer:
            await service.wait()
            return Answer.nothing()

        some.get("/a", id="critical", is_public=True)(wait)
        some.get("/b", id="report", is_public=True, sheds_first=True)(wait)
        seen, event = Seen(), asyncio.Event()
        edge: Edge[asyncio.Event] = Edge(
            some, observer=seen, gate=Gate(in_flight_max=4, first_shed_at=0.5, shed=seen.shed)
        )
        edge.open(event)
        tasks = [asyncio.create_task(ask(edge, "GET", path)) for path in ("/b", "/b", "/b", "/a", "/a", "/a")]
        await asyncio.sleep(0.05)
        assert edge.gate.in_flight == 4
        assert not await edge.gate.drained(0.01)
        event.set()
        statuses = [each.status for each in await asyncio.gather(*tasks)]
        assert statuses == [204, 204, 503, 204, 204, 503]
        assert seen.reasons == ["not critical", "full"]
        assert await edge.gate.drained(0.01)

    asyncio.run(run())


def test_what_is_cut_is_answered() -> None:
    async def run() -> None:
        world = World()
        task = asyncio.create_task(ask(world.edge, "POST", PATH, headers=GOOD, pieces=[]))
        await asyncio.sleep(0.02)
        world.edge.drain()
        world.edge.gate.cut()
        answered = await task
        assert (answered.status, answered.headers["connection"]) == (408, "close")

    asyncio.run(run())


def test_whoever_cancels_the_request_is_heard() -> None:
    async def run() -> None:
        world = World()
        task = asyncio.create_task(ask(world.edge, "POST", PATH, headers=GOOD, pieces=[]))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert world.edge.gate.in_flight == 0

    asyncio.run(run())


def test_what_is_no_operation_goes_to_whoever_stands_behind() -> None:
    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body"})

    edge: Edge[Service] = Edge(operations, fallback=behind, is_claimed=lambda scope: scope["method"] == "PUT")
    edge.open(Service(), authenticator=Authenticator())
    asked = itertools.product(("GET", "PUT", "DELETE"), ("/v1/things", "/other"))
    statuses = [asyncio.run(ask(edge, method, path)).status for method, path in asked]
    assert statuses == [200, 418, 418, 418, 405, 418]


def test_a_service_without_an_authenticator_does_not_open() -> None:
    edge: Edge[Service] = Edge(operations)
    with pytest.raises(ValueError, match="changeThing"):
        edge.open(Service())
    assert asyncio.run(ask(edge, "POST", PATH, BODY, headers=GOOD)).status == 503


def test_what_401_asks_for() -> None:
    told = [World().ask("POST", PATH, headers=GOOD | {"authorization": each}) for each in ("", "Bearer expired")]
    assert [each.headers["www-authenticate"] for each in told] == ["Bearer", 'Bearer error="invalid_token"']
    world = World(challenge=b'payments realm="v1"')
    assert world.ask("POST", PATH).headers["www-authenticate"] == 'payments realm="v1"'


def test_what_cannot_be_meant_is_refused_at_import() -> None:
    some: Operations[None] = Operations()

    async def plain(service: None, call: Call) -> Answer:
        return Answer.nothing()

    async def many(service: None, call: Call, body: ThingCreate, query: ListThings) -> Answer:
        return Answer.nothing()

    async def other(service: None, call: Call, payload: ThingCreate) -> Answer:
        return Answer.nothing()

    async def loose(service: None, call: Call, body: dict[str, str]) -> Answer:
        return Answer.nothing()

    some.get("/a", id="a")(plain)
    with pytest.raises(ValueError, match="two operations a"):
        some.get("/b", id="a")(plain)
    with pytest.raises(ValueError, match="twice"):
        some.get("/a", id="b")(plain)
    for wrong in (many, other, loose):
        with pytest.raises(TypeError, match=wrong.__name__):
            some.get("/c", id="c")(wrong)
    with pytest.raises(ValueError, match="two operations a"):
        Operations(some, some)
    assert [each.id for each in Operations(some)] == ["a"]


def test_what_is_discouraged_says_so_with_every_answer() -> None:
    some: Operations[None] = Operations()
    old = ((b"deprecation", b"@1893456000"), (b"link", b'</v2>; rel="successor-version"'))

    @some.get("/{name}", id="old", is_public=True, headers=old)
    async def root(service: None, call: Call) -> Answer:
        return Answer.of({"id": str(call.identifier("name"))})

    edge: Edge[None] = Edge(some)
    edge.open(None)
    answered = [asyncio.run(ask(edge, "GET", path)) for path in ("/x", f"/{'0' * 32}", "/x")]
    assert [each.status for each in answered] == [404, 200, 404]
    assert {each.headers["deprecation"] for each in answered} == {"@1893456000"}


def test_an_answer_never_breaks_out_of_its_head() -> None:
    some: Operations[None] = Operations()

    @some.get("/", id="plain", is_public=True)
    async def plain(service: None, call: Call) -> Answer:
        return Answer(headers=((b"x-plain", b"1"),))

    @some.get("/broken", id="broken", is_public=True)
    async def broken(service: None, call: Call) -> Answer:
        return Answer(headers=((b"x-a", b"1\r\nset-cookie: a=b"),))

    written: list[bytes] = []

    async def run() -> None:
        edge: Edge[None] = Edge(some)
        edge.open(None)
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request"}

        class Server:
            arrived_s = 0.0
            task = None

            def body(self) -> bytes | None:
                return None

            def respond(self, status: int, head: bytes, body: bytes, is_last: bool) -> bool:
                written.append(head)
                return True

        scope: Scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "client": None,
            "headers": [],
        }
        await edge({**scope, DIRECT: Server()}, receive, send)
        assert [b"x-plain: 1" in head for head in written] == [True]
        await edge({**scope, "path": "/broken", DIRECT: Server()}, receive, send)
        # Left to the server, which checks every header.
        assert sent

    asyncio.run(run())
    assert len(written) == 1
