"""Events: written with their change or not at all, delivered at least once, signed, and taken once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web

from nines_runtime import (
    Database,
    Deadline,
    EmbeddedServer,
    Event,
    Inbox,
    Jobs,
    Outbox,
    Problem,
    Subscriber,
    Subscribers,
    check_signature,
    everywhere,
    relay_queue,
    subscribers_of,
)
from nines_runtime.data.subscribers import signature_headers

from .requests import Request, soon


def run(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def scenario() -> None:
        database = Database(url, size_max=6)
        try:
            await work(database)
        finally:
            await database.close()

    asyncio.run(scenario())


async def tell(database: Database, outbox: Outbox, number: int, event: str = "thing.made") -> None:
    async with database.transaction(soon()) as tx:
        await outbox.add(tx, Request(), event, f"thn_{number}", {"number": number}, version=2)


async def emptied(database: Database, limit_s: float = 20) -> None:
    async with asyncio.timeout(limit_s):
        while await database.fetch(soon(), "SELECT 1 FROM outbox WHERE NOT is_dead LIMIT 1"):
            await asyncio.sleep(0.02)


async def hurried(database: Database) -> None:
    await database.execute(soon(), "UPDATE outbox SET next_attempt_at = now() WHERE NOT is_dead AND attempts > 0")


def test_an_event_stands_or_falls_with_its_change(url: str) -> None:
    async def work(database: Database) -> None:
        woken: list[int] = []
        outbox = Outbox(destinations=everywhere("billing", "search"), on_added=lambda: woken.append(1))
        with pytest.raises(KeyError):
            async with database.transaction(soon()) as tx:
                await outbox.add(tx, Request(), "thing.made", "thn_1", {})
                raise KeyError
        await tell(database, outbox, 2)
        rows = await database.fetch(soon(), "SELECT destination, subject_id, payload, trace_parent FROM outbox")
        assert {row["destination"] for row in rows} == {"billing", "search"}
        assert {row["subject_id"] for row in rows} == {"thn_2"}
        assert rows[0]["payload"] == {"number": 2}
        assert rows[0]["trace_parent"] == Request().trace_parent
        assert len(woken) == 2

    run(url, work)


def test_two_relays_lose_nothing_and_repeat_only_what_was_in_doubt(server: EmbeddedServer, url: str) -> None:
    """One of them is stopped hard, and the server is killed once."""

    async def work(database: Database) -> None:
        outbox = Outbox(destinations=everywhere("billing"))
        taken: Counter[str] = Counter()

        async def deliver(event: Event, deadline: Deadline) -> None:
            await asyncio.sleep(0.005)
            taken[event.subject] += 1

        queue = relay_queue(outbox, deliver, service="shop", lease_s=1.0, poll_s=0.05, concurrency=8)
        first, second = (Jobs(database, queues=[queue]) for _ in range(2))
        async with database.transaction(soon()) as tx:
            for number in range(300):
                await outbox.add(tx, Request(), "thing.made", f"thn_{number}", {})
        first.start()
        second.start()
        await asyncio.sleep(0.1)
        await first.stop(0.0)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(30):
            while True:
                try:
                    await emptied(database)
                except Problem:
                    await asyncio.sleep(0.05)
                else:
                    break
        await second.stop(5)
        assert set(taken) == {f"thn_{number}" for number in range(300)}
        assert sum(taken.values()) < 360

    run(url, work)


def test_what_nobody_takes_is_kept_as_dead(url: str) -> None:
    async def work(database: Database) -> None:
        outbox = Outbox(destinations=everywhere("billing"))
        attempts: list[int] = []

        async def deliver(event: Event, deadline: Deadline) -> None:
            attempts.append(event.attempt)
            raise OSError

        jobs = Jobs(database, queues=[relay_queue(outbox, deliver, service="shop", attempts_max=3, poll_s=0.05)])
        await tell(database, outbox, 1)
        jobs.start()
        async with asyncio.timeout(15):
            while not await database.fetch(soon(), "SELECT 1 FROM outbox WHERE is_dead"):
                await hurried(database)
                await asyncio.sleep(0.05)
        await jobs.stop(5)
        assert attempts == [1, 2, 3]

    run(url, work)


class Receiver:
    """A subscriber: takes what is signed, once, and fails now and then."""

    def __init__(self, database: Database, secrets: tuple[str, ...]) -> None:
        self.database, self.secrets = database, secrets
        self.events: list[Any] = []
        self.requests = 0
        self.refused = 0
        self.fails_first = 0
        self.trace_parents: set[str] = set()

    async def take(self, request: web.Request) -> web.Response:
        self.requests += 1
        body = await request.read()
        try:
            headers = {name.lower(): value for name, value in request.headers.items()}
            id = check_signature(self.secrets, headers, body, now_s=float(headers["webhook-timestamp"]))
        except Problem:
            self.refused += 1
            return web.Response(status=401)
        if self.requests <= self.fails_first:
            return web.Response(status=500)
        async with self.database.transaction(soon()) as tx:
            if await Inbox().is_new(tx, "shop", id):
                self.events.append(msgspec.json.decode(body))
                self.trace_parents.add(request.headers["traceparent"])
        return web.Response(status=204)


async def served(receiver: Receiver) -> tuple[web.AppRunner, str]:
    application = web.Application()
    application.router.add_post("/events", receiver.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/events"


def test_subscribers_get_what_they_want_signed_and_until_they_take_it(url: str) -> None:
    async def work(database: Database) -> None:
        receiver = Receiver(database, ("new",))
        receiver.fails_first = 2
        runner, where = await served(receiver)
        # The subscriber knows the new secret only: both are used while it changes over.
        subscribers = Subscribers(
            {"billing": Subscriber(url=where, secrets=("old", "new"), events=("thing.made",))}, allows_private=True
        )
        outbox = Outbox(destinations=subscribers.destinations)
        jobs = Jobs(database, queues=[relay_queue(outbox, subscribers.deliver, service="shop", poll_s=0.05)])
        for number in range(6):
            await tell(database, outbox, number)
        await tell(database, outbox, 7, "thing.lost")
        jobs.start()
        for _ in range(100):
            await hurried(database)
            await asyncio.sleep(0.05)
            if len(receiver.events) == 6:
                break
        await emptied(database)
        await jobs.stop(5)
        await subscribers.close()
        await runner.cleanup()
        assert sorted(each["data"]["number"] for each in receiver.events) == list(range(6))
        event = receiver.events[0]
        assert (event["specversion"], event["type"], event["source"]) == ("1.0", "shop.thing.made.v2", "/shop")
        assert event["time"].endswith("Z")
        assert event["subject"].startswith("thn_")
        assert receiver.refused == 0
        assert all(each.startswith("00-0af7651916cd43dd8448eb211c80319c-") for each in receiver.trace_parents)

    run(url, work)


def test_a_subscriber_that_is_unknown_or_unreachable_keeps_its_events(url: str) -> None:
    async def work(database: Database) -> None:
        subscribers = Subscribers({"gone": Subscriber(url="http://127.0.0.1:9/", secrets=("s",))}, allows_private=True)
        outbox = Outbox(destinations=everywhere("gone", "unknown"))
        jobs = Jobs(database, queues=[relay_queue(outbox, subscribers.deliver, service="shop", poll_s=0.05)])
        await tell(database, outbox, 1)
        jobs.start()
        async with asyncio.timeout(15):
            while len(await database.fetch(soon(), "SELECT 1 FROM outbox WHERE last_error IS NOT NULL")) < 2:
                await asyncio.sleep(0.05)
        await jobs.stop(5)
        await subscribers.close()
        rows = await database.fetch(soon(), "SELECT destination, last_error FROM outbox ORDER BY destination")
        assert [tuple(row) for row in rows] == [("gone", "Unanswered: unavailable"), ("unknown", "LookupError")]

    run(url, work)


def test_the_same_delivery_is_taken_once(url: str) -> None:
    async def work(database: Database) -> None:
        inbox = Inbox()
        effects = 0

        async def take() -> None:
            nonlocal effects
            async with database.transaction(soon()) as tx:
                if await inbox.is_new(tx, "billing", "e-1"):
                    await asyncio.sleep(0.01)
                    effects += 1

        with pytest.raises(KeyError):
            async with database.transaction(soon()) as tx:
                assert await inbox.is_new(tx, "billing", "e-1")
                raise KeyError
        await asyncio.gather(*(take() for _ in range(12)))
        assert effects == 1
        async with database.transaction(soon()) as tx:
            assert await inbox.is_new(tx, "another", "e-1")
        assert await inbox.purge(database, soon()) == 0
        assert await inbox.purge(database, soon(), ttl_s=0.0) == 2

    run(url, work)


HEADERS = signature_headers(["s1", "s2"], "e-1", 1_000, b"{}")


@pytest.mark.parametrize(
    ("secrets", "changes", "body", "now_s"),
    [
        (["other"], {}, b"{}", 1_000),
        (["s1"], {}, b"{ }", 1_000),
        (["s1"], {"webhook-id": "e-2"}, b"{}", 1_000),
        (["s1"], {"webhook-id": ""}, b"{}", 1_000),
        (["s1"], {"webhook-timestamp": "1001"}, b"{}", 1_000),
        (["s1"], {"webhook-timestamp": "x"}, b"{}", 1_000),
        (["s1"], {"webhook-timestamp": "²"}, b"{}", 1_000),
        (["s1"], {"webhook-signature": ""}, b"{}", 1_000),
        (["s1"], {"webhook-signature": "v1,ü"}, b"{}", 1_000),
        (["s1"], {}, b"{}", 1_400),
        (["s1"], {}, b"{}", 600),
    ],
)
def test_what_is_not_signed_is_refused(secrets: list[str], changes: dict[str, str], body: bytes, now_s: float) -> None:
    with pytest.raises(Problem) as told:
        check_signature(secrets, HEADERS | changes, body, now_s=now_s)
    assert told.value.code == "unauthorized"


def test_either_secret_holds_while_one_is_changed() -> None:
    assert check_signature(["s1"], HEADERS, b"{}", now_s=1_100) == "e-1"
    assert check_signature(["nothing", "s2"], HEADERS, b"{}", now_s=900) == "e-1"
    # The example of the scheme's own documents: a key in base64, and what it signs.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signature_headers(
        [secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )  # fmt: skip
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "text",
    ["[]", '{"a": {"url": "https://a.example"}}', '{"a": {"url": "ftp://a.example", "secrets": ["x"]}}',
     '{"a": {"url": "https://a.example", "secrets": []}}', "top-secret"],
)  # fmt: skip
def test_subscribers_that_cannot_be_are_refused_without_telling_their_secrets(text: str) -> None:
    with pytest.raises(ValueError, match=r"subscriber|Subscribers") as told:
        subscribers_of(text)
    assert "top-secret" not in str(told.value)
    assert subscribers_of("") == {}
    assert subscribers_of('{"a": {"url": "https://a.example", "secrets": ["x"]}}')["a"].secrets == ("x",)
