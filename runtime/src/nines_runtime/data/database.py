"""PostgreSQL by asyncpg: a bounded pool, a limit for every wait, and transactions that say what they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

import asyncpg

from nines_runtime.calls.deadline import Deadline

Result = TypeVar("Result")
SERIALIZABLE_ATTEMPTS_MAX = 3


class Connection(Protocol):
    """Inside a transaction plain asyncpg is used; this names the part of it that is."""

    async def fetchrow(self, query: str, *arguments: Any) -> asyncpg.Record | None: ...
    async def fetch(self, query: str, *arguments: Any) -> Sequence[asyncpg.Record]: ...
    async def fetchval(self, query: str, *arguments: Any) -> Any: ...
    async def execute(self, query: str, *arguments: Any) -> str: ...
    async def executemany(self, query: str, arguments: Sequence[Sequence[Any]]) -> None: ...


class Database:
    """Every method waits at most as long as the deadline allows and raises Problem("unavailable") beyond it, or where
    the database cannot be reached."""

    def transaction(
        self, deadline: Deadline, *, isolation: str = "read_committed"
    ) -> AbstractAsyncContextManager[Connection]:
        raise NotImplementedError

    async def serializable(self, deadline: Deadline, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Runs `work` in a serializable transaction, again where the database asks for it, at most three times."""
        raise NotImplementedError

    async def fetchrow(self, deadline: Deadline, query: str, *arguments: Any) -> asyncpg.Record | None:
        """One statement outside of a transaction; repeated once where the connection was broken and it only reads."""
        raise NotImplementedError

    async def fetch(self, deadline: Deadline, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        raise NotImplementedError

    async def execute(self, deadline: Deadline, query: str, *arguments: Any) -> int:
        """How many rows were written."""
        raise NotImplementedError
