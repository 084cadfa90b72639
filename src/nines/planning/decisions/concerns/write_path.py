"""How a write becomes durable."""

from __future__ import annotations

from nines.model.design import Decision, Design
from nines.model.words import count, rate
from nines.planning.decisions.deciding import option, resource, some

NUMBER = 10
_SINGLE, _GROUPED, _LOG = "a transaction for each request", "group commit", "a log first (Kafka), the database later"


def decide(design: Design) -> Decision | None:
    plan = design.capacity
    commits, rows = resource(design, "database commits"), resource(design, "rows written")
    if plan is None or commits is None or rows is None or not commits.at_peak:
        return None
    chosen = _GROUPED if plan.is_grouped else _SINGLE
    arriving = sum(each.peak_hz or 0.0 for each in design.endpoints if not each.is_safe)
    return Decision(
        id="write-path",
        number=NUMBER,
        concern="Write path",
        context=f"{rate(arriving)} of requests write at the peak. One primary takes about "
        f"{count(commits.capacity)} transactions of their own a second, and about {count(rows.capacity)} small rows in "
        "groups.",
        options=(
            option(
                _SINGLE,
                "one request, one transaction, one answer: easy to read, to try and to debug",
                "each waits for a flush of its own, and the server's limit is its number of commits",
                f"commits stay below {commits.safe * 100:.0f} % of what one primary takes",
            ),
            option(
                _GROUPED,
                "one statement over arrays and one flush for all that came within some milliseconds: measured 10,493/s "
                "instead of 5,980/s on one core",
                "a few milliseconds more for each; a row that breaks a rule has to be told apart from its neighbours",
                "small alike writes, and more of them than commits",
            ),
            option(
                _LOG,
                "takes whatever comes, for as long as the disk lasts",
                "the answer says accepted, not done: no rule has been checked, and a read may not see it yet",
                "the rate passes what several primaries take, and nobody reads his own write at once",
            ),
        ),
        chosen=chosen,
        because=_because(design, chosen, commits.at_peak, rows.at_peak),
        consequences=(
            "No answer before the flush: what was acknowledged survives a crash of the process and of the database.",
            *(
                (
                    f"In groups: {some(plan.grouped)}, and moves without a key that change one row and nothing else. "
                    "Everything else keeps its own transaction.",
                )
                if plan.is_grouped
                else ()
            ),
        ),
        changes_when=f"Rows written pass {rate(rows.capacity * rows.safe)}: then the data is divided."
        if plan.is_grouped
        else f"Commits pass {rate(commits.capacity * commits.safe)} at the peak, {commits.room:.2g} times the "
        "expected.",
    )


def _because(design: Design, chosen: str, commits_hz: float, rows_hz: float) -> str:
    if chosen == _SINGLE:
        return f"{count(commits_hz)} commits a second at the peak are few for one primary, and nothing is simpler"
    single = sum((each.peak_hz or 0.0) * each.flow.transactions for each in design.endpoints)
    return (
        f"Callers alone would ask for {count(single)} commits a second, and jobs for more; in groups they are "
        f"{count(commits_hz)} for {count(rows_hz)} rows"
    )
