"""What things cost: every figure that capacity and objections reckon with, named once, with where it comes from."""

from __future__ import annotations

from nines.model.record import Record

OWN = "nines' own measurement on 2 vCPU with PostgreSQL 18 and fsync"
ASSUMED = "assumption"


class Figure(Record):
    """One figure with its source."""

    says: str
    value: str
    source: str = ASSUMED


SINGLE_INSERT_HZ = 5_980.0
"""Requests a second on one core, raw ASGI, one INSERT each."""
GROUPED_INSERT_HZ = 10_493.0
"""The same with a group commit, so that almost no statement of its own is left to a request."""
STATEMENT_CPU_S = 70e-6
"""Of the process for one round trip to the database: 1/5,980 s - 1/10,493 s = 72 µs, measured."""
REQUEST_CPU_S = 180e-6
"""Of the process for routing, reading, validation, a cached token and writing; 95 µs were measured without the
second, third and fourth of these."""
CORE_HZ = 1 / (REQUEST_CPU_S + STATEMENT_CPU_S)
"""Requests a second that one core carries with one statement each."""
ROW_CPU_S = 10e-6
"""Of the process for one row: decoding and writing it as JSON."""
CALL_CPU_S = 150e-6
"""Of the process for one call over HTTP."""
TOKEN_CPU_S = 130e-6
"""Checking a signature (Ed25519 or ES256) that is not in the cache of tokens."""
SIGN_CPU_S = 60e-6
"""Signing a token (Ed25519)."""
HOOK_CPU_S = 1e-3
"""Of one of the owner's own functions."""
PASSWORD_CPU_S = 0.024
"""argon2id with 19 MiB, two passes, one lane (OWASP's smallest), measured."""

GROUP_TRIPS = 3
"""Of a group: its begin, its statement, its commit."""
ROUND_TRIP_S = 0.5e-3
"""Between a process and the database in the same region, zones crossed now and then."""
READ_S = 50e-6
"""Of a database core, for one row by an index that is in memory."""
ROW_READ_S = 4e-6
"""Of a database core, for each further row of a page."""
WRITE_S = 80e-6
"""Of a database core, for one row, its indexes left aside."""
INDEX_WRITE_S = 15e-6
"""Of a database core, for the entry of one row in one index."""
TRANSACTION_S = 20e-6
"""Of a database core, for the begin and the end of one transaction."""
GROUPED_ROW_S = 30e-6
"""Of a database core, for one row of a statement that writes many."""
FLUSH_S = 1e-3
"""One write-ahead log flush to a disk that keeps it."""
COPY_S = 1.5e-3
"""A synchronous copy in another zone: a round trip and a flush."""
REPETITIONS = 2
"""Of a step that is done for each of several rows, where nobody said how many."""

READ_HELD_S = 0.002
WRITE_HELD_S = 0.006
"""How long a connection is held by a whole request: before the statements are known."""
SINGLE_HZ = 10_000.0
"""Transactions of their own a second that one primary takes; a large machine with fast disks."""
GROUPED_HZ = 50_000.0
"""Small rows a second that one primary takes in group commits on a large machine; 16,922 were measured on two cores."""
DATABASE_CORES = 16
"""The large machine of the two figures above."""
SERVER_RESERVED = 3
"""PostgreSQL's superuser_reserved_connections."""
SURGE = 1.25
"""A rolling deployment runs a quarter more processes for a while (maxSurge 25 %)."""
POOL_USUAL = 10
"""Connections of a process, where nobody said."""
CONNECTIONS_USUAL = 100
"""PostgreSQL's default max_connections."""
LANES = 2
"""Connections of a process that write in groups, one filling while the other flushes, as measured."""
GROUP_EVERY_S = 0.01
"""From one group of a process to the next, as the runtime paces them under load: with many processes, what bounds
the number of commits."""
PIECE_ROUND_S = 0.01
"""Taking a piece of work and settling it: two short transactions."""

