"""What is refused, what is slowed down, and what nobody can find out."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import pytest

from nines_runtime import SigningKey, SigningKeys, TokenIssuer, TokenRules, identifier_text
from tests.building.accounts.serving import PASSWORD, Answered, Login, Process

pytestmark = pytest.mark.lab
ISSUER, AUDIENCE = "https://login.example", "example"
SIGN_OUT = ("DELETE", "/v1/sessions/current")


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _parts(token: str) -> tuple[dict[str, object], dict[str, object], str]:
    head, body, signature = token.split(".")
    read = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, body))
    return next(read), next(read), signature


def _issuer(login: Login, *, issuer: str = ISSUER, audience: str = AUDIENCE, ago_s: float = 0.0) -> TokenIssuer:
    """Has the service's own key, and other rules."""
    keys = SigningKeys.parse(login.environment()["TOKEN_SIGNING_KEY"])
    rules = TokenRules(issuer=issuer, audience=audience)
    return TokenIssuer(keys, rules, ttl_s=600.0, clock=lambda: time.time() - ago_s)


def test_tokens_that_are_not_to_be_believed(login: Login, process: Process) -> None:
    login.verified(process, "forged@example.com")
    token = process.sign_in("forged@example.com").json["access_token"]
    head, claims, signature = _parts(token)
    subject, session = str(claims["sub"]), str(claims["sid"])
    stranger = TokenIssuer(SigningKeys([SigningKey.generate()]), TokenRules(issuer=ISSUER, audience=AUDIENCE))
    forged = {
        "no algorithm": f"{_encoded({**head, 'alg': 'none'})}.{_encoded(claims)}.",
        "no algorithm, signed": f"{_encoded({**head, 'alg': 'none'})}.{_encoded(claims)}.{signature}",
        "another algorithm": f"{_encoded({**head, 'alg': 'HS256'})}.{_encoded(claims)}.{signature}",
        "another account": f"{_encoded(head)}.{_encoded({**claims, 'sub': f'acc_{uuid4().hex}'})}.{signature}",
        "another key": stranger.issue(subject, session=session),
        "another audience": _issuer(login, audience="others").issue(subject, session=session),
        "another issuer": _issuer(login, issuer="https://elsewhere.example").issue(subject, session=session),
        "past expiry": _issuer(login, ago_s=700.0).issue(subject, session=session),
        "no session": _issuer(login).issue(subject),
        "a session of nobody": _issuer(login).issue(subject, session=str(uuid4())),
        "somebody else's session": _issuer(login).issue(identifier_text(uuid4(), "acc"), session=session),
        "a refresh token": "rt_hVJ0x2n3p8QmT5sK7wYc1R4dLzB6eGfU9aXoNiPqAEk",
    }
    for name, shown in forged.items():
        answer = process.ask(*SIGN_OUT, token=shown)
        assert (answer.status, answer.problem) == (401, "unauthorized"), name
        assert answer.headers["www-authenticate"].startswith("Bearer"), name
    # What made the forged ones makes good ones, too: the refusals are of what was changed.
    assert process.ask(*SIGN_OUT, token=_issuer(login).issue(subject, session=session)).status == 204


def _seen(answer: Answered) -> tuple[object, ...]:
    """All that a caller gets to see, but for what is new in each answer."""
    names = sorted(name for name in answer.headers if name != "date")
    body = answer.json
    for fresh in ("challenge_id", "expires_at", "request_id"):
        body.pop(fresh, None)
    return answer.status, tuple(names), json.dumps(body, sort_keys=True)


def test_answers_do_not_tell_whether_somebody_has_an_account(login: Login, process: Process) -> None:
    login.verified(process, "known@example.com")
    known, unknown = "known@example.com", "unknown@example.com"
    asked: dict[str, Callable[[str], Answered]] = {
        "register": process.register,
        "sign in": lambda email: process.sign_in(email, "not the password at all"),
        "reset": lambda email: process.ask("POST", "/v1/password-resets", {"email": email}),
        "code": lambda email: process.ask("POST", "/v1/sign-in-codes", {"email": email}),
    }
    for name, ask in asked.items():
        assert _seen(ask(known)) == _seen(ask(unknown)), name
    challenges = [f"chl_{uuid4().hex}", process.register("open@example.com").json["challenge_id"]]
    sent = [process.ask("POST", "/v1/verification-codes", {"challenge_id": each}) for each in challenges]
    assert _seen(sent[0]) == _seen(sent[1])
    # Whose name is taken hears of it by mail, and of nobody else.
    assert "Somebody wanted to register" in login.mailbox.wait(known, count=2)


def _order(known: Sequence[float], unknown: Sequence[float]) -> float:
    """How often somebody known took longer than somebody unknown (Mann and Whitney): a half tells nothing."""
    pairs = [(a > b) + (a == b) / 2 for a in known for b in unknown]
    return sum(pairs) / len(pairs)


