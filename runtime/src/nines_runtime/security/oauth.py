"""OAuth 2.1 as its clients expect it, in functions without a framework: authorization code with PKCE, client
credentials, and the errors of the token endpoint (RFC 6749, 7636, 9700).

What is kept (codes, clients) is the service's; these functions read requests, decide, and write answers."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit, urlunsplit

import msgspec

from nines_runtime.security import encoding
from nines_runtime.security.secret import Secret, digest_of, is_same

CODE_TTL_S = 60.0
FIELD_LENGTH_MAX = 2_048
_CODE_PREFIX = "ac"
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}\Z")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*\Z")
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class OAuthRefused(Exception):  # noqa: N818 -- a decision, not an error
    """An answer with one of the codes of RFC 6749; `redirect` is empty where the caller must not be sent back."""

    def __init__(self, error: str, description: str = "", *, status: int = 400, redirect: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.redirect = redirect
        """Where to send the browser, the error included."""

    @property
    def body(self) -> bytes:
        members = {"error": self.error} | ({"error_description": self.description} if self.description else {})
        return msgspec.json.encode(members)

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        challenge = ((b"www-authenticate", b'Basic realm="token"'),) if self.status == 401 else ()
        return ((b"cache-control", b"no-store"), *challenge)


class OAuthClient(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was registered to ask for tokens."""

    id: str
    redirects: tuple[str, ...] = ()
    """Compared letter by letter; of a loopback address any port will do (RFC 8252, 7.3)."""
    scopes: frozenset[str] = frozenset()
    secret_digest: bytes = b""
    """`digest_of` its secret; empty: public, an app or a page."""


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks somebody to allow; show it, and answer with `granted` or `denied`."""

    client: str
    redirect: str
    scopes: tuple[str, ...]
    state: str
    challenge: str
    nonce: str = ""

    def granted(self, code: str, *, issuer: str) -> str:
        """Where to send the browser (RFC 9207 adds who sends it)."""
        return _with(self.redirect, code=code, state=self.state, iss=issuer)

    def denied(self, error: str = "access_denied", *, issuer: str) -> str:
        return _with(self.redirect, error=error, state=self.state, iss=issuer)


class KeptCode(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization code as it is kept, under the digest of its text, until it is used once."""

    digest: bytes
    client: str
    redirect: str
    challenge: str
    subject: str
    scopes: tuple[str, ...]
    expires_at: datetime


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What came to the token endpoint, with the client's credential told apart."""

    grant: str
    client: str
    secret: str = ""
    code: str = ""
    verifier: str = ""
    redirect: str = ""
    refresh_token: str = ""
    scopes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"TokenRequest(grant={self.grant!r}, client={self.client!r}, [redacted])"


def read_authorization(query: str, clients: Mapping[str, OAuthClient], *, issuer: str) -> AuthorizationRequest:
    """Raises OAuthRefused, without a redirect where it is not sure to whom it would lead."""
    fields = _fields(query)
    client = clients.get(fields.get("client_id", ""))
    redirect = fields.get("redirect_uri", "")
    if client is None or not redirect or not any(_is_same_redirect(redirect, each) for each in client.redirects):
        raise OAuthRefused("invalid_request", "The client or its redirect_uri is not registered.")
    state = fields.get("state", "")

    def refuse(error: str, description: str) -> OAuthRefused:
        where = _with(redirect, error=error, error_description=description, state=state, iss=issuer)
        return OAuthRefused(error, description, redirect=where)

    if fields.get("response_type") != "code":
        raise refuse("unsupported_response_type", "Only response_type=code is known.")
    if fields.get("code_challenge_method") != "S256" or not _CHALLENGE.match(fields.get("code_challenge", "")):
        raise refuse("invalid_request", "PKCE with S256 is needed.")
    try:
        scopes = _scopes(fields.get("scope", ""), client)
    except OAuthRefused as refused:
        raise refuse(refused.error, refused.description) from None
    return AuthorizationRequest(
        client=client.id,
        redirect=redirect,
        scopes=scopes,
        state=state,
        challenge=fields["code_challenge"],
        nonce=fields.get("nonce", ""),
    )


def new_code(asked: AuthorizationRequest, subject: str, *, now: datetime | None = None) -> tuple[Secret, KeptCode]:
    """A code for the client, and what to keep of it."""
    secret = Secret.new(_CODE_PREFIX)
    return secret, KeptCode(
        digest=secret.digest,
        client=asked.client,
        redirect=asked.redirect,
        challenge=asked.challenge,
        subject=subject,
        scopes=asked.scopes,
        expires_at=(now or datetime.now(UTC)) + timedelta(seconds=CODE_TTL_S),
    )


