"""Sessions of browsers: a cookie that no script reads, and tokens against forged requests."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from nines_runtime.security.secret import LENGTH_MAX, Secret, digest_of, is_same
from nines_runtime.web.caller import ANONYMOUS, Caller, Headers
from nines_runtime.web.problem import Problem

COOKIE = "__Host-session"
"""The prefix makes browsers refuse it without Secure, with a Domain, or below another path (RFC 6265bis, 4.1.3)."""
CSRF_HEADER = "x-csrf-token"
PREFIX = "ses"
COOKIES_LENGTH_MAX = 8_192
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

FindSession = Callable[[bytes], Awaitable[Caller | None]]
"""Finds a session by the digest of its secret; None for one that is over or was revoked."""


def new_session() -> Secret:
    """Its text goes into the cookie, its digest into the table. Make a new one at each sign-in and change of rights."""
    return Secret.new(PREFIX)


def session_cookie(text: str, *, max_age_s: int, same_site: str = "Lax", name: str = COOKIE) -> tuple[bytes, bytes]:
    """The Set-Cookie header."""
    if same_site not in ("Lax", "Strict", "None"):
        raise ValueError("SameSite is Lax, Strict or None")
    if not all(each.isascii() and (each.isalnum() or each in "_-.~") for each in text):
        raise ValueError("a session's secret is of letters, digits and _-.~")
    value = f"{name}={text}; Path=/; Max-Age={max_age_s}; HttpOnly; Secure; SameSite={same_site}"
    return b"set-cookie", value.encode("ascii")


def ended_cookie(*, name: str = COOKIE) -> tuple[bytes, bytes]:
    """The Set-Cookie header that takes the session away."""
    return session_cookie("", max_age_s=0, name=name)


def cookie_of(headers: Headers, name: str = COOKIE) -> str:
    """The value of a cookie; empty where there is none, or where it stands there twice with different values."""
    given = headers.get("cookie", "")
    if len(given) > COOKIES_LENGTH_MAX:
        return ""
    pairs = (part.strip().partition("=") for part in given.split(";"))
    found = {value for each, _, value in pairs if each == name}
    return found.pop() if len(found) == 1 else ""


def is_foreign(headers: Headers, origins: Collection[str] = ()) -> bool:
    """Whether a page of another origin made the request, as browsers tell by Sec-Fetch-Site, and older ones by Origin.

    Where neither is there no browser asks, or one follows a link of an old browser, and SameSite holds. `origins` are
    pages elsewhere that may ask all the same: "https://app.example"."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin.lower() in origins:
        return False
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


class SessionAuthenticator:
    """Who asks, by the cookie of the session.

    A request that a page of another origin made is refused, reads too, for answers may be measured where they cannot
    be read. Sites that have to ask each other give `origins`, or check changes with `Csrf` and set `is_anywhere`."""

    def __init__(
        self, find: FindSession, *, name: str = COOKIE, origins: Iterable[str] = (), is_anywhere: bool = False
    ) -> None:
        self._find = find
        self._name = name
        self._origins = frozenset(each.strip().rstrip("/").lower() for each in origins if each.strip())
        self._is_anywhere = is_anywhere

    async def authenticate(self, headers: Headers, *, address: str) -> Caller:  # noqa: ARG002 -- of the protocol
        shown = cookie_of(headers, self._name)
        if not shown:
            return ANONYMOUS
        if not self._is_anywhere and is_foreign(headers, self._origins):
            raise Problem("forbidden", "A page of another origin asks with the cookie of this one.")
        caller = None
        if shown.startswith(f"{PREFIX}_") and len(shown) <= LENGTH_MAX:
            caller = await self._find(digest_of(shown))
        if caller is None:
            raise Problem("unauthorized")
        return caller


class Csrf:
    """Signed tokens, bound to the session; the first key signs, all are believed (CSRF_KEY)."""

    def __init__(self, keys: Sequence[bytes], *, origins: Sequence[str] = ()) -> None:
        if not keys or any(len(key) < 32 for key in keys):
            raise ValueError("CSRF_KEY has at least 32 bytes")
        self._keys = tuple(keys)
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def token(self, session: str) -> str:
        """For the page of the session with this secret; it sends it back in X-CSRF-Token."""
        return _mac(self._keys[0], session)

    def check(self, method: str, headers: Headers, session: str) -> None:
        """Raises Problem("forbidden") for a request that changes something and was made by a page of somebody else."""
        if method.upper() in _SAFE:
            return
        shown = headers.get(CSRF_HEADER, "")
        holds = [is_same(shown, _mac(key, session)) for key in self._keys]
        origin = headers.get("origin")
        is_foreign = origin is not None and bool(self._origins) and origin.lower() not in self._origins
        if not session or not any(holds) or is_foreign or headers.get("sec-fetch-site") == "cross-site":
            raise Problem("forbidden")


def _mac(key: bytes, session: str) -> str:
    return hmac.new(key, b"csrf\0" + session.encode("utf-8", "surrogatepass"), sha256).hexdigest()
