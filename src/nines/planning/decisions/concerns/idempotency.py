"""How a request that is repeated happens once."""

from __future__ import annotations

from nines.model.design import Decision, Design
from nines.model.words import count, duration, size
from nines.planning.decisions.deciding import option, some

NUMBER = 19
_TABLE, _REDIS, _NATURAL = "a key in the same database and transaction", "a key in Redis", "natural keys only"


def decide(design: Design) -> Decision | None:
    keyed = [each for each in design.endpoints if each.idempotency]
    if not keyed or design.blueprint is None:
        return None
    ttl_s = max(each.idempotency.ttl_s for each in keyed if each.idempotency)
    table = next((each for each in design.tables if each.name.endswith("idempotency_keys")), None)
    steady_hz = sum(each.steady_hz or 0.0 for each in keyed)
    kept = steady_hz * ttl_s
    row = table.growth.row_bytes if table and table.growth else 0
    amount = f"{count(kept)} keys are kept at a time" + (f", {size(kept * row)} with their indexes" if row else "")
    return Decision(
        id="idempotency",
        number=NUMBER,
        concern="Repeated requests",
        context=f"An Idempotency-Key goes with {some(each.id for each in keyed)}, kept for {duration(ttl_s)}; "
        f"{amount}.",
        options=(
            option(
                _TABLE,
                "key, effect and answer stand or fall together: there is no moment in which only one of them is there",
                "two statements more for each of these requests, and rows to purge",
                "the effect is in the same database",
            ),
            option(
                _REDIS,
                "expires by itself, and saves the database two statements",
                "a crash between the two leaves a key without its effect, or an effect without its key",
                "an effect that happens twice is only a nuisance",
            ),
            option(
                _NATURAL,
                "nothing to keep: a unique key of the thing itself refuses the second",
                "callers must have such a number, and the second caller gets a conflict instead of the first answer",
                "every request carries a number that its sender has anyway",
            ),
        ),
        chosen=_TABLE,
        because="A repeated request must give the same answer, also when the process died between its effect and its "
        "answer",
        consequences=(
            "A key that was used for another request is refused (422); one under way gets 409; after "
            f"{duration(ttl_s)} "
            "it is forgotten.",
        ),
        changes_when="The effect leaves this database, so that no transaction spans both.",
    )