CHECKPOINT_S = 900.0
"""From one checkpoint of the database to the next, where its log has room."""
LOG_WHOLE_PAGES = 1.5
"""How much more is logged because the first change of a page after a checkpoint logs all of it."""
LOG_BYTES_MAX = 64 * 10**9
REPLAY_BYTES = 100 * 10**6
"""Of its log that the database replays in a second after a crash."""
REPLAY_SHARE = 0.5
"""Of the time that recovery may take."""
EVEN_BYTES = 5 * 10**6
"""Logged in a second: from here on, what gathers in half a minute holds up commits when it is written at once."""

SAFE_PROCESSORS = 0.7
SAFE_POOL = 0.8
SAFE_RATE = 0.9
"""The share of what is there that can be used before waiting takes over; a limit of requests can be used further."""
P95_TO_MEAN = 0.5
"""The mean of a remote call in terms of its p95: a lognormal distribution with a sigma of one half."""
LOGNORMAL_SIGMA = 0.496
"""With which the mean is half of the p95: s²/2 - 1.645 s = ln 0.5."""
MODULE_P95_S = 0.05
"""Of a call to a part of the same service, where the part promises nothing else."""
SUBSCRIBER_S = 0.05
"""Of one delivery of an event over HTTP."""
DELIVERIES_AT_ONCE = 16
"""Of one relay, over HTTP."""
PUBLISH_S = 50e-6
"""Of one event within a batch that a broker takes at once."""
BROKER_ROUND_S = 2e-3
"""Of a batch of events: a round trip, and the broker's own copy."""
POLL_S = 0.1
"""How long a worker that found little waits before it looks again; meanwhile pieces gather."""
NETWORK_BYTES = 125e6
"""A second, of one process: 1 Gbit/s."""
HEADER_BYTES = 800
"""Of a request and its answer together."""
BROKER_HZ = {"kafka": 100_000.0, "nats": 20_000.0, "rabbitmq": 10_000.0, "redis": 20_000.0}
"""Events a second, acknowledged after they are safe; three small servers."""
POOL_PATIENCE_S = 1.0
"""How long a request waits for a connection before it is answered with 503."""
BULKHEAD_PATIENCE_S = 0.1

TOLD = (
    Figure(says="a request in the process, without statements and calls", value="180 µs of a core"),
    Figure(
        says="a round trip to the database, in the process",
        value="70 µs of a core",
        source=f"{OWN}: 1/5,980 s with an INSERT of its own, 1/10,493 s in a group; the difference is 72 µs",
    ),
    Figure(says="each row that is read, in the process", value="10 µs of a core"),
    Figure(says="a call over HTTP, in the process", value="150 µs of a core"),
    Figure(says="one of the owner's functions (hooks)", value="1 ms of a core"),
    Figure(says="argon2id with 19 MiB, t=2, p=1", value="24 ms of a core", source=OWN),
    Figure(says="the network between process and database, there and back", value="0.5 ms"),
    Figure(says="a row read by an index, in the database", value="50 µs of a core, 4 µs for each further one"),
    Figure(says="a row written, in the database", value="80 µs of a core, and 15 µs for each index"),
    Figure(says="a row written with many others in one statement", value="30 µs of a core"),
    Figure(says="a commit that is flushed", value="1 ms; 2.5 ms with a synchronous copy in another zone"),
    Figure(says="one primary's transactions of their own", value="10,000/s on 16 cores and fast disks"),
    Figure(
        says="one primary's small rows in groups",
        value="50,000/s on the same machine",
        source=f"assumption; {OWN}: 16,922/s together with the service and the load generator",
    ),
    Figure(says="replaying the database's log after a crash", value="100 MB/s"),
    Figure(says="the mean of a remote call", value="half of its p95 (lognormal, σ = 0.5)"),
    Figure(says="delivering one event to a subscriber over HTTP", value="50 ms, 16 at once"),
)
