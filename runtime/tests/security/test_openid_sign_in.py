"""Signing in at a provider: by the browser that asked, once, with what the provider signed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls.deadline import Deadline
from nines_runtime.security import encoding
from nines_runtime.security.issuing import LocalIssuer
from nines_runtime.security.keys import SigningKey, SigningKeys
from nines_runtime.security.openid import (
    COOKIE,
    Begins,
    LocalProvider,
    OpenIdProvider,
    Pretends,
    Returns,
    SignIns,
)
from nines_runtime.security.signed_in import SignedIn
from nines_runtime.security.tokens import TokenRules
from nines_runtime.web.answer import Answer
from nines_runtime.web.call import Call
from nines_runtime.web.caller import Caller
from nines_runtime.web.problem import Problem

CLIENT, SECRET, HOME = "tickets-web", "pass:word", "https://tickets.test"
KEY = SigningKey.generate()


class Kept:
    """Sessions of a test."""

    def __init__(self) -> None:
        self.opened: list[Caller] = []
        self.ended: list[str] = []

    async def open(self, caller: Caller) -> str:
        self.opened.append(caller)
        return "ses_secret"

    async def end(self, session: str) -> None:
        self.ended.append(session)


class Elsewhere:
    """A provider that gives one code, for one challenge, and tells what a test wants."""

    def __init__(self) -> None:
        self.url = ""
        self.challenge = ""
        self.claims: dict[str, Any] = {}
        self.nonce = ""
        self.audience = CLIENT
        self.key = KEY
        self.redeemed: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("openid-configuration"):
            found = {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/authorize?tenant=x",
                "token_endpoint": f"{self.url}/token",
            }
            return web.json_response(found)
        if request.path == "/keys":
            return web.Response(body=SigningKeys([KEY]).jwks(), content_type="application/json")
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.redeemed.append({**form, "authorization": request.headers.get("authorization", "")})
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != self.challenge or form["code"] != "one":
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": "x", "id_token": self.token()})

    def token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.audience, "sub": "ada", "iat": now, "exp": now + 60, "nonce": self.nonce}
        head = {"alg": "EdDSA", "kid": self.key.kid, "typ": "JWT"}
        parts = (head, claims | {"roles": ["agent"]} | self.claims)
        text = ".".join(encoding.encode(json.dumps(part).encode()) for part in parts)
        return f"{text}.{encoding.encode(self.key.sign(text.encode()))}"


@asynccontextmanager
async def provider() -> AsyncIterator[Elsewhere]:
    found = Elsewhere()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()


def call(cookie: str = "", session: str = "") -> Call:
    headers = {"cookie": cookie} if cookie else {}
    return Call(
        operation="x",
        method="GET",
        path="/",
        headers=headers,
        caller=Caller(subject="u", session=session),
        deadline=Deadline.after(5),
    )


def cookies(answer: Answer) -> list[str]:
    return [value.decode() for name, value in answer.headers if name == b"set-cookie"]


def where(answer: Answer) -> str:
    found = answer.header(b"location")
    assert answer.status == 303
    assert found is not None
    return found.decode()


def fields(url: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


async def begun(steps: SignIns, back: str = "/") -> tuple[dict[str, str], str]:
    """What the provider is told, and the cookie of the browser."""
    answer = await steps.begin(Begins(return_to=back))
    return fields(where(answer)), cookies(answer)[0].partition(";")[0]


Test = Callable[[Elsewhere, SignIns, Kept], Awaitable[None]]


def against(test: Test) -> None:
    async def whole() -> None:
        async with provider() as found:
            rules = TokenRules(issuer=found.url, audience=CLIENT)
            there = OpenIdProvider(rules, secret=SECRET, allows_private=True)
            kept = Kept()
            steps = SignIns(there, kept, home=HOME, session_ttl_s=3_600)
            try:
                await test(found, steps, kept)
            finally:
                await there.close()

    asyncio.run(whole())


def test_somebody_signs_in_and_comes_back_where_they_were() -> None:
    async def test(there: Elsewhere, steps: SignIns, kept: Kept) -> None:
        told, cookie = await begun(steps, "/v1/tickets?x=1")
        assert (told["response_type"], told["client_id"], told["tenant"]) == ("code", CLIENT, "x")
        assert (told["redirect_uri"], told["code_challenge_method"]) == (f"{HOME}/auth/callback", "S256")
        there.challenge, there.nonce = told["code_challenge"], told["nonce"]
        answer = await steps.complete(call(cookie), Returns(code="one", state=told["state"], iss=there.url))
        assert where(answer) == "/v1/tickets?x=1"
        assert kept.opened[0].subject == "ada"
        assert kept.opened[0].roles == {"agent"}
        session, over = cookies(answer)
        assert session.startswith("__Host-session=ses_secret; ")
        assert {"HttpOnly", "Secure", "SameSite=Lax"} <= set(session.split("; "))
        assert over.startswith(f"{COOKIE}=; ")
        sent = there.redeemed[0]
        assert sent["authorization"] == "Basic " + base64.b64encode(b"tickets-web:pass%3Aword").decode()
        assert sent["redirect_uri"] == f"{HOME}/auth/callback"

    against(test)


@pytest.mark.parametrize(
    ("claims", "audience", "nonce"),
    [
        ({}, CLIENT, "another"),
        ({}, "another-client", ""),
        ({"azp": "another-client"}, CLIENT, ""),
        ({"aud": [CLIENT, "another"]}, CLIENT, ""),
        ({"iss": "https://another.test"}, CLIENT, ""),
        ({"exp": 1}, CLIENT, ""),
    ],
)
def test_what_the_provider_says_must_be_for_this_service_and_this_request(
    claims: dict[str, Any], audience: str, nonce: str
) -> None:
    async def test(there: Elsewhere, steps: SignIns, kept: Kept) -> None:
        told, cookie = await begun(steps)
        there.challenge, there.nonce = told["code_challenge"], nonce or told["nonce"]
        there.claims, there.audience = claims, audience
        with pytest.raises(Problem) as caught:
            await steps.complete(call(cookie), Returns(code="one", state=told["state"]))
        assert caught.value.code == "unauthorized"
        assert kept.opened == []

    against(test)


def test_a_token_that_somebody_else_signed_is_refused() -> None:
    async def test(there: Elsewhere, steps: SignIns, kept: Kept) -> None:
        told, cookie = await begun(steps)
        there.challenge, there.nonce, there.key = told["code_challenge"], told["nonce"], SigningKey.generate()
        with pytest.raises(Problem) as caught:
            await steps.complete(call(cookie), Returns(code="one", state=told["state"]))
        assert caught.value.code == "unauthorized"
        assert kept.opened == []

    against(test)


def test_another_browser_cannot_be_made_to_sign_in() -> None:
    async def test(there: Elsewhere, steps: SignIns, kept: Kept) -> None:
        told, cookie = await begun(steps)
        _, another = await begun(steps)
        there.challenge, there.nonce = told["code_challenge"], told["nonce"]
        for shown, returns in (
            ("", Returns(code="one", state=told["state"])),
            (another, Returns(code="one", state=told["state"])),
            (cookie, Returns(code="one", state="")),
            (cookie, Returns(code="one", state=told["state"] + "x")),
            (cookie, Returns(code="", state=told["state"])),
            (cookie, Returns(code="one", state=told["state"], iss="https://another.test")),
        ):
            with pytest.raises(Problem) as caught:
                await steps.complete(call(shown), returns)
            assert caught.value.code == "unauthorized"
        assert there.redeemed == []
        assert kept.opened == []

    against(test)


def test_a_code_that_was_asked_for_by_others_is_refused_by_its_challenge() -> None:
    async def test(there: Elsewhere, steps: SignIns, kept: Kept) -> None:
        stolen, _ = await begun(steps)
        told, cookie = await begun(steps)
        there.challenge, there.nonce = stolen["code_challenge"], stolen["nonce"]
        with pytest.raises(Problem) as caught:
            await steps.complete(call(cookie), Returns(code="one", state=told["state"]))
        assert caught.value.code == "unauthorized"
        assert len(there.redeemed) == 1

    against(test)


LOCAL = LocalIssuer("a seed for tests", TokenRules(issuer="https://i.test", audience="tickets"), environment="local")


@given(
    st.one_of(st.text(), st.sampled_from(["//evil.test", "/\\evil.test", "https://evil.test", "/a\r\nset-cookie: x"]))
)
def test_nobody_is_sent_elsewhere(back: str) -> None:
    async def whole() -> None:
        steps = SignIns(LocalProvider(LOCAL, environment="local"), Kept(), home="", session_ttl_s=60)
        told, cookie = await begun(steps, back)
        page = await steps.local(Pretends(subject="ada", **told))
        returned = fields(where(page))
        answer = await steps.complete(call(cookie), Returns(code=returned["code"], state=returned["state"]))
        there = where(answer)
        assert there.startswith("/")
        assert not there.startswith(("//", "/\\"))
        assert there in ("/", back)

    asyncio.run(whole())


def test_the_stand_in_knows_whoever_one_says_to_be() -> None:
    async def whole() -> None:
        kept = Kept()
        steps = SignIns(LocalProvider(LOCAL, environment="local"), kept, home="", session_ttl_s=60)
        told, cookie = await begun(steps)
        form = await steps.local(Pretends(**{**told, "state": '"><script>'}))
        assert b"<script>" not in form.body
        page = await steps.local(Pretends(subject="ada", roles="agent, clerk", factors="2", **told))
        returned = fields(where(page))
        await steps.complete(call(cookie), Returns(code=returned["code"], state=returned["state"]))
        assert kept.opened[0].roles == {"agent", "clerk"}
        assert kept.opened[0].has_second_factor
        # A code is for the browser that asked; and an access token of the stand-in is no code.
        told, cookie = await begun(steps)
        for code in (returned["code"], LOCAL.mint("ada")):
            with pytest.raises(Problem):
                await steps.complete(call(cookie), Returns(code=code, state=told["state"]))
        # Nor is a code an access token.
        with pytest.raises(Problem):
            await LOCAL.authenticator().authenticate({"authorization": f"Bearer {returned['code']}"}, address="")

    asyncio.run(whole())


@pytest.mark.parametrize("environment", ["production", "staging", "", "Local"])
def test_nobody_pretends_where_others_are(environment: str) -> None:
    with pytest.raises(ValueError, match="laboratory alone"):
        LocalProvider(LOCAL, environment=environment)


def test_without_a_provider_nobody_signs_in_by_a_browser() -> None:
    async def whole() -> None:
        steps = SignIns(None, Kept(), home="", session_ttl_s=60)
        for step in (
            steps.begin(Begins()),
            steps.complete(call(), Returns()),
            steps.local(Pretends()),
        ):
            with pytest.raises(Problem) as caught:
                await step
            assert caught.value.code == "not-found"

    asyncio.run(whole())


class Rows:
    """A table of one session."""

    def __init__(self) -> None:
        self.row: dict[str, Any] | None = None
        self.sent: list[tuple[str, tuple[Any, ...]]] = []

    async def fetchrow(self, deadline: object, query: str, *arguments: Any) -> Any:
        return self.row if self.row and arguments == (self.row["token_hash"],) else None

    async def execute(self, deadline: object, query: str, *arguments: Any) -> None:
        self.sent.append((query, arguments))


def test_a_session_is_known_by_the_digest_of_its_cookie() -> None:
    async def whole() -> None:
        rows = Rows()
        columns = ("id", "token_hash", "subject", "roles", "has_second_factor", "expires_at")
        now = datetime(2030, 1, 1, tzinfo=UTC)
        table = SignedIn(
            rows, insert="insert", columns=columns, see="see", touch="touch", end="end", ttl_s=60, now=lambda: now
        )
        text = await table.open(Caller(subject="ada", roles=frozenset({"b", "a"})))
        rows.row = dict(zip(columns, rows.sent[0][1], strict=True)) | {"is_stale": True}
        assert text.encode() not in repr(rows.sent).encode()
        found = await table.authenticator().authenticate({"cookie": f"__Host-session={text}"}, address="")
        assert (found.subject, found.roles) == ("ada", frozenset({"a", "b"}))
        assert rows.sent[1] == ("touch", (rows.row["id"],))
        await table.end(found.session)
        assert rows.sent[2] == ("end", (rows.row["id"],))
        # The session of a token is the issuer's.
        await table.end("0a1b-of-the-issuer")
        assert len(rows.sent) == 3

    asyncio.run(whole())
