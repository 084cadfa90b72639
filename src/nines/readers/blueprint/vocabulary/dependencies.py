"""What the service needs of others."""

from __future__ import annotations

from typing import Any

from nines.model.blueprint import Breaker, Dependency, DependencyKind, Fallback, RetryPolicy
from nines.readers.blueprint.document import Node
from nines.readers.blueprint.reading import Reading
from nines.readers.blueprint.records import Key, Keys, Table
from nines.readers.blueprint.shapes import Choice, Flag, Number
from nines.readers.blueprint.units import DURATION, INNER_SHARE, RATE
from nines.readers.blueprint.vocabulary import names

_KINDS = Choice(
    {
        "postgres": (DependencyKind.POSTGRES, "a relational database; the first one keeps the resources"),
        "redis": (DependencyKind.REDIS, "a store in memory"),
        "http": (DependencyKind.HTTP, "a service over HTTP"),
        "grpc": (DependencyKind.GRPC, "a service over gRPC"),
        "kafka": (DependencyKind.KAFKA, "a log of events"),
        "nats": (DependencyKind.NATS, "messages"),
        "rabbitmq": (DependencyKind.RABBITMQ, "queues"),
        "smtp": (DependencyKind.SMTP, "mail"),
        "s3": (DependencyKind.OBJECTS, "objects"),
    }
)
_RETRY = Keys(
    "retry",
    "Repetitions, capped and jittered, on this layer only.",
    (
        Key(name="max", shape=Number(0, 10), says="Repetitions after the first attempt.", default="2"),
        Key(
            name="only",
            shape=Choice(
                {
                    "idempotent": (True, "only what may be carried out twice"),
                    "all": (False, "everything, also what then happens twice"),
                }
            ),
            to="only_idempotent",
            says="What is repeated.",
            default="idempotent",
        ),
    ),
    RetryPolicy,
)
_BREAKER = Keys(
    "breaker",
    "When it is left alone for a while.",
    (
        Key(name="errors", shape=INNER_SHARE, to="error_share", says="The share that failed.", default="50%"),
        Key(name="of", shape=Number(1, 100_000), says="Of how many calls.", default="20"),
        Key(name="open", shape=DURATION, to="open_s", says="For how long.", default="15s"),
    ),
    Breaker,
)
_DEPENDENCY = Keys(
    "dependency",
    "Something that the service needs of others.",
    (
        Key(name="type", shape=_KINDS, to="kind", says="What it is.", is_required=True),
        Key(
            name="need",
            shape=Choice(
                {
                    "hard": (True, "without it the operations that need it fail"),
                    "soft": (False, "without it the service goes on"),
                }
            ),
            to="is_hard",
            says="What happens without it.",
            default="hard",
        ),
        Key(name="url", shape=names.URL, says="Where it is; a secret stands in the environment, never here."),
        Key(name="timeout", shape=DURATION, to="timeout_s", says="How long one attempt may take."),
        Key(name="p95", shape=DURATION, to="latency_p95_s", says="Within what it answers 95 of 100 calls."),
        Key(name="availability", shape=INNER_SHARE, says="What its provider promises."),
        Key(name="rate", shape=RATE, to="rate_max_hz", says="What its provider allows."),
        Key(name="retry", shape=_RETRY, says="Whether it is asked again."),
        Key(name="breaker", shape=_BREAKER, says="When it is left alone."),
        Key(name="bulkhead", shape=Number(1, 100_000), says="Calls in flight at once, per process."),
        Key(
            name="fallback",
            shape=Choice(
                {
                    "none": (Fallback.NONE, "the operation fails"),
                    "queue": (Fallback.QUEUE, "accept, and do it later"),
                    "cache": (Fallback.CACHE, "answer with the last known value"),
                    "default": (Fallback.DEFAULT, "answer without what it would have told"),
                }
            ),
            says="What happens instead.",
            default="none",
        ),
        Key(name="pool", shape=Number(1, 10_000), says="Connections per process."),
        Key(
            name="connections",
            shape=Number(1, 1_000_000),
            to="connections_max",
            says="What the server allows in all.",
        ),
        Key(
            name="replication",
            shape=Choice(
                {
                    "none": "one copy",
                    "synchronous": "a commit waits for the second copy",
                    "asynchronous": "the second copy is a little behind",
                }
            ),
            says="How the data is copied.",
        ),
        Key(
            name="external",
            shape=Flag(),
            to="is_external",
            says="Run by somebody else, across a trust boundary.",
            default="false",
        ),
    ),
    dict,
)


def _dependency(name: str, told: dict[str, Any], node: Node, reading: Reading) -> Dependency:
    return Dependency(name=name, place=reading.place(node.mark), **told)


DEPENDENCIES = Table(
    "dependencies",
    _DEPENDENCY,
    _dependency,
    pattern=names.KEBAB,
    style=names.KEBAB_STYLE,
    declares="dependency",
)
