"""Whether something stands between the processes and the database."""

from __future__ import annotations

from nines.model.design import Decision, Design
from nines.model.words import amount
from nines.planning.decisions.deciding import option

NUMBER = 17
_DIRECT, _POOLER, _MORE = (
    "a pool in each process",
    "a pooler in transaction mode (PgBouncer)",
    "more connections allowed",
)
_NEAR = 0.7
"""Of what the server allows: below this the question does not arise."""


def decide(design: Design) -> Decision | None:
    plan = design.capacity
    pool = plan.pool if plan else None
    if plan is None or pool is None or pool.held_at_most < _NEAR * pool.connections_max:
        return None
    chosen = _POOLER if pool.is_pooler_needed else _DIRECT
    return Decision(
        id="connection-pooling",
        number=NUMBER,
        concern="Connections to the database",
        context=pool.says,
        options=(
            option(
                _DIRECT,
                "nothing in between; prepared statements and LISTEN work",
                "every process holds its connections, used or not",
                "the sum stays below what the server allows",
            ),
            option(
                _POOLER,
                "thousands of clients over tens of connections",
                "one more hop to run; session state and LISTEN do not pass through it",
                "processes are many, or come and go",
            ),
            option(
                _MORE,
                "one setting",
                "5 to 10 MiB each, and time in every snapshot: above some hundred all become slower",
                "the sum stays below about 500 and the memory is there",
            ),
        ),
        chosen=chosen,
        because=f"{amount(pool.needed_at_peak)} connections are busy at the peak; "
        + (
            "what the processes hold at the expected peak is more than the server allows"
            if pool.is_pooler_needed
            else "what the processes hold at the expected peak is within what the server allows"
        ),
        consequences=("The most of the deployment and the size of the pool are changed together, never one alone.",),
        changes_when="The most of the deployment grows: processes × pool × 1.25 passes what the server allows."
        if chosen == _DIRECT
        else "Fewer, larger processes do the same work.",
    )
