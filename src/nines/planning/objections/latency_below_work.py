"""A promise below what the work itself takes: a commit that is flushed to disk, or a password that is checked."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import duration
from nines.planning.capacity.asking import HASHING
from nines.planning.capacity.figures import PASSWORD_CPU_S
from nines.planning.objecting import is_writing, objection, option, promise_s

_PASSWORD_S = 2 * PASSWORD_CPU_S
"""For one that waits its turn."""
_COMMIT_S = 0.008
"""A flush to disk and a synchronous copy in another zone, with room for one of them to be slow."""
_HASHING = "checking a password with argon2id takes 24 ms, waiting behind one other makes that"
_COMMIT = "a commit that is flushed and copied before it is acknowledged takes about"
_ELSEWHERE = option(
    "let an identity provider sign people in (scheme: oidc)",
    "no password is checked here",
    "depends on that provider",
    "signing people in is not what this service is for",
)
_UNFLUSHED = option(
    "acknowledge before the flush (synchronous_commit = off, and rpo: 1s)",
    "as fast as memory",
    "a crash takes up to about 0.6 s of what was acknowledged",
    "writes can be repeated by those who sent them",
)


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        is_checking = operation.do in HASHING
        least_s = _PASSWORD_S if is_checking else _COMMIT_S
        promised_s = promise_s(blueprint, operation)
        if operation.is_excluded or not is_writing(operation) or promised_s >= least_s:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}",
            f"{operation.name} promises {duration(promised_s)} (p95), and {_HASHING if is_checking else _COMMIT} "
            f"{duration(least_s)}",
            (
                option(
                    f"promise {duration(2 * least_s)} or more", "holds on ordinary machines", "callers wait as long"
                ),
                _ELSEWHERE if is_checking else _UNFLUSHED,
            ),
        )
