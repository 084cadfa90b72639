"""Passwords: argon2id as OWASP recommends it, in threads of their own, only a few at a time."""

from __future__ import annotations

import asyncio
import os
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from nines_runtime.calls.deadline import Deadline
from nines_runtime.web.problem import Problem

Result = TypeVar("Result")
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
THREADS = 2
WAITING_MAX = 32
"""At 24 ms a hash and two threads the last one waits for 0.4 s."""
LENGTH_MIN, LENGTH_MAX = 8, 128
_RETRY_AFTER_S = 1.0


class Passwords:
    """Hashes and compares beside the event loop; raises Problem("unavailable") where too many wait already."""

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        lanes: int = LANES,
        threads: int = THREADS,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        threads = min(threads, os.cpu_count() or threads)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._under_way_max = threads + waiting_max
        self._under_way = 0
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    async def hash(self, password: str, *, deadline: Deadline | None = None) -> str:
        """What is kept of a password; raises ValueError for one that is too long."""
        if len(password) > LENGTH_MAX:
            raise ValueError(f"a password has at most {LENGTH_MAX} characters")
        return await self._work(lambda: self._hasher.hash(_plain(password)), deadline)

    async def matches(self, password: str, stored: str | None, *, deadline: Deadline | None = None) -> bool:
        """Takes as long where there is nobody (None) or the password is too long: nobody learns who is there."""
        is_possible = stored is not None and len(password) <= LENGTH_MAX
        against = stored if is_possible and stored is not None else self._nobody
        is_right = await self._work(lambda: self._verify(against, _plain(password[:LENGTH_MAX])), deadline)
        return is_right and is_possible

    def is_outdated(self, stored: str) -> bool:
        """Whether it was made with other parameters: make it anew while its owner's password is at hand."""
        try:
            return self._hasher.check_needs_rehash(stored)
        except InvalidHashError:
            return True

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, work: Callable[[], Result], deadline: Deadline | None) -> Result:
        if self._under_way >= self._under_way_max:
            raise Problem("unavailable", retry_after_s=_RETRY_AFTER_S)
        loop = asyncio.get_running_loop()
        self._under_way += 1
        future = self._threads.submit(work)
        # A thread that has begun goes on where nobody waits any more; until it ends its place is taken.
        future.add_done_callback(lambda _: _tell(loop, self._ended))
        try:
            async with asyncio.timeout(None if deadline is None else deadline.left_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise Problem("unavailable", retry_after_s=_RETRY_AFTER_S) from None

    def _ended(self) -> None:
        self._under_way -= 1


def _tell(loop: asyncio.AbstractEventLoop, ended: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(ended)


def _plain(password: str) -> bytes:
    """The same bytes on every keyboard (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
