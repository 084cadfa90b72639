from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from nines_runtime.calls import tracing
from nines_runtime.calls.breaker import Breaker
from nines_runtime.calls.bulkhead import Bulkhead
from nines_runtime.calls.client import Client
from nines_runtime.calls.credential import Credential
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.outcome import Declined, Unanswered, Why
from nines_runtime.calls.retry import Retry, RetryBudget
from nines_runtime.web.problem import KINDS


class Captured(msgspec.Struct):
    id: str
    amount_minor: int


class Told:
    """A CallObserver that remembers."""

    def __init__(self) -> None:
        self.ends: list[tuple[str, str]] = []
        self.in_flight = self.retries = self.refusals = 0
        self.is_open: list[bool] = []

    def began(self, dependency: str) -> None:
        self.in_flight += 1

    def ended(self, dependency: str, verb: str, outcome: str, duration_s: float) -> None:
        self.in_flight -= 1
        self.ends.append((verb, outcome))
        assert duration_s >= 0

    def refused(self, dependency: str, verb: str) -> None:
        self.refusals += 1

    def retried(self, dependency: str) -> None:
        self.retries += 1

    def breaker(self, dependency: str, *, is_open: bool) -> None:
        self.is_open.append(is_open)


def quick(**figures: Any) -> Retry:
    return Retry(**{"base_s": 0.001, "ceiling_s": 0.002, **figures})


def test_an_answer_with_everything_that_goes_out(peer: Any, http: Any) -> None:
    async def whole() -> None:
        async with peer(http.says(http.answer(201, b'{"id":"c1","amount_minor":5,"more":1}', "X-Seen: yes"))) as other:
            tracing.trace_parent.set(f"00-{'a' * 32}-{'b' * 16}-01")
            tracing.request_id.set("r-1")
            async with Client(
                "gateway", f"{other.url}/v1/", credential="s3cret", headers={"Api-Version": "7"}
            ) as client:
                reply = await client.post(
                    Deadline.after(5), "/captures", {"amount_minor": 5}, verb="capture", key="k1", query={"a": "b c"}
                )
            assert (reply.status, reply.headers["x-seen"]) == (201, "yes")
            assert reply.decode(Captured) == Captured("c1", 5)
            assert reply.json()["more"] == 1
            asked = other.asked[0]
            assert (asked.method, asked.target, asked.body) == ("POST", "/v1/captures?a=b+c", b'{"amount_minor":5}')
            assert asked.headers["idempotency-key"] == "k1"
            assert asked.headers["authorization"] == "Bearer s3cret"
            assert asked.headers["content-type"] == "application/json"
            assert asked.headers["api-version"] == "7"
            assert asked.headers["x-request-id"] == "r-1"
            assert 0 < int(asked.headers["x-deadline-ms"]) <= 2_000
            trace = asked.headers["traceparent"].split("-")
            assert (trace[1], trace[3]) == ("a" * 32, "01")
            assert trace[2] != "b" * 16

    asyncio.run(whole())


def test_a_connection_is_kept_and_used_again(peer: Any, http: Any) -> None:
    async def whole() -> None:
        async with peer(http.says(http.answer(200, b"{}"))) as other, Client("gateway", other.url) as client:
            for _ in range(5):
                await client.get(Deadline.after(5), "/x")
            assert (other.connections, len(other.asked)) == (1, 5)

    asyncio.run(whole())


def test_declined_for_good_with_a_reason_that_tells_no_secret(peer: Any, http: Any) -> None:
    text = "No funds on 4242 4242 4242 4242 of ada@example.com, key s3cret-key"
    said = msgspec.json.encode({"error": {"code": "card_declined", "message": text}})

    async def whole() -> None:
        told = Told()
        async with (
            peer(http.says(http.answer(402, said))) as other,
            Client("gateway", other.url, credential="s3cret-key", retry=quick(), observer=told) as client,
        ):
            with pytest.raises(Declined) as caught:
                await client.post(Deadline.after(5), "/x", {}, verb="capture", key="k")
            assert caught.value.status == 402
            assert caught.value.reason_code == "card_declined"
            assert caught.value.reason == "No funds on [redacted] of [redacted], key [redacted]"
            assert "s3cret" not in f"{caught.value} {caught.value!r} {client!r} {client.__dict__}"
            assert (caught.value.code, caught.value.detail) == ("declined", "")
            assert (told.ends, told.in_flight, told.retries) == ([("capture", "refused")], 0, 0)

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, Why.CREDENTIAL),
        (403, Why.CREDENTIAL),
        (407, Why.CREDENTIAL),
        (405, Why.NOT_UNDERSTOOD),
        (415, Why.NOT_UNDERSTOOD),
        (431, Why.NOT_UNDERSTOOD),
    ],
)
def test_what_is_wrong_between_the_two_declines_nobodys_payment(peer: Any, http: Any, status: int, why: Why) -> None:
    async def whole() -> None:
        async with peer(http.says(http.answer(status))) as other, Client("g", other.url, retry=quick()) as client:
            with pytest.raises(Unanswered) as caught:
                await client.post(Deadline.after(5), "/x", {}, key="k")
            assert (caught.value.why, caught.value.may_have_happened, len(other.asked)) == (why, False, 1)

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("method", "key", "times"), [("GET", "", 3), ("PUT", "", 3), ("DELETE", "", 3), ("POST", "k", 3), ("POST", "", 1)]
)
def test_only_what_can_be_repeated_is(peer: Any, http: Any, method: str, key: str, times: int) -> None:
    async def whole() -> None:
        told = Told()
        async with (
            peer(http.says(http.answer(503))) as other,
            Client("g", other.url, retry=quick(), observer=told) as client,
        ):
            with pytest.raises(Unanswered) as caught:
                await client.request(Deadline.after(5), method, "/x", key=key)
            assert len(other.asked) == times
            assert told.retries == times - 1
            assert caught.value.why is Why.FAILED
            assert caught.value.may_have_happened == (method != "GET")
            assert caught.value.code in KINDS
            assert {asked.headers.get("idempotency-key", "") for asked in other.asked} == {key}

    asyncio.run(whole())


