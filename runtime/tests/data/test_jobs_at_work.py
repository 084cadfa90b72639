"""Jobs: each piece is one worker's, what fails comes back later, and nothing is lost when a process goes."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nines_runtime import Database, Deadline, EmbeddedServer, GiveUp, Jobs, Queue, Schedule, TooEarly
from nines_runtime.data.queueing import GATHER_S
from nines_runtime.data.tasks import oldest_of

from .requests import soon

TABLES = """
CREATE TABLE work (
    id int PRIMARY KEY, is_dead boolean NOT NULL DEFAULT false, done int NOT NULL DEFAULT 0,
    attempts smallint NOT NULL DEFAULT 0, next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text, created_at timestamptz NOT NULL DEFAULT now()
)"""
CLAIM = """
WITH due AS (
    SELECT id FROM work WHERE NOT is_dead AND done = 0 AND next_attempt_at <= now()
    ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE work SET attempts = work.attempts + 1, next_attempt_at = now() + $2::interval
FROM due WHERE work.id = due.id RETURNING work.id, work.attempts, work.created_at"""
RETRY = "UPDATE work SET last_error = $1, next_attempt_at = now() + $2::interval * 0.01 WHERE id = $3 AND attempts = $4"
LETTER = """UPDATE work SET last_error = $1, next_attempt_at = now() + $2::interval * 0.01, is_dead = attempts >= $3
WHERE id = $4 AND attempts = $5"""
DONE = "UPDATE work SET done = done + 1 WHERE id = $1 AND attempts = $2"
OLDEST = "SELECT count(*), now() - min(next_attempt_at) AS oldest FROM work WHERE done = 0 AND NOT is_dead"


class Figures:
    """A TaskMetrics that remembers."""

    def __init__(self) -> None:
        self.delays: list[tuple[str, str]] = []
        self.ages: list[float] = []
        self.dead_count = 0
        self.successes: list[float] = []
        self.intervals: dict[str, float] = {}

    def delay(self, task: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.delays.append((task, outcome))

    def oldest(self, task: str, seconds: float) -> None:
        self.ages.append(seconds)

    def dead(self, task: str, count: int) -> None:
        self.dead_count += count

    def success(self, task: str, at_s: float) -> None:
        self.successes.append(at_s)

    def interval(self, task: str, seconds: float) -> None:
        self.intervals[task] = seconds


def run(url: str, work: Callable[[Database], Awaitable[None]], rows: int = 0) -> None:
    async def scenario() -> None:
        database = Database(url, size_max=3)
        try:
            await database.execute(soon(), TABLES)
            await database.execute(soon(), "INSERT INTO work SELECT generate_series(1, $1::int)", rows)
            await work(database)
        finally:
            await database.close()

    asyncio.run(scenario())


def queue(work: Callable[[Any, Deadline], Awaitable[None]], **options: Any) -> Queue:
    return Queue(**{"name": "work", "claim": CLAIM, "work": work, "retry": RETRY, "poll_s": 0.05, **options})


async def until(database: Database, condition: str, limit_s: float = 15) -> None:
    async with asyncio.timeout(limit_s):
        while not (await database.fetch(soon(), f"SELECT 1 WHERE {condition}")):
            await asyncio.sleep(0.02)


ALL_DONE = "NOT EXISTS (SELECT FROM work WHERE done = 0)"


def test_two_processes_share_what_is_due_and_do_each_piece_once(url: str) -> None:
    async def work(database: Database) -> None:
        seen: list[int] = []

        async def do(row: Any, deadline: Deadline) -> None:
            seen.append(row["id"])
            # As long as others are asked no connection is held: there are fewer of them than pieces under way.
            await asyncio.sleep(0.005)
            assert await database.execute(deadline, DONE, row["id"], row["attempts"]) == 1

        figures = Figures()
        both = [Jobs(database, queues=[queue(do, concurrency=8, oldest=OLDEST)], metrics=figures) for _ in range(2)]
        for jobs in both:
            jobs.start()
        await until(database, ALL_DONE)
        await asyncio.gather(*(jobs.stop(5) for jobs in both))
        assert sorted(seen) == list(range(1, 301))
        assert figures.delays.count(("work", "done")) == 300
        assert figures.dead_count == 0
        assert figures.ages

    run(url, work, rows=300)


def test_what_fails_is_tried_again_and_given_up_at_last(url: str) -> None:
    async def work(database: Database) -> None:
        given_up: list[int] = []
        errors: list[BaseException] = []

        async def do(row: Any, deadline: Deadline) -> None:
            if row["id"] == 1 and row["attempts"] < 3:
                raise ValueError("the card number 4111 must not be kept")
            if row["id"] == 2:
                raise ValueError
            if row["id"] == 3:
                raise GiveUp("no such device")
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        async def give_up(row: Any, deadline: Deadline) -> None:
            given_up.append(row["id"])
            await database.execute(deadline, "UPDATE work SET is_dead = true WHERE id = $1", row["id"])

        figures = Figures()
        jobs = Jobs(
            database,
            queues=[queue(do, give_up=give_up, attempts_max=4)],
            metrics=figures,
            on_error=lambda _, error: errors.append(error),
        )
        jobs.start()
        await until(database, "NOT EXISTS (SELECT FROM work WHERE done = 0 AND NOT is_dead)")
        await jobs.stop(5)
        rows = {row["id"]: row for row in await database.fetch(soon(), "SELECT * FROM work")}
        assert (rows[1]["done"], rows[1]["attempts"], rows[1]["last_error"]) == (1, 3, "ValueError")
        assert rows[2]["attempts"] == 4
        assert rows[3]["attempts"] == 1
        assert sorted(given_up) == [2, 3]
        assert figures.dead_count == 2
        assert len(errors) == 7

    run(url, work, rows=4)


def test_while_everything_fails_the_rows_keep_their_attempts(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nines_runtime.data.queueing.PROBE_S_MIN", 0.1)

    async def work(database: Database) -> None:
        is_down, asked = True, 0

        async def do(row: Any, deadline: Deadline) -> None:
            nonlocal asked
            asked += 1
            if is_down:
                raise ConnectionError
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        jobs = Jobs(database, queues=[queue(do, concurrency=4, attempts_max=100)])
        jobs.start()
        await asyncio.sleep(1.5)
        during = asked
        is_down = False
        await until(database, ALL_DONE, 30)
        await jobs.stop(5)
        # About ten until it is noticed, what was under way, and a probe now and then; not thousands.
        assert 10 <= during <= 30
        row = await database.fetchrow(soon(), "SELECT count(*) FROM work WHERE attempts > 1")
        assert row is not None
        assert row[0] <= 30

    run(url, work, rows=400)


def test_a_few_that_always_fail_do_not_hold_up_the_others(url: str) -> None:
    async def work(database: Database) -> None:
        async def do(row: Any, deadline: Deadline) -> None:
            if row["id"] <= 15:
                raise ValueError
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        jobs = Jobs(database, queues=[queue(do, concurrency=4, attempts_max=100)])
        jobs.start()
        await until(database, "NOT EXISTS (SELECT FROM work WHERE done = 0 AND id > 15)", 30)
        await jobs.stop(5)

    run(url, work, rows=100)


def test_a_queue_that_keeps_its_own_dead_letters(url: str) -> None:
    async def work(database: Database) -> None:
        async def do(row: Any, deadline: Deadline) -> None:
            if row["id"] == 1:
                raise GiveUp("gone for good")
            if row["id"] == 2:
                raise OSError

        options = {"retry": LETTER, "retry_marks_dead": True, "delete": "DELETE FROM work WHERE id = ANY($1::int[])"}
        figures = Figures()
        jobs = Jobs(database, queues=[queue(do, attempts_max=2, **options)], metrics=figures)
        jobs.start()
        await until(database, "NOT EXISTS (SELECT FROM work WHERE NOT is_dead)")
        await jobs.stop(5)
        rows = await database.fetch(soon(), "SELECT id, attempts, last_error FROM work ORDER BY id")
        assert [tuple(row) for row in rows] == [(1, 1, "gone for good"), (2, 2, "OSError")]
        assert figures.dead_count == 2

    run(url, work, rows=50)


def test_what_comes_too_early_did_not_fail(url: str) -> None:
    async def work(database: Database) -> None:
        begun_s = time.monotonic()

        async def do(row: Any, deadline: Deadline) -> None:
            if time.monotonic() - begun_s < 0.5:
                raise TooEarly(5.0)
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        postpone = (
            "UPDATE work SET attempts = attempts - 1, next_attempt_at = now() + $1::interval * 0.01"
            " WHERE id = $2 AND attempts = $3"
        )
        figures = Figures()
        jobs = Jobs(database, queues=[queue(do, postpone=postpone, attempts_max=2)], metrics=figures)
        jobs.start()
        await until(database, ALL_DONE)
        await jobs.stop(5)
        row = await database.fetchrow(soon(), "SELECT attempts FROM work")
        assert row is not None
        assert row["attempts"] == 1
        assert figures.dead_count == 0

    run(url, work, rows=1)


def test_a_lease_brings_back_what_a_process_left(url: str) -> None:
    async def work(database: Database) -> None:
        started = asyncio.Event()

        async def hang(row: Any, deadline: Deadline) -> None:
            started.set()
            await asyncio.sleep(60)

        async def do(row: Any, deadline: Deadline) -> None:
            assert row["attempts"] == 2
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        first = Jobs(database, queues=[queue(hang, lease_s=1.0)])
        first.start()
        await started.wait()
        begun_s = time.monotonic()
        await first.stop(0.1)
        assert time.monotonic() - begun_s < 5
        second = Jobs(database, queues=[queue(do, lease_s=1.0)])
        second.start()
        await until(database, ALL_DONE)
        await second.stop(5)

    run(url, work, rows=1)


def test_whoever_is_too_slow_is_cut_and_settles_nothing(url: str) -> None:
    async def work(database: Database) -> None:
        ended: list[int] = []

        async def do(row: Any, deadline: Deadline) -> None:
            if row["attempts"] == 1:
                await asyncio.sleep(60)
            ended.append(await database.execute(deadline, DONE, row["id"], row["attempts"]))

        jobs = Jobs(database, queues=[queue(do, lease_s=0.5)])
        jobs.start()
        await until(database, ALL_DONE)
        await jobs.stop(5)
        assert ended == [1]

    run(url, work, rows=1)


def test_stopping_lets_what_is_under_way_end(url: str) -> None:
    async def work(database: Database) -> None:
        started = asyncio.Event()

        async def do(row: Any, deadline: Deadline) -> None:
            started.set()
            await asyncio.sleep(0.3)
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        jobs = Jobs(database, queues=[queue(do, concurrency=2)])
        jobs.start()
        await started.wait()
        await jobs.stop(5)
        row = await database.fetchrow(soon(), "SELECT count(*) FILTER (WHERE done = 1), sum(attempts) FROM work")
        assert row is not None
        assert tuple(row) == (2, 2)

    run(url, work, rows=10)


def test_what_is_claimed_while_it_stops_is_done_as_well(url: str) -> None:
    async def work(database: Database) -> None:
        async def do(row: Any, deadline: Deadline) -> None:
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        for _ in range(10):
            await database.execute(soon(), "UPDATE work SET done = 0, attempts = 0, next_attempt_at = now()")
            jobs = Jobs(database, queues=[queue(do, concurrency=2)])
            jobs.start()
            await asyncio.sleep(0.002)
            await jobs.stop(5)
            left = await database.fetch(soon(), "SELECT 1 FROM work WHERE done = 0 AND attempts > 0")
            assert not left

    run(url, work, rows=20)


def test_a_bell_is_heard_at_once(url: str) -> None:
    async def work(database: Database) -> None:
        async def do(row: Any, deadline: Deadline) -> None:
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        jobs = Jobs(database, queues=[queue(do, poll_s=60.0)])
        jobs.start()
        await asyncio.sleep(0.2)
        await database.execute(soon(), "INSERT INTO work (id) VALUES (1)")
        jobs.wake("work")
        jobs.wake("nobody")
        await until(database, ALL_DONE, 10)
        await jobs.stop(5)

    run(url, work)


def test_an_outage_only_makes_it_wait(server: EmbeddedServer, url: str) -> None:
    async def work(database: Database) -> None:
        done: list[int] = []

        async def do(row: Any, deadline: Deadline) -> None:
            await asyncio.sleep(0.01)
            await database.execute(deadline, DONE, row["id"], row["attempts"])
            done.append(row["id"])

        jobs = Jobs(database, queues=[queue(do, concurrency=4, lease_s=1.0)])
        jobs.start()
        await asyncio.sleep(0.2)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await until_well(database)
        await until(database, ALL_DONE, 30)
        await jobs.stop(5)
        assert set(done) <= set(range(1, 201))
        row = await database.fetchrow(soon(), "SELECT max(done) FROM work")
        assert row is not None
        assert row[0] == 1

    run(url, work, rows=200)


async def until_well(database: Database) -> None:
    async with asyncio.timeout(15):
        while True:
            try:
                await database.ping()
            except Exception:
                await asyncio.sleep(0.05)
            else:
                return


def test_one_of_several_processes_takes_a_turn(url: str) -> None:
    async def work(database: Database) -> None:
        runs: list[float] = []

        async def turn(deadline: Deadline) -> None:
            assert deadline.left_s > 0
            runs.append(time.monotonic())

        async def breaks(deadline: Deadline) -> None:
            raise ValueError

        figures = Figures()
        errors: list[str] = []
        schedules = [Schedule(name="turn", every_s=2.0, run=turn), Schedule(name="breaks", every_s=600, run=breaks)]
        several = [
            Jobs(database, schedules=schedules, metrics=figures, on_error=lambda name, _: errors.append(name))
            for _ in range(3)
        ]
        for jobs in several:
            jobs.start()
        async with asyncio.timeout(20):
            while len(runs) < 3:
                await asyncio.sleep(0.05)
        await asyncio.gather(*(jobs.stop(5) for jobs in several))
        assert all(later - earlier > 1.9 for earlier, later in itertools.pairwise(runs))
        assert errors == ["breaks"]
        assert figures.intervals == {"turn": 2.0, "breaks": 600}
        # Each process tells its start for each schedule, and the one that took the turn its end.
        assert len(figures.successes) == 6 + len(runs)

    run(url, work)


def test_how_long_the_oldest_has_been_due_is_told_by_the_claim_itself(url: str) -> None:
    async def work(database: Database) -> None:
        await database.execute(soon(), "UPDATE work SET next_attempt_at = now() - interval '1 hour' WHERE id = 2")
        figures = Figures()

        async def do(row: Any, deadline: Deadline) -> None:
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        jobs = Jobs(database, queues=[queue(do)], metrics=figures)
        jobs.start()
        await until(database, ALL_DONE)
        await jobs.stop(5)
        assert 3_600 <= figures.ages[0] < 3_700

    run(url, work, rows=3)


def test_what_is_due_is_read_from_claims_of_the_usual_form() -> None:
    async def do(row: Any, deadline: Deadline) -> None: ...

    held = CLAIM.replace("done = 0", "held = $1").replace("$2", "$3").replace("$1 FOR", "$2 FOR")
    found = oldest_of(queue(do, claim=held, claim_arguments=("capture",)))
    assert found == (
        "SELECT now() - min(next_attempt_at) AS oldest FROM work"
        " WHERE NOT is_dead AND held = $1 AND next_attempt_at <= now()"
    )
    assert oldest_of(queue(do, claim=held)) == ""
    assert oldest_of(queue(do, claim="SELECT 1")) == ""
    assert oldest_of(queue(do, oldest=OLDEST)) == OLDEST


def test_a_queue_needs_a_claim() -> None:
    with pytest.raises(TypeError):
        Queue(name="work")  # type: ignore[call-arg]


def test_what_nobody_waits_for_gives_way_to_what_somebody_waits_for(url: str) -> None:
    async def work(database: Database) -> None:
        seen: list[int] = []

        async def do(row: Any, deadline: Deadline) -> None:
            seen.append(row["id"])
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        is_busy = True

        async def hog() -> None:
            while is_busy:
                time.sleep(0.03)  # noqa: ASYNC251 -- a process that has too much to do.
                await asyncio.sleep(0)

        hogging = asyncio.create_task(hog())
        await asyncio.sleep(0.1)
        jobs = Jobs(database, queues=[queue(do, concurrency=1)])
        jobs.start()
        await asyncio.sleep(2.5)
        # Not as much as there is time for, and not nothing either.
        assert 1 <= len(seen) < 20
        is_busy = False
        await hogging
        await until(database, ALL_DONE)
        await jobs.stop(5)

    run(url, work, rows=40)


def test_news_of_more_does_not_ask_the_database_each_time(url: str) -> None:
    async def work(database: Database) -> None:
        claims = 0

        class Counting:
            async def fetch(self, deadline: Deadline, statement: str, *arguments: Any) -> Any:
                nonlocal claims
                claims += statement == CLAIM
                return await database.fetch(deadline, statement, *arguments)

            def __getattr__(self, name: str) -> Any:
                return getattr(database, name)

        async def do(row: Any, deadline: Deadline) -> None:
            await database.execute(deadline, DONE, row["id"], row["attempts"])

        counting: Any = Counting()
        jobs = Jobs(counting, queues=[queue(do, poll_s=5)])
        jobs.start()
        begun_s = time.monotonic()
        for _ in range(300):
            jobs.wake("work")
            await asyncio.sleep(0.002)
        took_s = time.monotonic() - begun_s
        await jobs.stop(5)
        assert 2 <= claims <= took_s / GATHER_S + 2

    run(url, work)
