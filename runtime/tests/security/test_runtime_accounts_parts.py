"""Even answers, and tokens whose session is over."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.data.identifiers import identifier_text
from nines_runtime.security.accounts import AccountAuthenticator, Accounts, Evenly
from nines_runtime.security.codes import Codes
from nines_runtime.security.encryption import Cipher
from nines_runtime.security.guessing import Guesses
from nines_runtime.security.issuing import TokenIssuer
from nines_runtime.security.keys import SigningKey, SigningKeys
from nines_runtime.security.passwords import Passwords
from nines_runtime.security.refresh import RefreshTokens
from nines_runtime.security.tokens import TokenRules
from nines_runtime.web.problem import Problem

KEY = bytes(32)
RULES = TokenRules(issuer="https://issuer.test", audience="tests", second_factor_roles=frozenset({"support"}))


class Clock:
    """Sleeping moves it on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@given(st.floats(min_value=0.0, max_value=10.0), st.sampled_from([0.01, 0.05, 0.25]))
def test_answers_come_at_whole_multiples_and_never_earlier_than_the_work_is_done(
    work_s: float, quantum_s: float
) -> None:
    clock = Clock()
    even = Evenly(quantum_s, clock=clock, sleep=clock.sleep)
    clock.now_s += work_s
    asyncio.run(even.wait())
    multiples = clock.now_s / quantum_s
    assert multiples == pytest.approx(round(multiples), abs=1e-6)
    assert work_s - 1e-9 <= clock.now_s <= work_s + quantum_s + 1e-9


class Sessions:
    """A table of sessions in memory."""

    def __init__(self) -> None:
        self.held: dict[UUID, UUID] = {}
        self.asked = 0

    async def fetchrow(self, deadline: Any, query: str, *arguments: Any) -> Any:
        assert query == "SEE"
        assert deadline.left_s > 0
        self.asked += 1
        account = self.held.get(arguments[0])
        return None if account is None else (account,)


def _issuer() -> TokenIssuer:
    return TokenIssuer(SigningKeys([SigningKey.generate()]), RULES)


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _is_refused(authenticator: AccountAuthenticator, token: str) -> bool:
    with pytest.raises(Problem) as refused:
        asyncio.run(authenticator.authenticate(_bearer(token), address=""))
    return refused.value.code == "unauthorized"


def test_a_token_holds_as_long_as_its_session_does() -> None:
    issuer, sessions = _issuer(), Sessions()
    account, session = uuid4(), uuid4()
    sessions.held[session] = account
    authenticator = AccountAuthenticator(issuer, sessions, see="SEE", prefix="acc")
    token = issuer.issue(identifier_text(account, "acc"), session=str(session))
    caller = asyncio.run(authenticator.authenticate(_bearer(token), address=""))
    assert caller.subject == identifier_text(account, "acc")
    assert caller.session == str(session)
    del sessions.held[session]
    assert _is_refused(authenticator, token)


def test_the_session_of_somebody_else_is_none() -> None:
    issuer, sessions = _issuer(), Sessions()
    session = uuid4()
    sessions.held[session] = uuid4()
    authenticator = AccountAuthenticator(issuer, sessions, see="SEE", prefix="acc")
    assert _is_refused(authenticator, issuer.issue(identifier_text(uuid4(), "acc"), session=str(session)))


@pytest.mark.parametrize("subject", ["somebody", str(UUID(int=1)), identifier_text(UUID(int=1), "mer")])
def test_a_subject_that_is_no_account_is_refused_without_a_look(subject: str) -> None:
    issuer, sessions = _issuer(), Sessions()
    authenticator = AccountAuthenticator(issuer, sessions, see="SEE", prefix="acc")
    assert _is_refused(authenticator, issuer.issue(subject, session=str(uuid4())))
    assert _is_refused(authenticator, issuer.issue(identifier_text(uuid4(), "acc")))
    assert sessions.asked == 0


def test_nobody_is_asked_about_where_no_token_is_shown() -> None:
    sessions = Sessions()
    authenticator = AccountAuthenticator(_issuer(), sessions, see="SEE")
    assert not asyncio.run(authenticator.authenticate({}, address="")).subject
    assert sessions.asked == 0


def test_a_role_that_needs_a_second_factor_is_nothing_without_it() -> None:
    passwords = Passwords(memory_kib=64, passes=1)
    accounts = Accounts(
        issuer=_issuer(),
        passwords=passwords,
        codes=Codes(KEY),
        guesses=Guesses(KEY),
        refresh=RefreshTokens(60.0),
        cipher=Cipher({1: KEY}),
        session_ttl_s=60.0,
    )
    assert accounts.allowed(["editor", "support"], has_second_factor=False) == ["editor"]
    assert accounts.allowed(["editor", "support"], has_second_factor=True) == ["editor", "support"]
    accounts.close()
