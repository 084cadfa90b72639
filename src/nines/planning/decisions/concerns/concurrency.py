"""What happens when two change the same thing at once."""

from __future__ import annotations

from collections import Counter

from nines.model.design import Decision, Design
from nines.model.words import many
from nines.planning.decisions.deciding import option, some, writes

NUMBER = 9
_CONDITIONS = "read committed, with conditions in the statements"
_SERIALIZABLE = "serializable, and again when refused"
_LOCKS = "row locks taken first (SELECT ... FOR UPDATE)"


def decide(design: Design) -> Decision | None:
    changing = [each for each in writes(design) if each.flow.transactions]
    if not changing or design.is_recovered:
        return None
    levels = Counter(each.isolation for each in changing if each.isolation)
    strict = [each.id for each in changing if each.isolation == "serializable"]
    chosen = _SERIALIZABLE if len(strict) > len(changing) / 2 else _CONDITIONS
    matched = [each.id for each in changing if each.needs_if_match]
    kept = [each.id for each in changing if each.idempotency]
    unique = sum(1 for t in design.tables for index in t.indexes if index.is_unique and not index.is_primary)
    told = ", ".join(f"{count} {level}" for level, count in sorted(levels.items())) or "not known"
    return Decision(
        id="concurrency-control",
        number=NUMBER,
        concern="Isolation and concurrency control",
        context=f"{many(len(changing), 'operation')} with transactions ({told}); unique keys ({unique}) and checks "
        f"({sum(len(t.checks) for t in design.tables)}) hold whatever happens at once.",
        options=(
            option(
                _CONDITIONS,
                "a change names what it found (version, state, key) and finds nothing when somebody was faster: no "
                "waiting, no second try, a clear 409 or 412",
                "every statement must carry its condition; one that forgets it loses an update in silence",
                "a decision hangs on the row that is changed",
            ),
            option(
                _SERIALIZABLE,
                "correct whatever the statements are",
                "transactions are refused under contention and must be repeated whole, so that p95 grows with the load",
                "a decision hangs on rows that are not changed, such as a sum",
            ),
            option(
                _LOCKS,
                "easy to think about: who holds the row decides",
                "others stand in line with their connection in hand; two rows in another order are a deadlock",
                "a decision takes several statements over one row",
            ),
        ),
        chosen=chosen,
        because=_because(matched, kept, strict),
        consequences=_consequences(matched, kept),
        changes_when="A rule hangs on several rows that the operation does not change, and no unique key, check or "
        "counter row can hold it.",
    )


def _because(matched: list[str], kept: list[str], strict: list[str]) -> str:
    found = []
    if matched:
        found.append(f"a row that the caller has seen is changed under its version (If-Match) by {some(matched)}")
    if kept:
        found.append(f"what is sent twice meets a unique key in {some(kept)}")
    if strict:
        found.append(f"serializable where a decision hangs on more than the row that is changed: {some(strict)}")
    told = "; ".join(found)
    return told[:1].upper() + told[1:] or "Every decision hangs on the row that is changed, or on a unique key"


def _consequences(matched: list[str], kept: list[str]) -> tuple[str, ...]:
    found = []
    if matched:
        found.append("Whoever was slower gets 412 and reads again; whoever sends no version gets 428.")
    if kept:
        found.append("A repeated request gets the first answer again; one under way gets 409.")
    found.append("The reason for each operation's level stands in the chapter on data.")
    return tuple(found)
