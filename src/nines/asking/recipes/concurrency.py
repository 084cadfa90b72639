"""Races: what can happen twice, be lost or be half done."""

from __future__ import annotations

from nines.asking.answer import Answer, Open
from nines.asking.material import Material
from nines.asking.recognise import Asked
from nines.asking.reviewing import reviewed

_EXPERIMENTS = ("consistency/unique-race", "crash/durable-kill")
_PATTERNS = ("unique-constraint", "idempotency-key", "optimistic-lock", "serializable-retry", "reserve-call-settle")


def answer(asked: Asked, material: Material) -> Answer:
    return reviewed(
        asked,
        material,
        intent="concurrency",
        understood="you ask what happens when requests meet, are repeated or are cut off",
        prefixes=("consistency/", "transactions/", "deadlines/retry-non-idempotent"),
        experiments=_EXPERIMENTS,
        patterns=_PATTERNS,
        nothing="Reading found no race; that they are absent is shown by racing, see Next.",
        questions=(
            Open(
                question="Which values must be unique, and which sums must never be wrong?",
                assumed="those that the database declares",
                matters="what only the code promises is what a race breaks",
            ),
        ),
    )