@pytest.mark.parametrize("what", ["sign in", "reset", "register"])
def test_times_do_not_tell_whether_somebody_has_an_account(login: Login, process: Process, what: str) -> None:
    """Forty of each, in turns. Of two alike the order is a half, give or take 0.065; without the hash of nobody, or
    with the writes of somebody known alone, it comes to more than 0.95."""
    count = 40
    mark = uuid4().hex[:8]
    _accounts(login, [f"{mark}-{number}@example.com" for number in range(count)])

    def ask(email: str, number: int) -> float:
        address = f"127.0.{len(what)}.{number % 200 + 1}"
        if what == "sign in":
            return process.sign_in(email, "not the password at all", address=address).took_s
        if what == "reset":
            return process.ask("POST", "/v1/password-resets", {"email": email}).took_s
        return process.register(email).took_s

    known, unknown = [], []
    for number in range(count):
        known.append(ask(f"{mark}-{number}@example.com", number))
        unknown.append(ask(f"{mark}-nobody-{number}@example.com", number))
    assert 0.2 < _order(known, unknown) < 0.8


def _accounts(login: Login, names: list[str]) -> None:
    """Many who are there already, with one hash for all of them."""
    login.rows(
        "WITH made AS (INSERT INTO accounts (id, email, status) SELECT gen_random_uuid(), name, 'active' "
        "FROM unnest($1::text[]) AS name RETURNING id) "
        "INSERT INTO account_credentials (account_id, password_hash) SELECT id, $2 FROM made",
        names,
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9mIG91cnM$Y3Ro3E3T4gtp0jNSPmOAnX9fFgbYDhyAjcMEE6jsRbY",
    )


def test_guessing_is_slowed_by_account_in_all_processes_together(login: Login, process: Process) -> None:
    login.verified(process, "victim@example.com")
    with login.process() as other:
        for name in ("victim@example.com", "nobody-at-all@example.com"):
            for number in range(6):
                guess = (process, other)[number % 2].sign_in(
                    name, f"guess number {number}", address=f"127.1.1.{number + 1}"
                )
                assert guess.status == 401
            # The right password does not help whoever is blocked, in any process and from any address.
            for each in (process, other):
                blocked = each.sign_in(name, PASSWORD, address="127.1.2.1")
                assert (blocked.status, blocked.problem) == (429, "rate-limited")
                assert 1 <= int(blocked.headers["retry-after"]) <= 2
        time.sleep(2.0)
        assert other.sign_in("victim@example.com", address="127.1.2.2").status == 201
    waits = login.rows("SELECT failures FROM account_failures WHERE scope = 'account' AND failures > 5")
    assert waits, "nobody else's failures are forgotten by somebody's success"


def test_an_address_that_fails_at_many_accounts_is_slowed(login: Login, process: Process) -> None:
    address = "127.3.3.3"
    answers = [process.sign_in(f"spray-{number}@example.com", "Summer2026!!", address=address) for number in range(52)]
    assert [each.status for each in answers[:50]] == [401] * 50
    assert 429 in [each.status for each in answers[50:]]
    assert process.sign_in("spray-1@example.com", "Summer2026!!", address="127.3.3.4").status == 401


def test_a_key_is_changed_without_a_token_that_is_refused(login: Login, process: Process) -> None:
    """Published first, signing later, gone last; at each step the processes of the step before answer as well."""
    old = login.environment()["TOKEN_SIGNING_KEY"]
    new = base64.urlsafe_b64encode(b"another key of thirty-two bytes!").decode().rstrip("=")
    login.verified(process, "rotated@example.com")

    def shown(by: Process) -> str:
        return str(by.sign_in("rotated@example.com").json["access_token"])

    def is_believed(at: Process, token: str) -> bool:
        return at.ask("GET", "/v1/accounts", token=token).status != 401

    with login.process(TOKEN_SIGNING_KEY=f"{old},{new}") as published:
        keys = published.ask("GET", "/.well-known/jwks.json").json["keys"]
        assert len({key["kid"] for key in keys}) == 2
        assert all(set(key) == {"kty", "crv", "x", "kid", "use", "alg"} for key in keys)
        assert is_believed(published, shown(process))
        assert is_believed(process, shown(published))
        with login.process(TOKEN_SIGNING_KEY=f"{new},{old}") as signing:
            assert is_believed(signing, shown(published))
            assert is_believed(published, shown(signing))
            late = shown(signing)
        with login.process(TOKEN_SIGNING_KEY=new) as last:
            assert is_believed(last, late)
            assert not is_believed(last, shown(process))


def test_where_the_keys_are_is_told(login: Login, process: Process) -> None:
    found = process.ask("GET", "/.well-known/openid-configuration")
    assert found.json == {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/.well-known/jwks.json"}
    assert "max-age=3600" in process.ask("GET", "/.well-known/jwks.json").headers["cache-control"]
