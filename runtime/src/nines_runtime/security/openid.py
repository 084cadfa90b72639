"""Signing in at an OpenID provider: authorization code with PKCE, state and nonce, then a session here.

What ties the answer of the provider to the browser that asked (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9700) is
one secret in a cookie: state, nonce and verifier are digests of it, so that nothing has to be kept meanwhile."""

from __future__ import annotations

import base64
import hmac
import html
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from nines_runtime.calls.client import Client
from nines_runtime.calls.credential import Credential
from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.outcome import Declined, Unanswered
from nines_runtime.security import encoding
from nines_runtime.security.issuing import LocalIssuer
from nines_runtime.security.jwks import JwksAuthenticator, ask
from nines_runtime.security.secret import is_same
from nines_runtime.security.sessions import cookie_of, session_cookie
from nines_runtime.security.tokens import TokenRefused, TokenRules, Verifier
from nines_runtime.web.answer import Answer
from nines_runtime.web.call import Call
from nines_runtime.web.caller import Caller
from nines_runtime.web.problem import Problem

COOKIE = "__Host-sign-in"
FLOW_S = 600
"""So long somebody may take at the provider."""
REDEEM_S = 5.0
FRESH_S = 3_600.0
"""So old the provider's metadata is read anew."""
RETURN_LENGTH_MAX = 512
CODE_LENGTH_MAX = 4_096
PRETENDING = ("local", "laboratory")
"""Where a page may stand in for the provider."""
LOCAL_PATH = "/auth/local"
_METADATA = "/.well-known/openid-configuration"
_HTML = "text/html; charset=utf-8"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request to the provider carries, and what its answer must carry again."""

    state: str
    nonce: str
    verifier: str
    back: str
    """Where the browser goes in the end: a path of this service."""

    @property
    def challenge(self) -> str:
        return encoding.encode(sha256(self.verifier.encode()).digest())

    @classmethod
    def of(cls, secret: str, back: str) -> Asked:
        return cls(
            state=f"{_digest(secret, f'state {back}')}.{encoding.encode(back.encode())}",
            nonce=_digest(secret, "nonce"),
            verifier=_digest(secret, "verifier"),
            back=back,
        )


class Begins(msgspec.Struct, frozen=True):
    """What a browser asks with that wants to sign in."""

    return_to: str = "/"


class Returns(msgspec.Struct, frozen=True):
    """What it brings back; providers add members of their own."""

    code: str = ""
    state: str = ""
    iss: str = ""
    """Who answers (RFC 9207), where the provider tells."""


class Pretends(msgspec.Struct, frozen=True):
    """What the page of the stand-in is filled in with."""

    state: str = ""
    nonce: str = ""
    challenge: str = ""
    subject: str = ""
    tenant: str = ""
    roles: str = ""
    factors: str = ""


class Provider(Protocol):
    """Where people sign in."""

    @property
    def issuer(self) -> str: ...

    async def url(self, asked: Asked, redirect: str) -> str:
        """Where to send the browser."""

    async def redeem(self, code: str, asked: Asked, redirect: str) -> Caller:
        """Who signed in; raises Problem."""

    async def close(self) -> None: ...


class _Metadata(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str


class _Tokens(msgspec.Struct):
    id_token: str


class OpenIdProvider:
    """A provider elsewhere. `rules` are those of its identity tokens: their audience is the client."""

    def __init__(
        self,
        rules: TokenRules,
        *,
        secret: str = "",
        scopes: str = "openid",
        allows_private: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = msgspec.structs.replace(rules, types=("jwt", ""))
        self._keys = JwksAuthenticator(self._rules, allows_private=allows_private)
        self._secret, self._scopes, self._allows_private = secret, scopes, allows_private
        self._monotonic = monotonic
        self._known: tuple[_Metadata, float] | None = None

    @property
    def issuer(self) -> str:
        return self._rules.issuer

    async def url(self, asked: Asked, redirect: str) -> str:
        fields = {
            "response_type": "code",
            "client_id": self._rules.audience,
            "redirect_uri": redirect,
            "scope": self._scopes,
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": asked.challenge,
            "code_challenge_method": "S256",
        }
        where = (await self._metadata()).authorization_endpoint
        return f"{where}{'&' if urlsplit(where).query else '?'}{urlencode(fields)}"

    async def redeem(self, code: str, asked: Asked, redirect: str) -> Caller:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "client_id": self._rules.audience,
            "code_verifier": asked.verifier,
        }
        address = urlsplit((await self._metadata()).token_endpoint)
        client = Client(
            "issuer",
            f"{address.scheme}://{address.netloc}",
            timeout_s=REDEEM_S,
            credential=self._credential(),
            allows_private=self._allows_private or address.hostname == urlsplit(self._rules.issuer).hostname,
        )
        try:
            async with client:
                # A code works once, so that it is never sent twice.
                reply = await client.request(Deadline.after(REDEEM_S), "POST", address.path, verb="redeem", form=form)
            token = reply.decode(_Tokens).id_token
        except Declined as declined:
            raise Problem("unauthorized") from declined
        except (Unanswered, ValueError) as error:
            raise Problem("unavailable") from error
        caller, claims = await self._keys.identity(token)
        if not is_same(str(claims.get("nonce", "")), asked.nonce) or not self._is_for_this(claims):
            raise Problem("unauthorized")
        return caller

    async def close(self) -> None:
        await self._keys.close()

    def _is_for_this(self, claims: Mapping[str, Any]) -> bool:
        """Of several audiences the one that asked must be named (OpenID Connect Core 1.0, 3.1.3.7)."""
        is_shared = isinstance(claims.get("aud"), list) and len(claims["aud"]) > 1
        azp = claims.get("azp", None if is_shared else self._rules.audience)
        return bool(azp == self._rules.audience)

    def _credential(self) -> Credential | None:
        """RFC 6749, 2.3.1; a client without a secret is known by PKCE alone."""
        if not self._secret:
            return None
        pair = f"{quote(self._rules.audience, safe='')}:{quote(self._secret, safe='')}"
        return Credential(base64.b64encode(pair.encode()).decode(), scheme="Basic")

    async def _metadata(self) -> _Metadata:
        if self._known is not None and self._monotonic() - self._known[1] < FRESH_S:
            return self._known[0]
        issuer = self._rules.issuer
        try:
            found = await ask(
                issuer.rstrip("/") + _METADATA,
                _Metadata,
                named={urlsplit(issuer).hostname},
                allows_private=self._allows_private,
            )
        except (Declined, Unanswered, ValueError) as error:
            raise Problem("unavailable") from error
        is_secure = urlsplit(issuer).scheme != "https" or all(
            urlsplit(each).scheme == "https" for each in (found.authorization_endpoint, found.token_endpoint)
        )
        if found.issuer != issuer or not is_secure:
            raise Problem("unavailable")
        self._known = found, self._monotonic()
        return found


class LocalProvider:
    """Stands in for a provider on a laptop and in a laboratory: a page of this service asks who one wants to be.

    Anybody who reaches the service can be anybody on it, without knowing the seed of the local issuer: so it is refused
    wherever ENVIRONMENT is neither local nor laboratory, also where a seed would do."""

    def __init__(self, issuer: LocalIssuer, *, environment: str) -> None:
        if environment not in PRETENDING:
            raise ValueError("the stand-in for a provider is for ENVIRONMENT=local and laboratory alone")
        self._issuer = issuer
        self._verifier = Verifier(
            msgspec.structs.replace(issuer.rules, audience=f"{issuer.rules.audience} sign-in"),
            issuer.published,
        )

    @property
    def issuer(self) -> str:
        return str(self._issuer.rules.issuer)

    async def url(self, asked: Asked, redirect: str) -> str:
        fields = {"state": asked.state, "nonce": asked.nonce, "challenge": asked.challenge}
        return f"{redirect.rpartition('/auth/')[0]}{LOCAL_PATH}?{urlencode(fields)}"

    async def redeem(self, code: str, asked: Asked, redirect: str) -> Caller:  # noqa: ARG002 -- of the protocol
        try:
            caller, claims = self._verifier.identity(code)
        except TokenRefused as refused:
            raise Problem("unauthorized") from refused
        if claims.get("nonce") != asked.nonce or claims.get("challenge") != asked.challenge:
            raise Problem("unauthorized")
        return caller

    async def close(self) -> None:
        pass

    def page(self, query: Pretends, redirect: str) -> Answer:
        """The form, and where it leads: back with a code for whoever one said to be."""
        if not query.subject:
            return _form(query)
        roles = [each for each in query.roles.replace(",", " ").split() if each]
        code = self._issuer.issue(
            query.subject,
            tenant=query.tenant,
            roles=roles,
            has_second_factor=query.factors == "2",
            audience=f"{self._issuer.rules.audience} sign-in",
            more={"nonce": query.nonce, "challenge": query.challenge},
        )
        return _seen_elsewhere(f"{redirect}?{urlencode({'code': code, 'state': query.state})}")


class Sessions(Protocol):
    """Where sessions are kept: `open` answers the secret of its cookie, `end` takes the id of one."""

    async def open(self, caller: Caller) -> str: ...

    async def end(self, session: str) -> None: ...


class SignIns:
    """The three steps that browsers take; `home` is the public address of the service: "https://shop.example"."""

    def __init__(self, provider: Provider | None, sessions: Sessions, *, home: str, session_ttl_s: float) -> None:
        self._provider, self._sessions = provider, sessions
        self._redirect = f"{home.rstrip('/')}/auth/callback"
        self._session_ttl_s = int(session_ttl_s)

    async def begin(self, query: Begins) -> Answer:
        """To the provider, with a cookie that knows the way back."""
        provider = self._known()
        secret = secrets.token_urlsafe(32)
        asked = Asked.of(secret, _path(query.return_to))
        where = await provider.url(asked, self._redirect)
        return _seen_elsewhere(where, session_cookie(secret, max_age_s=FLOW_S, name=COOKIE))

    async def complete(self, call: Call, query: Returns) -> Answer:
        """Back from the provider: the session begins."""
        provider, secret = self._known(), cookie_of(call.headers, COOKIE)
        asked = Asked.of(secret, _back(query.state))
        is_asked = bool(secret) and is_same(query.state, asked.state) and query.iss in ("", provider.issuer)
        if not is_asked or not 0 < len(query.code) <= CODE_LENGTH_MAX:
            raise Problem("unauthorized", "Signing in has to begin again.")
        caller = await provider.redeem(query.code, asked, self._redirect)
        cookie = await self._sessions.open(caller)
        ended = session_cookie("", max_age_s=0, name=COOKIE)
        return _seen_elsewhere(asked.back, session_cookie(cookie, max_age_s=self._session_ttl_s), ended)

    async def end(self, call: Call) -> Answer:
        """The session of the cookie is over; a token lives on until it runs out."""
        if call.caller.session:
            await self._sessions.end(call.caller.session)
        ended = session_cookie("", max_age_s=0)
        return Answer(status=204, media_type="", headers=(ended, (b"cache-control", b"no-store")))

    async def local(self, query: Pretends) -> Answer:
        """The page of the stand-in for a provider; there is none in production."""
        if not isinstance(self._provider, LocalProvider):
            raise Problem("not-found")
        return self._provider.page(query, self._redirect)

    def _known(self) -> Provider:
        if self._provider is None:
            raise Problem("not-found", "Nobody signs in by a browser here.")
        return self._provider


def _path(text: str) -> str:
    """A path of this service; anything that could lead elsewhere is the first page."""
    is_plain = text.isascii() and text.isprintable() and not set(text) & set('\\"<> ')
    is_own = text.startswith("/") and not text.startswith("//")
    return text if is_plain and is_own and len(text) <= RETURN_LENGTH_MAX else "/"


def _back(state: str) -> str:
    try:
        return _path(encoding.decode(state.partition(".")[2]).decode("ascii"))
    except ValueError:
        return "/"


def _digest(secret: str, purpose: str) -> str:
    return encoding.encode(hmac.digest(secret.encode(), purpose.encode(), sha256))


def _seen_elsewhere(where: str, *cookies: tuple[bytes, bytes]) -> Answer:
    headers = ((b"location", where.encode("ascii")), (b"cache-control", b"no-store"), *cookies)
    return Answer(status=303, media_type="", headers=headers)


def _form(query: Pretends) -> Answer:
    kept: Iterable[str] = ("state", "nonce", "challenge")
    hidden = "".join(
        f'<input type="hidden" name="{each}" value="{html.escape(getattr(query, each))}">' for each in kept
    )
    asked = "".join(
        f'<p><label>{label} <input name="{name}"{required}></label></p>'
        for name, label, required in (
            ("subject", "Who are you?", " required"),
            ("tenant", "Of which tenant?", ""),
            ("roles", "With which roles?", ""),
            ("factors", "With how many factors?", ""),
        )
    )
    text = (
        '<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in</h1>'
        "<p>This page stands in for the OpenID provider; it exists on laptops and in laboratories alone.</p>"
        f'<form method="get" action="{LOCAL_PATH}">{hidden}{asked}<button>Sign in</button></form></html>'
    )
    return Answer(body=text.encode(), media_type=_HTML, headers=((b"cache-control", b"no-store"),))