def test_each_attempt_that_did_not_end_well_is_told_without_values(
    peer: Any, http: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def whole() -> None:
        async with (
            peer(http.says(http.answer(503, b"s3cret"))) as other,
            Client("g", other.url, retry=quick(), credential="s3cret") as client,
        ):
            with pytest.raises(Unanswered):
                await client.post(Deadline.after(5), "/x?s3cret", {"a": "s3cret"}, verb="pay", key="s3cret")

    asyncio.run(whole())
    told = [record for record in caplog.records if record.name == "nines_runtime.calls"]
    assert [vars(record)["attempt"] for record in told] == [1, 2, 3]
    assert {(vars(record)["dependency"], vars(record)["verb"], vars(record)["outcome"]) for record in told} == {
        ("g", "pay", "failed")
    }
    assert not any("s3cret" in str(vars(record)) for record in told)


def test_a_second_attempt_may_answer(peer: Any, http: Any) -> None:
    async def whole() -> None:
        answers = http.says(http.answer(500), http.answer(200, b"1"))
        async with peer(answers) as other, Client("g", other.url, retry=quick()) as client:
            assert (await client.get(Deadline.after(5), "/x")).json() == 1

    asyncio.run(whole())


def test_the_budget_bounds_repetitions(peer: Any, http: Any) -> None:
    async def whole() -> None:
        budget = RetryBudget(share=0.0, saved_max=2.0)
        async with (
            peer(http.says(http.answer(500))) as other,
            Client("g", other.url, retry=quick(max=5, budget=budget)) as client,
        ):
            for _ in range(4):
                with pytest.raises(Unanswered):
                    await client.get(Deadline.after(5), "/x")
            assert len(other.asked) == 4 + 2

    asyncio.run(whole())


def test_comes_back_when_it_was_asked_to(peer: Any, http: Any) -> None:
    async def whole() -> None:
        answers = http.says(http.answer(429, b"", "Retry-After: 1"), http.answer(200, b"1"))
        async with peer(answers) as other, Client("g", other.url, retry=quick()) as client:
            began = asyncio.get_running_loop().time()
            assert (await client.post(Deadline.after(20), "/x", key="k")).json() == 1
            assert asyncio.get_running_loop().time() - began >= 1.0

    asyncio.run(whole())


def test_does_not_wait_where_nobody_would_be_there_any_more(peer: Any, http: Any) -> None:
    async def whole() -> None:
        answers = http.says(http.answer(503, b"", "Retry-After: 60"))
        async with peer(answers) as other, Client("g", other.url, retry=quick()) as client:
            with pytest.raises(Unanswered) as caught:
                await client.post(Deadline.after(10), "/x", key="k")
            assert (caught.value.retry_after_s, len(other.asked)) == (60.0, 1)

    asyncio.run(whole())


def test_a_conflict_over_its_own_key_is_no_refusal(peer: Any, http: Any) -> None:
    """The first attempt failed there, and may still be under way when the second comes."""

    async def whole() -> None:
        answers = http.says(http.answer(502), http.answer(409), http.answer(200, b"1"))
        async with peer(answers) as other, Client("g", other.url, retry=quick()) as client:
            assert (await client.post(Deadline.after(5), "/x", key="k")).json() == 1
        async with peer(http.says(http.answer(409))) as other, Client("g", other.url, retry=quick()) as client:
            with pytest.raises(Declined):
                await client.post(Deadline.after(5), "/x", key="k")

    asyncio.run(whole())


def test_the_breaker_counts_what_is_their_fault(peer: Any, http: Any) -> None:
    async def whole() -> None:
        told = Told()
        breaker = Breaker(error_share=0.5, of=4, open_s=60)
        answers = http.says(*[http.answer(404)] * 6, http.answer(500))
        async with peer(answers) as other, Client("g", other.url, breaker=breaker, observer=told) as client:
            for _ in range(6):
                with pytest.raises(Declined):
                    await client.get(Deadline.after(5), "/x")
            assert not breaker.is_open
            for _ in range(2):
                with pytest.raises(Unanswered):
                    await client.get(Deadline.after(5), "/x")
            with pytest.raises(Unanswered) as caught:
                await client.post(Deadline.after(5), "/x", verb="pay", key="k")
            assert (caught.value.why, caught.value.may_have_happened) == (Why.BREAKER_OPEN, False)
            assert caught.value.retry_after_s is not None
            assert (len(other.asked), told.is_open, told.refusals) == (8, [False, True], 1)

    asyncio.run(whole())


def test_a_full_bulkhead_answers_at_once(peer: Any) -> None:
    async def whole() -> None:
        gate = asyncio.Event()

        async def slow(_: Any, writer: asyncio.StreamWriter) -> None:
            await gate.wait()
            writer.write(b"HTTP/1.1 204 Done\r\n\r\n")

        bulkhead = Bulkhead(2, waiting_max=0)
        async with peer(slow) as other, Client("g", other.url, bulkhead=bulkhead, timeout_s=30) as client:
            first = [asyncio.create_task(client.get(Deadline.after(30), "/x")) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(Unanswered) as caught:
                await client.get(Deadline.after(30), "/x")
            assert (caught.value.why, caught.value.may_have_happened) == (Why.BULKHEAD_FULL, False)
            gate.set()
            assert [each.status for each in await asyncio.gather(*first)] == [204, 204]
            assert bulkhead.in_flight == 0

    asyncio.run(whole())


def test_a_credential_that_changes_and_another_header(peer: Any, http: Any) -> None:
    async def whole() -> None:
        given = iter(("one", "two"))

        async def take() -> Credential:
            return Credential(next(given), header="x-api-key")

        answers = http.says(http.answer(503), http.answer(200, b"1"))
        async with peer(answers) as other, Client("g", other.url, retry=quick(), credential=take) as client:
            await client.get(Deadline.after(5), "/x")
            assert [asked.headers["x-api-key"] for asked in other.asked] == ["one", "two"]

    asyncio.run(whole())


def test_the_address_itself_with_what_it_asks_for(peer: Any, http: Any) -> None:
    async def whole() -> None:
        async with peer(http.says(http.answer(200, b"1"))) as other:
            async with Client("hook", f"{other.url}/hooks/a/?token=s3cret%2F1") as client:
                await client.post(Deadline.after(5), "", b"x")
                await client.get(Deadline.after(5), "/more?a=1", query={"b": 2, "token": "3"})
                assert "s3cret" not in repr(client)
            assert [asked.target for asked in other.asked] == [
                "/hooks/a/?token=s3cret/1",
                "/hooks/a/more?a=1&token=s3cret/1&b=2&token=3",
            ]

    asyncio.run(whole())


def test_forms_and_bytes(peer: Any, http: Any) -> None:
    async def whole() -> None:
        async with peer(http.says(http.answer(200, b"1"))) as other, Client("g", other.url) as client:
            await client.request(Deadline.after(5), "POST", "/x", form={"a": "b&c"})
            await client.request(Deadline.after(5), "POST", "/x", body=b"\0", headers={"Content-Type": "image/png"})
            assert [(each.body, each.headers["content-type"]) for each in other.asked] == [
                (b"a=b%26c", "application/x-www-form-urlencoded"),
                (b"\0", "image/png"),
            ]

    asyncio.run(whole())


@pytest.mark.parametrize(
    "path", ["x", "//evil.test/x", "/a/../b", "/a/%2e%2e/b", "/a/..%2fb", "/a\\..\\b", "ftp://h/x"]
)
def test_a_path_leads_nowhere_else(path: str) -> None:
    async def whole() -> None:
        async with Client("g", "http://127.0.0.1:9/v1") as client:
            with pytest.raises(ValueError, match="path"):
                await client.get(Deadline.after(5), path)

    asyncio.run(whole())


@pytest.mark.parametrize("url", ["gateway", "ftp://h", "http://", "http://u:p@h", "http://h/#f"])
def test_an_address_that_means_nothing_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="gateway"):
        Client("gateway", url)


@pytest.mark.parametrize("key", ["a\nb", "ä", "x" * 256])
def test_a_key_that_is_none_is_not_sent(key: str) -> None:
    async def whole() -> None:
        async with Client("g", "http://127.0.0.1:9") as client:
            with pytest.raises(ValueError, match="key"):
                await client.post(Deadline.after(5), "/x", key=key)

    asyncio.run(whole())


def test_an_answer_of_another_shape_leaves_open_what_was_done(peer: Any, http: Any) -> None:
    async def whole() -> None:
        async with peer(http.says(http.answer(200, b'{"id":1}'))) as other, Client("g", other.url) as client:
            reply = await client.post(Deadline.after(5), "/x", verb="pay", key="k")
            with pytest.raises(Unanswered) as caught:
                reply.decode(Captured)
            assert (caught.value.why, caught.value.may_have_happened) == (Why.NOT_UNDERSTOOD, True)

    asyncio.run(whole())
