"""What group commit brings: requests that were made durable, each with its idempotency key, in three ways.

    python -m benchmarks.runtime_group_commit [--callers N] [--seconds N]

All three write the same rows into the same PostgreSQL (the embedded one, fsync on) from one process, in one run, one
after the other and then again in the other order; each caller waits for its answer before it asks again:

- an INSERT for each request, without a key: the least that a durable request can cost without a group;
- a transaction for each request, with its key: claim, insert, finish, commit, as `Keys` does it;
- `Accepting`: key and row of many requests in one statement.

At the end the rows of the table are counted against the answers that were given."""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import uvloop

import nines_runtime.data
from nines_runtime import (
    Accepting,
    Answer,
    Call,
    Caller,
    Database,
    Deadline,
    EmbeddedServer,
    Keys,
    keyed_insert,
    new_id,
)

CALLERS, SECONDS = 64, 4.0
GOAL_HZ = 10_000
COLUMNS = {"id": "uuid", "device_token": "text", "title": "text", "body": "text", "created_at": "timestamptz"}
TABLE = """
CREATE TABLE pushes (
    id uuid PRIMARY KEY,
    device_token text NOT NULL CHECK (char_length(device_token) <= 200),
    title text NOT NULL CHECK (char_length(title) <= 120),
    body text NOT NULL CHECK (char_length(body) <= 1000),
    status text NOT NULL DEFAULT 'accepted',
    attempts smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL
);
CREATE INDEX pushes_next_attempt_at_idx ON pushes (next_attempt_at) WHERE status = 'accepted'"""
INSERT = "INSERT INTO pushes (id, device_token, title, body, created_at) VALUES ($1, $2, $3, $4, $5)"
BODY = b'{"device_token":"' + b"d" * 64 + b'","title":"Your order","body":"It is on its way and arrives today."}'

Send = Callable[[Call], Awaitable[Answer]]


def request() -> Call:
    return Call(
        operation="sendPush",
        method="POST",
        path="/v1/pushes",
        deadline=Deadline.after(10.0),
        headers={"idempotency-key": new_id().hex},
        body=BODY,
        caller=Caller(subject="product-7"),
    )


def answer_and_row() -> tuple[Answer, tuple[object, ...]]:
    id, now = new_id(), datetime.now(UTC)
    answer = Answer(status=202, body=b'{"id":"psh_%s","status":"accepted"}' % id.hex.encode())
    return answer, (id, "d" * 64, "Your order", "It is on its way and arrives today.", now)


def plain(database: Database) -> Send:
    async def send(call: Call) -> Answer:
        answer, row = answer_and_row()
        await database.execute(call.deadline, INSERT, *row)
        return answer

    return send


def keyed(database: Database) -> Send:
    keys = Keys()

    async def send(call: Call) -> Answer:
        answer, row = answer_and_row()
        async with database.transaction(call.deadline) as tx:
            claim = await keys.claim(tx, call)
            await tx.execute(INSERT, *row)
            await keys.finish(tx, claim, answer, row[0])
        return answer

    return send


def grouped(database: Database) -> Send:
    accepting = Accepting(database, Keys(), keyed_insert("pushes", COLUMNS), operation="sendPush")

    async def send(call: Call) -> Answer:
        answer, row = answer_and_row()
        return await accepting.accept(call, answer=answer, resource_id=row[0], values=row)

    return send


WAYS = {"an INSERT a request, no key": plain, "a transaction a request, keyed": keyed, "group commit, keyed": grouped}


async def measured(send: Send, callers: int, seconds: float) -> tuple[float, float, float, int]:
    """Answers a second, p95 in ms, processor time of this process per answer in µs, answers."""
    waits_s: list[float] = []
    until_s = time.perf_counter() + seconds

    async def caller() -> None:
        while (begun_s := time.perf_counter()) < until_s:
            await send(request())
            waits_s.append(time.perf_counter() - begun_s)

    used_s = _used_s()
    begun_s = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    lasted_s = time.perf_counter() - begun_s
    waits_s.sort()
    count = len(waits_s)
    return count / lasted_s, 1e3 * waits_s[int(0.95 * count)], 1e6 * (_used_s() - used_s) / count, count


def _used_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def compare(url: str, callers: int, seconds: float) -> None:
    database = Database(url, size_max=16)
    schema = (Path(nines_runtime.data.__file__).parent / "schema.sql").read_text()
    async with database.transaction(Deadline.after(30.0)) as tx:
        await tx.execute(schema + TABLE)
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    answered = 0
    for names in (list(WAYS), list(WAYS)[::-1]):
        for name in names:
            rate_hz, p95_ms, cpu_us, count = await measured(WAYS[name](database), callers, seconds)
            answered += count
            rates[name].append(rate_hz)
            print(f"{name:32} {rate_hz:9,.0f}/s   p95 {p95_ms:6.2f} ms   {cpu_us:6.1f} µs of this process each")
    rows = await database.fetchrow(Deadline.after(60.0), "SELECT count(*) FROM pushes")
    await database.close()
    assert rows is not None
    print(f"answered {answered:,}, in the table {rows[0]:,}")
    best = min(rates["group commit, keyed"])
    for name in list(WAYS)[:2]:
        print(f"group commit against {name}: {best / max(rates[name]):.1f} times")
    print(f"goal {GOAL_HZ:,}/s: {'reached' if best >= GOAL_HZ else 'missed'} with {best:,.0f}/s, the worse of two")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, default=CALLERS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="nines-group-commit-"))
    server = EmbeddedServer(folder)
    try:
        server.start()
        uvloop.run(compare(server.url(), given.callers, given.seconds))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
