"""Keys, certificates and cookies as services take them: guessing, forging, and pages of others."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nines_runtime.security.accounts import CookieAuthenticator, SessionAccounts
from nines_runtime.security.apikeys import SEEN_EVERY_S, ApiKey, ApiKeyAuthenticator, ApiKeyTable
from nines_runtime.security.certificates import CertificateAuthenticator, Clients, LocalAuthority, signed_by
from nines_runtime.security.codes import Codes
from nines_runtime.security.encryption import Cipher
from nines_runtime.security.guessing import Failures, Guesses
from nines_runtime.security.passwords import Passwords
from nines_runtime.security.sessions import COOKIE, SessionAuthenticator, is_foreign, new_session
from nines_runtime.web.asgi import Receive, Scope, Send
from nines_runtime.web.caller import ANONYMOUS, Caller
from nines_runtime.web.problem import Problem
from nines_runtime.web.trusting import OnlyFrom

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SHOP = "spiffe://example/shop"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Rows:
    """A table with one row, and what was sent to it."""

    def __init__(self, key: object, row: dict[str, Any]) -> None:
        self.key, self.row = key, row
        self.found: list[object] = []
        self.sent: list[tuple[object, ...]] = []

    async def fetchrow(self, deadline: object, query: str, *arguments: Any) -> Any:
        self.found.append(arguments[0])
        return self.row if arguments == (self.key,) else None

    async def execute(self, deadline: object, query: str, *arguments: Any) -> None:
        self.sent.append((query, *arguments))


def keys(rows: Rows, clock: Clock, failures: Failures | None = None) -> ApiKeyAuthenticator:
    table = ApiKeyTable(rows, find="find", use="use")
    return ApiKeyAuthenticator(table.find, used=table.used, failures=failures, clock=clock)


def test_a_key_of_a_table_is_looked_up_now_and_then_and_its_use_is_noted_by_the_minute() -> None:
    async def whole() -> None:
        key, clock = ApiKey("tickets"), Clock()
        row = {"key_hash": key.digest, "subject": "shop", "tenant": "t", "roles": ["agent"], "expires_at": None}
        rows = Rows(key.id, row)
        asked = keys(rows, clock)
        for _ in range(3):
            caller = await asked.authenticate({"x-api-key": key.text}, address="1.2.3.4")
            assert (caller.subject, caller.tenant, caller.roles) == ("shop", "t", frozenset({"agent"}))
        assert rows.found == [key.id]
        clock.now += 6
        await asked.authenticate({"x-api-key": key.text}, address="1.2.3.4")
        assert rows.found == [key.id, key.id]
        assert rows.sent == [("use", key.id)]
        clock.now += SEEN_EVERY_S
        await asked.authenticate({"x-api-key": key.text}, address="1.2.3.4")
        assert rows.sent == [("use", key.id)] * 2
        # Revoked: no longer found, and refused as soon as it is looked up.
        rows.key = None
        clock.now += 6
        with pytest.raises(Problem) as caught:
            await asked.authenticate({"x-api-key": key.text}, address="1.2.3.4")
        assert caught.value.code == "unauthorized"

    asyncio.run(whole())


def test_whoever_guesses_has_to_wait_and_whoever_is_known_has_not() -> None:
    async def whole() -> None:
        key, clock = ApiKey("tickets"), Clock()
        rows = Rows(key.id, {"key_hash": key.digest, "subject": "shop", "roles": [], "expires_at": None})
        asked = keys(rows, clock, Failures(free_by_address=3, clock=clock))
        await asked.authenticate({"x-api-key": key.text}, address="1.2.3.4")
        codes = []
        for _ in range(6):
            with pytest.raises(Problem) as caught:
                await asked.authenticate({"x-api-key": f"tickets_{key.id}_{'x' * 43}"}, address="1.2.3.4")
            codes.append(caught.value.code)
        assert codes == ["unauthorized"] * 4 + ["rate-limited"] * 2
        assert (await asked.authenticate({"x-api-key": key.text}, address="1.2.3.4")).subject == "shop"
        with pytest.raises(Problem) as caught:
            await asked.authenticate({"x-api-key": "x"}, address="5.6.7.8")
        assert caught.value.code == "unauthorized"
        # What is no key at all is not even looked up.
        assert rows.found.count("x") == 0

    asyncio.run(whole())


def certificate(name: str = SHOP, *, key: Any = None, issuer: Any = None) -> x509.Certificate:
    own = key or ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    above = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    return (
        x509.CertificateBuilder(issuer_name=above, subject_name=named if issuer else above)
        .public_key(own.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(issuer or own, hashes.SHA256())
    )


def pem(shown: x509.Certificate) -> str:
    return shown.public_bytes(serialization.Encoding.PEM).decode()


def written(shown: x509.Certificate) -> list[str]:
    """As balancers write it."""
    der = base64.b64encode(shown.public_bytes(serialization.Encoding.DER)).decode()
    escaped = quote(pem(shown), safe="")
    return [
        f":{der}:",
        escaped,
        quote(pem(shown), safe="+=/"),
        f'By=spiffe://a/b;Hash=00;Cert="{escaped}";Subject="CN=x,O=y";URI={SHOP}',
        f'Hash=11;Subject="CN=somebody,O=else",Hash=00;Cert="{escaped}"',
    ]


CLIENTS = Clients.parse(f'{{"{SHOP}": {{"tenant": "t", "roles": ["agent"]}}}}')


@pytest.mark.parametrize("form", range(5))
def test_a_certificate_is_read_as_balancers_write_it(form: int) -> None:
    asked = CertificateAuthenticator(CLIENTS.find, now=lambda: NOW)
    for _ in range(2):
        caller = asyncio.run(asked.authenticate({"client-cert": written(certificate())[form]}, address=""))
        assert (caller.subject, caller.tenant, caller.roles) == (SHOP, "t", frozenset({"agent"}))
    other = written(certificate("spiffe://example/else"))[form]
    with pytest.raises(Problem):
        asyncio.run(asked.authenticate({"client-cert": other}, address=""))


def test_what_was_read_before_ends_with_the_certificate() -> None:
    moment = NOW
    asked = CertificateAuthenticator(CLIENTS.find, now=lambda: moment)
    shown = {"client-cert": written(certificate())[0]}
    asyncio.run(asked.authenticate(shown, address=""))
    moment = NOW + timedelta(days=2)
    with pytest.raises(Problem):
        asyncio.run(asked.authenticate(shown, address=""))


@pytest.mark.parametrize(
    "shown", ["", ":", "::", ",", '"', 'Cert="', "%2D" * 50, "-----BEGIN CERTIFICATE-----", "," * 99]
)
def test_nonsense_is_no_certificate(shown: str) -> None:
    with pytest.raises(Problem):
        asyncio.run(CertificateAuthenticator(CLIENTS.find).authenticate({"client-cert": shown}, address=""))


def test_an_authority_may_be_asked_for_here_too() -> None:
    above = ec.generate_private_key(ec.SECP256R1())
    authority = certificate("spiffe://example/authority", key=above)
    asked = CertificateAuthenticator(CLIENTS.find, signed=signed_by(pem(authority)), now=lambda: NOW)
    good, forged = written(certificate(issuer=above))[0], written(certificate())[0]
    assert asyncio.run(asked.authenticate({"client-cert": good}, address="")).subject == SHOP
    with pytest.raises(Problem):
        asyncio.run(asked.authenticate({"client-cert": forged}, address=""))


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": {"rolls": []}}'])
def test_a_list_of_clients_is_read_strictly(text: str) -> None:
    with pytest.raises(ValueError, match="CLIENTS"):
        Clients.parse(text)


def test_the_local_authority_tells_what_its_callers_may_do_and_nobody_else_does() -> None:
    authority = LocalAuthority("seed of tests", "tickets", environment="local")
    asked = authority.authenticator()
    shown = authority.mint("a b/ü", tenant="t&u", roles=["agent", "clerk"])
    caller = asyncio.run(asked.authenticate({"client-cert": shown}, address=""))
    assert (caller.subject, caller.tenant, caller.roles) == ("a b/ü", "t&u", frozenset({"agent", "clerk"}))
    for other in (
        LocalAuthority("another seed", "tickets", environment="local").mint("a"),
        LocalAuthority("seed of tests", "another", environment="local").mint("a"),
        written(certificate("spiffe://local/admin?role=agent"))[0],
    ):
        with pytest.raises(Problem):
            asyncio.run(asked.authenticate({"client-cert": other}, address=""))
    for environment in ("production", "", "live"):
        with pytest.raises(ValueError, match="refused"):
            LocalAuthority("seed of tests", "tickets", environment=environment)


@pytest.mark.parametrize(
    ("client", "is_believed"),
    [
        (("10.1.2.3", 1), True),
        (("::ffff:10.1.2.3", 1), True),
        (("fd00::1", 1), True),
        (("11.1.2.3", 1), False),
        (("not-an-address", 1), False),
        (None, False),
    ],
)
def test_a_header_is_heard_from_the_balancer_alone(client: tuple[str, int] | None, is_believed: bool) -> None:
    seen: list[Scope] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def nothing(*_: object) -> Any:
        return None

    headers = [
        (b"Client-Cert", b":x:"),
        (b"client-cert", b":y:"),
        (b"accept", b"*/*"),
        (b"x-forwarded-for", b"10.1.2.3"),
    ]
    scope: Scope = {"type": "http", "client": client, "headers": headers}
    asyncio.run(OnlyFrom(inner, "Client-Cert", ["10.0.0.0/8", " fd00::/8", ""])(scope, nothing, nothing))
    left = {name.lower() for name, _ in seen[0]["headers"]}
    assert (b"client-cert" in left) is is_believed
    assert b"accept" in left


def test_a_network_that_is_none_is_told_at_the_start() -> None:
    async def inner(scope: Scope, receive: Receive, send: Send) -> None: ...

    with pytest.raises(ValueError, match="balancer"):
        OnlyFrom(inner, "client-cert", ["the balancer"])


OWN = {"host": "tickets.test"}


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "anything"}, True),
        ({"origin": "https://tickets.test"}, False),
        ({"origin": "https://evil.test"}, True),
        ({"origin": "https://tickets.test.evil.test"}, True),
        ({"origin": "null"}, True),
        ({"origin": "https://app.test", "sec-fetch-site": "cross-site"}, False),
        ({"origin": "https://APP.test", "sec-fetch-site": "same-site"}, False),
    ],
)
def test_pages_of_others_do_not_ask_with_somebodys_cookie(headers: dict[str, str], is_refused: bool) -> None:
    assert is_foreign(OWN | headers, {"https://app.test"}) is is_refused

    async def whole() -> None:
        secret = new_session()

        async def find(digest: bytes) -> Caller | None:
            return Caller(subject="ada")

        asked = SessionAuthenticator(find, origins=["https://app.test/", ""])
        shown = {**OWN, **headers, "cookie": f"{COOKIE}={secret.text}"}
        if is_refused:
            with pytest.raises(Problem) as caught:
                await asked.authenticate(shown, address="")
            assert caught.value.code == "forbidden"
        else:
            assert (await asked.authenticate(shown, address="")).subject == "ada"
        # Without a cookie it is nobody's matter.
        assert await asked.authenticate({**OWN, **headers}, address="") is ANONYMOUS

    asyncio.run(whole())


@pytest.mark.parametrize("has_factor", [True, False])
def test_roles_that_need_a_second_factor_are_nothing_in_a_session_without_one(has_factor: bool) -> None:
    async def whole() -> None:
        secret, id, account = new_session(), UUID(int=7), UUID(int=8)
        row = {"id": id, "account_id": account, "expires_at": NOW, "is_stale": True}
        rows = Rows(secret.digest, row | {"has_second_factor": has_factor, "roles": ["agent", "support"]})
        accounts = SessionAccounts(
            passwords=Passwords(),
            codes=Codes(b"k" * 32),
            guesses=Guesses(b"k" * 32),
            cipher=Cipher({1: b"k" * 32}),
            session_ttl_s=60,
            second_factor_roles=frozenset({"support"}),
        )
        asked = CookieAuthenticator(accounts, rows, see="see", touch="touch", prefix="per")
        caller = await asked.authenticate({"cookie": f"{COOKIE}={secret.text}"}, address="")
        assert caller.roles == ({"agent", "support"} if has_factor else {"agent"})
        assert caller.subject == f"per_{account.hex}"
        assert caller.session == str(id)
        assert rows.sent == [("touch", id)]
        with pytest.raises(Problem):
            await asked.authenticate({"cookie": f"{COOKIE}={new_session().text}"}, address="")
        accounts.close()

    asyncio.run(whole())
