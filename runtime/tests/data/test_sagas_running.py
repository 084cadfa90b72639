"""A saga comes to its end, forwards or back, whatever fails and whatever dies; no step is done or undone twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nines_runtime import (
    Connection,
    Database,
    Deadline,
    GiveUp,
    Jobs,
    LocalStep,
    Overtaken,
    Problem,
    RemoteStep,
    Saga,
    SagaPlan,
    Sagas,
)

from .requests import Request, soon


class Provider:
    """Others, who do what they are asked once for each key, and fail when they are told to."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.keys: set[str] = set()
        self.fails: dict[str, list[Exception]] = {}

    def step(self, name: str, *, undo: str = "") -> RemoteStep:
        async def do(saga: Saga, deadline: Deadline) -> Any:
            return self.ask(name, saga.key(name))

        async def back(saga: Saga, deadline: Deadline) -> None:
            self.ask(undo, saga.key(name, is_undo=True))

        return RemoteStep(name=name, do=do, undo=back if undo else None)

    def ask(self, what: str, key: str) -> dict[str, str]:
        errors = self.fails.get(what, [])
        if errors:
            raise errors.pop(0)
        if key not in self.keys:
            self.keys.add(key)
            self.done.append(what)
        return {"did": what}


def confirm(*, fails: bool = False) -> LocalStep:
    async def do(tx: Connection, saga: Saga) -> None:
        await tx.execute("UPDATE orders SET status = 'confirmed', steps = steps + 1 WHERE id = $1", saga.subject_id)
        if fails:
            raise Problem("state-conflict")

    async def undo(tx: Connection, saga: Saga) -> None:
        await tx.execute("UPDATE orders SET status = 'rejected', steps = steps + 1 WHERE id = $1", saga.subject_id)

    return LocalStep(name="confirm", do=do, undo=undo, ends=True)


def plan(provider: Provider, **options: Any) -> SagaPlan:
    async def finished(tx: Connection, saga: Saga) -> None:
        await tx.execute("UPDATE orders SET told = told + 1 WHERE id = $1", saga.subject_id)

    steps = (
        provider.step("reserve", undo="release"),
        provider.step("authorize", undo="void"),
        confirm(**options),
    )
    return SagaPlan(operation="placeOrder", steps=steps, finished=finished)


