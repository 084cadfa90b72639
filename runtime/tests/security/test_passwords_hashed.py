from __future__ import annotations

import asyncio
import statistics
import threading
import time

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls.deadline import Deadline
from nines_runtime.security.passwords import LENGTH_MAX, Passwords
from nines_runtime.security.strength import objection
from nines_runtime.web.problem import Problem


def test_hashes_as_promised_and_knows_its_own() -> None:
    async def whole() -> None:
        passwords = Passwords()
        stored = await passwords.hash("correct horse", deadline=Deadline.after(20))
        assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert await passwords.matches("correct horse", stored, deadline=Deadline.after(20))
        assert not await passwords.matches("correct horsf", stored)
        assert not await passwords.matches("correct horse", None)
        assert not await passwords.matches("correct horse", "not a hash")
        assert not await passwords.matches("x" * (LENGTH_MAX + 1), stored)
        with pytest.raises(ValueError, match="at most"):
            await passwords.hash("x" * (LENGTH_MAX + 1))
        passwords.close()

    asyncio.run(whole())


def test_the_same_letters_however_a_keyboard_writes_them() -> None:
    async def whole() -> None:
        passwords = Passwords()
        stored = await passwords.hash("Ka\u0308seglocke")
        assert await passwords.matches("K\u00e4seglocke", stored)
        passwords.close()

    asyncio.run(whole())


def test_nobody_takes_as_long_as_somebody() -> None:
    """Within a factor that a busy machine cannot spoil: a hash that is skipped takes a hundredth."""

    async def whole() -> None:
        passwords = Passwords()
        stored = await passwords.hash("correct horse")
        took: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(7):
            for is_there, times in took.items():
                began = time.perf_counter()
                await passwords.matches("wrong horse", stored if is_there else None)
                times.append(time.perf_counter() - began)
        ratio = statistics.median(took[True]) / statistics.median(took[False])
        assert 1 / 3 < ratio < 3
        passwords.close()

    asyncio.run(whole())


def test_other_parameters_are_outdated_and_still_match() -> None:
    async def whole() -> None:
        passwords = Passwords()
        old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("correct horse")
        assert await passwords.matches("correct horse", old)
        assert passwords.is_outdated(old)
        assert passwords.is_outdated("nonsense")
        assert not passwords.is_outdated(await passwords.hash("correct horse"))
        passwords.close()

    asyncio.run(whole())


def test_too_many_at_once_are_refused_before_the_hash() -> None:
    async def whole() -> None:
        passwords = Passwords(threads=1, waiting_max=2)
        ends = await asyncio.gather(*(passwords.hash(str(each)) for each in range(8)), return_exceptions=True)
        refused = [end for end in ends if isinstance(end, Problem)]
        assert len(refused) == 5
        assert all(end.code == "unavailable" and end.retry_after_s for end in refused)
        assert await passwords.hash("again")
        passwords.close()

    asyncio.run(whole())


def test_who_stops_waiting_keeps_its_thread_busy_no_longer_than_that() -> None:
    async def whole() -> None:
        passwords = Passwords(threads=1, waiting_max=2)
        with pytest.raises(Problem) as caught:
            await passwords.hash("x", deadline=Deadline.after(0.0))
        assert caught.value.code == "unavailable"
        task = asyncio.create_task(passwords.hash("y"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(3):
            assert await passwords.hash("z", deadline=Deadline.after(20))
        async with asyncio.timeout(20):
            while passwords._under_way:  # noqa: ASYNC110 -- told by a thread
                await asyncio.sleep(0.01)
        passwords.close()

    before = threading.active_count()
    asyncio.run(whole())
    assert threading.active_count() <= before + 1


@pytest.mark.parametrize(
    "password",
    [
        "short", "password", "Password1!", "P@ssw0rd", "12345678", "qwertyuiop", "aaaaaaaaaa", "abababababab",
        "trustno1", "letmein123",
        "Summer2024!", "passwordpassword", "98765432", "1q2w3e4r", "ada.lovelace", "Ada.Lovelace99",
        "example-login", "x" * 129,
    ],
)  # fmt: skip
def test_passwords_that_are_refused(password: str) -> None:
    assert objection(password, about=["ada.lovelace@example.com", "example-login"])


@pytest.mark.parametrize(
    "password", ["correct horse", "kaffee-tasse", "tr0ub4dor&3", "ΚαλημέραΚόσμε", "x9!kQ2vv", "a sentence that is long"]
)
def test_passwords_that_are_not(password: str) -> None:
    assert objection(password, about=["ada.lovelace@example.com", "", "a@b.c"]) == ""


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=3))
def test_anything_typed_is_judged(password: str, about: list[str]) -> None:
    assert isinstance(objection(password, about=about), str)
