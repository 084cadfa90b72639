"""API keys, cookies, forged requests and what was revoked."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.security.apikeys import ApiKey, ApiKeyAuthenticator, KeptKey
from nines_runtime.security.revocation import Revocations
from nines_runtime.security.sessions import (
    COOKIE,
    Csrf,
    SessionAuthenticator,
    cookie_of,
    ended_cookie,
    new_session,
    session_cookie,
)
from nines_runtime.web.caller import ANONYMOUS, Caller
from nines_runtime.web.problem import Problem

ADA = Caller(subject="ada")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_an_api_key_is_asked_for_once_and_ends_when_it_was_revoked() -> None:
    async def whole() -> None:
        key, clock, asked = ApiKey("sk"), Clock(), list[str]()
        kept: dict[str, KeptKey] = {key.id: KeptKey(digest=key.digest, caller=ADA)}

        async def find(id: str) -> KeptKey | None:
            asked.append(id)
            return kept.get(id)

        authenticator = ApiKeyAuthenticator(find, fresh_s=30, cache_size=2, clock=clock)
        for _ in range(3):
            assert await authenticator.authenticate({"x-api-key": key.text}, address="") is ADA
        assert asked == [key.id]
        assert await authenticator.authenticate({}, address="") is ANONYMOUS
        kept.clear()
        clock.now += 31
        with pytest.raises(Problem):
            await authenticator.authenticate({"x-api-key": key.text}, address="")
        assert key.text not in f"{key} {key!r}"

    asyncio.run(whole())


def test_an_api_key_that_ends_is_not_believed_from_memory() -> None:
    async def whole() -> None:
        key, clock = ApiKey("sk"), Clock()

        async def find(id: str) -> KeptKey | None:
            return KeptKey(digest=key.digest, caller=Caller(subject="ada", expires_at_s=1_010.0))

        authenticator = ApiKeyAuthenticator(find, clock=clock)
        await authenticator.authenticate({"x-api-key": key.text}, address="")
        clock.now += 10
        with pytest.raises(Problem):
            await authenticator.authenticate({"x-api-key": key.text}, address="")

    asyncio.run(whole())


@given(st.text(max_size=100))
def test_other_keys_are_refused(text: str) -> None:
    async def whole() -> None:
        key = ApiKey("sk")

        async def find(id: str) -> KeptKey | None:
            return KeptKey(digest=key.digest, caller=ADA)

        authenticator = ApiKeyAuthenticator(find)
        for shown in (text, key.text[:-1] + ("A" if key.text[-1] != "A" else "B"), key.text + text if text else "x"):
            with pytest.raises(Problem) as caught:
                await authenticator.authenticate({"x-api-key": shown}, address="")
            assert caught.value.code == "unauthorized"

    asyncio.run(whole())


@pytest.mark.parametrize("prefix", ["", "A", "1a", "a_b", "x" * 20])
def test_a_prefix_is_a_short_word(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        ApiKey(prefix)


def test_a_session_is_a_cookie_that_no_script_reads() -> None:
    async def whole() -> None:
        secret = new_session()
        name, value = session_cookie(secret.text, max_age_s=3_600)
        assert name == b"set-cookie"
        assert value.startswith(f"__Host-session={secret.text}; ".encode())
        assert {b"HttpOnly", b"Secure", b"SameSite=Lax", b"Path=/", b"Max-Age=3600"} <= set(value.split(b"; "))

        async def find(digest: bytes) -> Caller | None:
            return ADA if digest == secret.digest else None

        authenticator = SessionAuthenticator(find)
        headers = {"cookie": f"a=b; {COOKIE}={secret.text}; c=d"}
        assert await authenticator.authenticate(headers, address="") is ADA
        assert await authenticator.authenticate({"cookie": "a=b"}, address="") is ANONYMOUS
        for other in ("x", new_session().text, "ses_" + "x" * 5_000):
            with pytest.raises(Problem):
                await authenticator.authenticate({"cookie": f"{COOKIE}={other}"}, address="")

    asyncio.run(whole())
    assert b"Max-Age=0" in ended_cookie()[1]


@pytest.mark.parametrize("given_", [f"{COOKIE}=a; {COOKIE}=b", "x" * 9_000 + f"; {COOKIE}=a", "", "=;=", COOKIE])
def test_a_cookie_that_is_not_sure_is_none(given_: str) -> None:
    assert cookie_of({"cookie": given_}) == ""


@pytest.mark.parametrize("text", ["a;b", "a b", "a\r\nSet-Cookie: x", "ä", 'a"b'])
def test_a_cookie_cannot_begin_another_header(text: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        session_cookie(text, max_age_s=1)
    with pytest.raises(ValueError, match="SameSite"):
        session_cookie("a", max_age_s=1, same_site=text)


def test_a_request_that_a_page_of_somebody_else_made_is_refused() -> None:
    old, new = b"o" * 32, b"n" * 32
    csrf = Csrf([new, old], origins=["https://app.example"])
    token = csrf.token("ses_1")
    good = {"x-csrf-token": token, "origin": "https://app.example", "sec-fetch-site": "same-origin"}
    csrf.check("POST", good, "ses_1")
    csrf.check("POST", {"x-csrf-token": Csrf([old]).token("ses_1")}, "ses_1")
    csrf.check("GET", {}, "")
    refused = [
        ({}, "ses_1"),
        (good, "ses_2"),
        (good, ""),
        (good | {"origin": "https://evil.example"}, "ses_1"),
        (good | {"origin": "null"}, "ses_1"),
        (good | {"sec-fetch-site": "cross-site"}, "ses_1"),
        (good | {"x-csrf-token": Csrf([b"x" * 32]).token("ses_1")}, "ses_1"),
        (good | {"x-csrf-token": token + "ä"}, "ses_1"),
    ]
    for headers, session in refused:
        with pytest.raises(Problem) as caught:
            csrf.check("POST", headers, session)
        assert caught.value.code == "forbidden"
    for keys in ([], [b"short"]):
        with pytest.raises(ValueError, match="CSRF_KEY"):
            Csrf(keys)


def test_what_was_revoked_is_remembered_as_long_as_its_tokens_live() -> None:
    async def whole() -> None:
        clock = Clock()
        revocations = Revocations(ttl_s=600, size=3, clock=clock)
        assert not await revocations.is_revoked(Caller(subject="ada", session="s1"))
        revocations.revoke("s1")
        revocations.revoke("grace")
        assert await revocations.is_revoked(Caller(subject="ada", session="s1"))
        assert await revocations.is_revoked(Caller(subject="grace", session="s9"))
        assert not await revocations.is_revoked(Caller(subject="ada", session=""))
        for each in ("s2", "s3"):
            revocations.revoke(each)
        assert not await revocations.is_revoked(Caller(session="s1"))
        clock.now += 600
        assert not await revocations.is_revoked(Caller(session="s3"))

    asyncio.run(whole())


def test_known_api_keys_are_bounded() -> None:
    async def whole() -> None:
        keys = {key.id: key for key in (ApiKey("sk") for _ in range(5))}

        async def find(id: str) -> KeptKey | None:
            return KeptKey(digest=keys[id].digest, caller=Caller(subject=id))

        authenticator = ApiKeyAuthenticator(find, cache_size=2)
        for id, key in keys.items():
            assert (await authenticator.authenticate({"x-api-key": key.text}, address="")).subject == id
        assert len(authenticator._known) == 2

    asyncio.run(whole())