def run(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def scenario() -> None:
        database = Database(url, size_max=4)
        try:
            await database.execute(
                soon(),
                "CREATE TABLE orders AS SELECT 'o-1' AS id, 'placed' AS status, 0 AS steps, 0 AS told",
            )
            await work(database)
        finally:
            await database.close()

    asyncio.run(scenario())


async def started(database: Database, sagas: Sagas) -> Saga:
    async with database.transaction(soon()) as tx:
        return await sagas.start(tx, Request(tenant="north"), "placeOrder", "o-1", {"amount": 7})


async def order(database: Database) -> tuple[Any, ...]:
    row = await database.fetchrow(soon(), "SELECT status, steps, told FROM orders")
    assert row is not None
    return tuple(row)


async def status(database: Database) -> str:
    row = await database.fetchrow(soon(), "SELECT status FROM sagas")
    assert row is not None
    return str(row["status"])


async def carried_on(database: Database, sagas: Sagas, wanted: str) -> None:
    """By the job, whose leases are made to end at once."""
    jobs = Jobs(database, queues=[sagas.queue(poll_s=0.02)])
    jobs.start()
    async with asyncio.timeout(20):
        while await status(database) != wanted:
            await database.execute(soon(), "UPDATE sagas SET next_attempt_at = now()")
            await asyncio.sleep(0.03)
    await jobs.stop(5)


def test_each_step_is_done_once_and_the_end_is_told_once(url: str) -> None:
    async def work(database: Database) -> None:
        provider = Provider()
        sagas = Sagas(database, [plan(provider)])
        saga = await sagas.run(await started(database, sagas), soon())
        assert saga.status == "finished"
        assert saga.results["authorize"] == {"did": "authorize"}
        assert saga.arguments == {"amount": 7}
        assert (saga.origin.tenant, saga.origin.subject, saga.origin.request_id) == ("north", "sub-1", "req-1")
        assert provider.done == ["reserve", "authorize"]
        assert await order(database) == ("confirmed", 1, 1)
        assert await status(database) == "finished"

    run(url, work)


@pytest.mark.parametrize("refusal", [GiveUp("no stock"), Problem("declined")])
def test_what_is_refused_takes_back_what_was_done_the_last_first(url: str, refusal: Exception) -> None:
    async def work(database: Database) -> None:
        provider = Provider()
        provider.fails["authorize"] = [refusal]
        sagas = Sagas(database, [plan(provider)])
        saga = await sagas.run(await started(database, sagas), soon())
        assert saga.status == "compensated"
        assert provider.done == ["reserve", "release"]
        # The order's own end is written although it was never confirmed.
        assert await order(database) == ("rejected", 1, 0)
        assert saga.state.reason in ("GiveUp", "declined")

    run(url, work)


def test_a_local_step_that_is_refused_changes_nothing(url: str) -> None:
    async def work(database: Database) -> None:
        provider = Provider()
        sagas = Sagas(database, [plan(provider, fails=True)])
        saga = await sagas.run(await started(database, sagas), soon())
        assert saga.status == "compensated"
        assert provider.done == ["reserve", "authorize", "void", "release"]
        assert await order(database) == ("rejected", 1, 0)

    run(url, work)


def test_what_nobody_knows_is_asked_again_by_the_job(url: str) -> None:
    async def work(database: Database) -> None:
        provider = Provider()
        provider.fails["authorize"] = [Problem("unavailable"), OSError()]
        sagas = Sagas(database, [plan(provider)])
        saga = await started(database, sagas)
        with pytest.raises(Problem):
            await sagas.run(saga, soon())
        await carried_on(database, sagas, "finished")
        assert provider.done == ["reserve", "authorize"]
        assert await order(database) == ("confirmed", 1, 1)

    run(url, work)


def test_what_never_answers_is_undone_as_well(url: str) -> None:
    async def work(database: Database) -> None:
        provider = Provider()
        provider.fails["authorize"] = [OSError() for _ in range(20)]
        provider.fails["void"] = [OSError(), OSError()]
        sagas = Sagas(database, [plan(provider)])
        await started(database, sagas)
        await carried_on(database, sagas, "compensated")
        assert provider.done == ["reserve", "void", "release"]
        assert await order(database) == ("rejected", 1, 0)

    run(url, work)


def test_what_cannot_be_undone_calls_a_person(url: str) -> None:
    async def work(database: Database) -> None:
        provider = Provider()
        provider.fails["authorize"] = [GiveUp("no")]
        provider.fails["release"] = [OSError() for _ in range(50)]
        sagas = Sagas(database, [plan(provider)])
        await started(database, sagas)
        await carried_on(database, sagas, "stuck")
        assert await order(database) == ("placed", 0, 0)
        # Somebody mended it, and says so as the runbook tells.
        provider.fails.clear()
        await database.execute(
            soon(), "UPDATE sagas SET status = 'compensating', attempts = 0, next_attempt_at = now()"
        )
        await carried_on(database, sagas, "compensated")
        assert await order(database) == ("rejected", 1, 0)

    run(url, work)


def test_an_object_that_ended_in_another_way_needs_no_end(url: str) -> None:
    async def refused(tx: Connection, saga: Saga) -> None:
        raise GiveUp("It was cancelled meanwhile.")

    async def work(database: Database) -> None:
        provider = Provider()
        last = LocalStep(name="confirm", do=refused, undo=refused, ends=True)
        steps = (provider.step("reserve", undo="release"), last)
        sagas = Sagas(database, [SagaPlan(operation="placeOrder", steps=steps)])
        saga = await sagas.run(await started(database, sagas), soon())
        assert saga.status == "compensated"
        assert provider.done == ["reserve", "release"]

        async def done(tx: Connection, saga: Saga) -> None:
            await tx.execute("UPDATE orders SET steps = steps + 1")

        # What was done and cannot be taken back is for a person.
        provider.fails["late"] = [GiveUp("no")]
        others = (LocalStep(name="confirm", do=done, undo=refused), provider.step("late"))
        sagas = Sagas(database, [SagaPlan(operation="placeOrder", steps=others)])
        await database.execute(soon(), "DELETE FROM sagas")
        with pytest.raises(GiveUp):
            await sagas.run(await started(database, sagas), soon())
        await carried_on(database, sagas, "stuck")

    run(url, work)


def test_of_two_processes_one_goes_on(url: str) -> None:
    async def work(database: Database) -> None:
        provider = Provider()
        sagas = Sagas(database, [plan(provider)])
        saga = await started(database, sagas)
        ends = await asyncio.gather(*(sagas.run(saga, soon()) for _ in range(6)), return_exceptions=True)
        assert len([each for each in ends if isinstance(each, Saga)]) <= 1
        assert all(isinstance(each, Saga | Overtaken) for each in ends)
        if await status(database) == "running":
            await carried_on(database, sagas, "finished")
        assert provider.done == ["reserve", "authorize"]
        assert await order(database) == ("confirmed", 1, 1)

    run(url, work)


def test_a_process_that_dies_anywhere_loses_nothing(url: str) -> None:
    """Cut after each number of steps in turn; the job does the rest."""

    async def work(database: Database) -> None:
        for cut in range(1, 8):
            await database.execute(soon(), "DELETE FROM sagas")
            await database.execute(soon(), "UPDATE orders SET status = 'placed', steps = 0, told = 0")
            provider = Provider()
            sagas = Sagas(database, [plan(provider)])
            saga = await started(database, sagas)
            task = asyncio.create_task(sagas.run(saga, soon()))
            for _ in range(3 * cut):
                await asyncio.sleep(0.0007)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if await status(database) != "finished":
                await carried_on(database, sagas, "finished")
            assert provider.done == ["reserve", "authorize"]
            assert await order(database) == ("confirmed", 1, 1)

    run(url, work)
