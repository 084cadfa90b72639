"""Refresh tokens over a table in memory that keeps the promises of the statements, and over PostgreSQL's own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from nines_runtime.security.refresh import RefreshStatements, RefreshTokens, Rejected, Rotated
from nines_runtime.security.secret import Secret, digest_of

START = datetime(2030, 1, 1, tzinfo=UTC)
WORDS = RefreshStatements(use="use", read="read", session="session", insert="insert", revoke="revoke")


class Tables:
    def __init__(self) -> None:
        self.now = START
        self.tokens: dict[bytes, dict[str, Any]] = {}
        self.sessions: dict[UUID, dict[str, Any]] = {}

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        if query == "session":
            row = self.sessions.get(arguments[0])
            return row if row and row["revoked_at"] is None and row["expires_at"] > self.now else None
        row = self.tokens.get(arguments[0])
        if query == "read" or row is None:
            return row
        if row["used_at"] is not None or row["expires_at"] <= self.now:
            return None
        row["used_at"] = self.now
        return row

    async def execute(self, query: str, *arguments: Any) -> str:
        if query == "insert":
            digest, session, ends = arguments
            assert digest not in self.tokens
            self.tokens[digest] = {"session_id": session, "used_at": None, "expires_at": ends}
        else:
            self.sessions[arguments[0]]["revoked_at"] = self.now
        return "1"


class Rotation(RuleBasedStateMachine):
    """Whoever uses a token twice ends its session; whoever does not keeps it until it ends by itself."""

    tokens: Bundle[str] = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.tables = Tables()
        self.refresh = RefreshTokens(100.0, statements=WORDS, now=lambda: self.tables.now)

    @initialize(target=tokens)
    def sign_in(self) -> str:
        id = uuid4()
        ends = self.tables.now + timedelta(seconds=250)
        self.tables.sessions[id] = {"id": id, "account_id": uuid4(), "expires_at": ends, "revoked_at": None}
        return asyncio.run(self.refresh.issue(self.tables, id, until=ends)).text

    @rule(seconds=st.integers(1, 60))
    def wait(self, seconds: int) -> None:
        self.tables.now += timedelta(seconds=seconds)

    @rule(target=tokens, token=tokens)
    def use(self, token: str) -> str:
        kept = self.tables.tokens[digest_of(token)]
        was_used, session = kept["used_at"] is not None, self.tables.sessions[kept["session_id"]]
        was_over = kept["expires_at"] <= self.tables.now
        was_alive = session["revoked_at"] is None and session["expires_at"] > self.tables.now
        outcome = asyncio.run(self.refresh.rotate(self.tables, token))
        if isinstance(outcome, Rotated):
            assert not was_used
            assert not was_over
            assert was_alive
            assert self.tables.tokens[outcome.token.digest]["expires_at"] <= session["expires_at"]
            return outcome.token.text
        assert was_used or was_over or not was_alive
        assert (outcome.reused_session is not None) == was_used
        if was_used:
            assert session["revoked_at"] is not None
        return token

    @rule(text=st.text(max_size=60) | st.just(Secret.new("rt").text))
    def guess(self, text: str) -> None:
        before = {id: row["revoked_at"] for id, row in self.tables.sessions.items()}
        assert asyncio.run(self.refresh.rotate(self.tables, text)) == Rejected()
        assert before == {id: row["revoked_at"] for id, row in self.tables.sessions.items()}

    @invariant()
    def one_token_at_most_is_good(self) -> None:
        good = [row for row in self.tables.tokens.values() if row["used_at"] is None]
        assert len(good) <= 1


Rotation.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestRotation = Rotation.TestCase


def test_tokens_are_never_kept() -> None:
    async def whole() -> None:
        tables = Tables()
        token = await RefreshTokens(100.0, statements=WORDS, now=lambda: START).issue(tables, uuid4())
        assert token.text.encode() not in b"".join(tables.tokens)
        assert next(iter(tables.tokens.values()))["expires_at"] == START + timedelta(seconds=100)

    asyncio.run(whole())
