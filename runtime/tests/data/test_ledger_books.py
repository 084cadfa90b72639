"""Whatever is posted, however often and by how many at once: the books balance, and each event is in them once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nines_runtime import Database, Entry, Ledger, balances, check_ledger, entries_of, new_id

from .requests import Request, soon

CODES = ("cash", "receivable", "fees", "merchant:7")
ENTRIES = st.lists(
    st.builds(
        lambda pair, amount, currency: Entry(debit=pair[0], credit=pair[1], amount_minor=amount, currency=currency),
        st.permutations(CODES),
        st.integers(1, 10**12),
        st.sampled_from(["EUR", "JPY"]),
    ),
    min_size=1,
    max_size=4,
)


def run(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def scenario() -> None:
        database = Database(url, size_max=10)
        try:
            await work(database)
        finally:
            await database.close()

    asyncio.run(scenario())


async def post(database: Database, subject: object, version: int, entries: list[Entry]) -> bool:
    async with database.transaction(soon(30)) as tx:
        return await Ledger().post(tx, Request(), subject, version, entries)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ENTRIES, min_size=1, max_size=6))
def test_the_books_sum_to_zero(url: str, postings: list[list[Entry]]) -> None:
    async def work(database: Database) -> None:
        before = {(each.code, each.currency): each.minor for each in await balances(database, soon())}
        # Each is posted twice, and all of them at once.
        subjects = [new_id() for _ in postings]
        twice = [(subject, entries) for subject, entries in zip(subjects, postings, strict=True) for _ in range(2)]
        done = await asyncio.gather(*(post(database, subject, 1, entries) for subject, entries in twice))
        assert sum(done) == len(postings)
        wanted = dict(before)
        for entries in postings:
            for each in entries:
                for code, amount in ((each.debit, each.amount_minor), (each.credit, -each.amount_minor)):
                    wanted[code, each.currency] = wanted.get((code, each.currency), 0) + amount
        found = {(each.code, each.currency): each.minor for each in await balances(database, soon())}
        assert found == wanted
        for currency in {currency for _, currency in found}:
            assert sum(amount for (_, each), amount in found.items() if each == currency) == 0
        assert (await check_ledger(database, soon())).is_right

    run(url, work)


def test_another_version_is_another_event(url: str) -> None:
    async def work(database: Database) -> None:
        entry = Entry(debit="cash", credit="sales", amount_minor=5, currency="EUR")
        assert [await post(database, "p-1", version, [entry]) for version in (1, 1, 2)] == [True, False, True]
        assert [(each.code, each.minor) for each in await balances(database, soon())] == [("cash", 10), ("sales", -10)]

    run(url, work)


def test_what_is_wrong_with_the_books_is_told(url: str) -> None:
    async def work(database: Database) -> None:
        await post(database, "p-1", 1, [Entry(debit="cash", credit="sales", amount_minor=5, currency="EUR")])
        await post(database, "p-2", 1, [])
        await database.execute(soon(), "UPDATE entry_accounts SET currency = 'JPY' WHERE code = 'cash'")
        report = await check_ledger(database, soon())
        assert [each.partition(":")[0] for each in report.faults] == [
            "an entry between accounts of another currency or tenant",
            "a posting without entries",
        ]
        assert report.entries == 1

    run(url, work)


@given(st.lists(st.tuples(st.sampled_from(CODES), st.integers(-(10**9), 10**9)), max_size=8))
def test_legs_become_entries_that_say_the_same(legs: list[tuple[str, int]]) -> None:
    rest = sum(amount for _, amount in legs)
    if rest:
        with pytest.raises(ValueError, match="sum to"):
            entries_of(legs, "EUR")
    legs = [*legs, ("balancing", -rest)]
    net = dict.fromkeys([code for code, _ in legs], 0)
    for code, amount in legs:
        net[code] += amount
    for each in entries_of(legs, "EUR"):
        assert each.amount_minor > 0
        assert each.debit != each.credit
        net[each.debit] -= each.amount_minor
        net[each.credit] += each.amount_minor
    assert not any(net.values())
