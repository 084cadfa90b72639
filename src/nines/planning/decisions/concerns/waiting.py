"""Whether callers wait for what others do."""

from __future__ import annotations

from nines.model.blueprint import Dependency
from nines.model.design import Decision, Design, PlannedEndpoint, PlannedJob
from nines.model.words import duration, many
from nines.planning.decisions.deciding import option, some

NUMBER = 3
_SHOWN_MAX = 4
_WAIT, _LATER, _EACH = "the caller waits", "answer first, and do it in a job", "each operation by its promise"


def decide(design: Design) -> Decision | None:
    waiting = [each for each in design.endpoints if each.flow.calls and not each.is_asynchronous]
    later = [each for each in design.endpoints if each.is_asynchronous]
    calling = [job for job in design.jobs if job.flow.calls and not job.every_s]
    if not waiting and not later and not calling:
        return None
    chosen = _EACH if waiting and (later or calling) else _WAIT if waiting else _LATER
    return Decision(
        id="synchronous-or-later",
        number=NUMBER,
        concern="Synchronous or asynchronous",
        context=_context(design, waiting, later),
        options=(
            option(
                _WAIT,
                "the answer is final, and the caller's code is one line",
                "the caller's promise is never better than that of whoever is called; a dependency that hangs holds "
                "callers, connections and slots",
                "the caller cannot go on without the outcome, and the promise leaves room",
            ),
            option(
                _LATER,
                "the promise holds whatever others do; their failure delays instead of failing",
                "a state in between that callers have to know, and a queue that must be watched",
                "what is called is slower than the promise, or fails more often",
            ),
            option(
                _EACH,
                "nobody waits in vain, and nobody polls who need not",
                "two ways to do it in one service",
                "promises differ",
            ),
        ),
        chosen=chosen,
        because="; ".join(_because(design, waiting, later, [job.name for job in calling])),
        consequences=tuple(_consequences(waiting, later, calling)),
        changes_when="A dependency's measured p95 moves across the promise of an operation that waits for it.",
        is_given=True,
    )


def _context(design: Design, waiting: list[PlannedEndpoint], later: list[PlannedEndpoint]) -> str:
    times = ", ".join(_time(each) for each in _called(design))
    slow = f"Others take their time: {times}. " if times else ""
    waits = (
        f"{many(len(waiting), 'operation')} {'waits' if len(waiting) == 1 else 'wait'} for others. "
        if waiting
        else "No caller waits for others. "
    )
    answered = f"{many(len(later), 'operation')} {'answers' if len(later) == 1 else 'answer'} 202. " if later else ""
    return f"{slow}{waits}{answered}{_promise(design)}".strip()


def _promise(design: Design) -> str:
    """Nobody promised anything in code."""
    return "" if design.is_recovered else f"The usual promise is {duration(design.budgets.latency_p95_s)} (p95)."


def _called(design: Design) -> list[Dependency]:
    flows = [each.flow for each in design.endpoints] + [each.flow for each in design.jobs]
    names = dict.fromkeys(step.target for flow in flows for step in flow.calls)
    return [found for name in names if (found := design.dependency(name))]


def _time(dependency: Dependency) -> str:
    if dependency.latency_p95_s:
        return f"{dependency.name} {duration(dependency.latency_p95_s)} (p95)"
    return f"{dependency.name} up to {duration(dependency.timeout_s)}" if dependency.timeout_s else dependency.name


def _because(
    design: Design, waiting: list[PlannedEndpoint], later: list[PlannedEndpoint], jobs: list[str]
) -> list[str]:
    alike: dict[tuple[str, float | None], list[str]] = {}
    for each in waiting:
        names = some(step.target for step in each.flow.calls)
        promised_s = None if design.is_recovered else each.latency_p95_s or design.budgets.latency_p95_s
        alike.setdefault((names, promised_s), []).append(each.id)
    found = [_waits(ids, names, promised_s) for (names, promised_s), ids in alike.items()]
    more = len(found) - _SHOWN_MAX
    found = [*found[:_SHOWN_MAX], f"{more} more wait for others"] if more > 0 else found
    if later:
        found.append(f"{some(each.id for each in later)} {'is' if len(later) == 1 else 'are'} accepted at once")
    if jobs:
        found.append(f"{some(jobs)} call{'s' if len(jobs) == 1 else ''} outside any request")
    return found


def _waits(ids: list[str], names: str, promised_s: float | None) -> str:
    is_one = len(ids) == 1
    waits = f"wait{'s' if is_one else ''} for {names}"
    if promised_s is None:
        return f"{some(ids)} {waits}"
    return f"{some(ids)} promise{'s' if is_one else ''} {duration(promised_s)} and {waits}"


def _consequences(waiting: list[PlannedEndpoint], later: list[PlannedEndpoint], calling: list[PlannedJob]) -> list[str]:
    found = []
    if waiting:
        found.append("Calls stand between two transactions: reserve, commit, call, settle; never inside one.")
    if later:
        found.append("A 202 has a status resource, and a job whose failures end in a dead letter that somebody sees.")
    if calling:
        found.append("What a job is to do is written with the change that asks for it; a job that dies does it again.")
    return found