def read_token_request(body: bytes, authorization: str = "") -> TokenRequest:
    """Of a form, and of Authorization: Basic where the client shows its secret there. Raises OAuthRefused."""
    try:
        fields = _fields(body.decode("ascii"))
    except UnicodeDecodeError:
        raise OAuthRefused("invalid_request", "The body is a form in ASCII.") from None
    client, secret = _credential(authorization) if authorization else (fields.get("client_id", ""), "")
    if authorization and ("client_secret" in fields or fields.get("client_id", client) != client):
        raise OAuthRefused("invalid_request", "The client is named twice.")
    grant = fields.get("grant_type", "")
    if not grant or not client:
        raise OAuthRefused("invalid_request", "grant_type and the client are needed.")
    return TokenRequest(
        grant=grant,
        client=client,
        secret=secret or fields.get("client_secret", ""),
        code=fields.get("code", ""),
        verifier=fields.get("code_verifier", ""),
        redirect=fields.get("redirect_uri", ""),
        refresh_token=fields.get("refresh_token", ""),
        scopes=tuple(fields.get("scope", "").split()),
    )


def check_client(asked: TokenRequest, client: OAuthClient | None) -> OAuthClient:
    """The client of a request, with its secret where it has one; takes as long where there is no such client."""
    expected = client.secret_digest if client is not None else b""
    is_right = is_same(digest_of(asked.secret), expected or b"\0" * 32)
    if client is None or (bool(expected) and not is_right) or (not expected and asked.secret):
        raise OAuthRefused("invalid_client", status=401)
    return client


def redeem(asked: TokenRequest, kept: KeptCode | None, *, now: datetime | None = None) -> KeptCode:
    """What an authorization code stands for. Take the code away, committed, before asking; where it is asked for again,
    revoke what was given for it. Raises OAuthRefused."""
    challenge = kept.challenge if kept is not None else ""
    is_proven = _VERIFIER.match(asked.verifier) is not None and is_same(challenge_of(asked.verifier), challenge)
    if (
        kept is None
        or not is_proven
        or asked.client != kept.client
        or (asked.redirect and asked.redirect != kept.redirect)
        or kept.expires_at <= (now or datetime.now(UTC))
        or not is_same(digest_of(asked.code), kept.digest)
    ):
        raise OAuthRefused("invalid_grant", "The code does not hold.")
    return kept


def client_scopes(asked: TokenRequest, client: OAuthClient) -> tuple[str, ...]:
    """Of the client credentials grant: what was asked for, or all that the client may. Public clients may not."""
    if not client.secret_digest:
        raise OAuthRefused("unauthorized_client", "Only clients with a secret may.")
    return _scopes(" ".join(asked.scopes), client) or tuple(sorted(client.scopes))


def token_answer(
    access_token: str, *, expires_in_s: float, refresh_token: str = "", scopes: Sequence[str] = ()
) -> bytes:
    """The body of a token endpoint's answer (RFC 6749, 5.1)."""
    members: dict[str, str | int] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(expires_in_s),
    }
    members |= {"refresh_token": refresh_token} if refresh_token else {}
    members |= {"scope": " ".join(scopes)} if scopes else {}
    return msgspec.json.encode(members)


def new_verifier() -> str:
    """For a client: keep it, and send `challenge_of` it."""
    return secrets.token_urlsafe(48)


def challenge_of(verifier: str) -> str:
    """S256 (RFC 7636, 4.2)."""
    return encoding.encode(sha256(verifier.encode("ascii", "replace")).digest())


def authorization_url(
    endpoint: str,
    *,
    client: str,
    redirect: str,
    challenge: str,
    state: str,
    scopes: Sequence[str] = (),
    nonce: str = "",
) -> str:
    """For a client: where to send the browser."""
    return _with(
        endpoint,
        response_type="code",
        client_id=client,
        redirect_uri=redirect,
        scope=" ".join(scopes),
        state=state,
        code_challenge=challenge,
        code_challenge_method="S256",
        nonce=nonce,
    )


def _fields(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=32, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise OAuthRefused("invalid_request", "The parameters cannot be read.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs) or any(len(value) > FIELD_LENGTH_MAX for value in fields.values()):
        raise OAuthRefused("invalid_request", "A parameter stands there twice, or is too long.")
    return fields


def _scopes(text: str, client: OAuthClient) -> tuple[str, ...]:
    if not text:
        return ()
    scopes = tuple(dict.fromkeys(text.split(" ")))
    if not _SCOPE.match(text) or not client.scopes.issuperset(scopes):
        raise OAuthRefused("invalid_scope", "The client may not ask for this scope.")
    return scopes


def _credential(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        name, colon, secret = "", "", ""
    if scheme.lower() != "basic" or not colon:
        raise OAuthRefused("invalid_client", status=401)
    return unquote_plus(name), unquote_plus(secret)


def _is_same_redirect(asked: str, registered: str) -> bool:
    if asked == registered:
        return True
    try:
        one, other = urlsplit(asked), urlsplit(registered)
        is_local = one.scheme == other.scheme == "http" and one.hostname == other.hostname and one.hostname in _LOOPBACK
        is_valid = one.port is None or one.port > 0
    except ValueError:
        return False
    same = (one.path, one.query, one.fragment, one.username) == (other.path, other.query, other.fragment, None)
    return is_local and is_valid and same


def _with(url: str, **fields: str) -> str:
    parts = urlsplit(url)
    query = urlencode({name: value for name, value in fields.items() if value})
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))
