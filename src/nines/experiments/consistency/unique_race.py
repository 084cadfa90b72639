"""Of many identical creates at the same moment one wins, and nobody gets a 5xx."""

from __future__ import annotations

import msgspec

from nines.checkers.winners import Round, rounds
from nines.experiments import judging
from nines.experiments.choosing import owner, path_words
from nines.model.budget import Budgets
from nines.model.contract import Operation
from nines.model.experiment import Bench, Call, ExperimentInfo, Figure, Judgement, Need
from nines.model.history import Exchange, History, Outcome
from nines.model.rule import Standard, Tier
from nines.model.verdict import Verdict

ROUNDS = 60
"""59 clean rounds show at 95 % that fewer than one race in twenty is lost."""
ROUNDS_MIN = 59
RACERS = 10
CREATORS_MAX = 4
TRIED_MAX = 20
TIME_EACH_S = 12.0
TIME_ALL_S = 16.0
LOST_ENOUGH = 3
"""After so many lost rounds more of them tell nothing new."""
REFUSALS = (400, 409, 412, 422)
SIGNING_IN = frozenset(
    ("login", "logout", "signin", "signout", "token", "tokens", "refresh", "authenticate", "recover", "recovery",
     "reset", "forgot", "verify", "oauth", "sso")
)  # fmt: skip

INFO = ExperimentInfo(
    title="Race for a unique value",
    claim="Of ten identical creates at the same moment exactly one wins, and nobody gets a 5xx",
    tier=Tier.RELIABILITY,
    needs=(Need.MUTATION,),
    standards=(
        Standard(id="CWE-362", url="https://cwe.mitre.org/data/definitions/362.html"),
        Standard(id="CWE-367", url="https://cwe.mitre.org/data/definitions/367.html"),
    ),
    duration_s=10.0,
)


async def run(bench: Bench) -> None:
    """First whether uniqueness is promised at all, one after the other; then the races."""
    identity = owner(bench)
    raced = 0
    for operation in _candidates(bench)[:TRIED_MAX]:
        if raced >= CREATORS_MAX or bench.clock_s() > TIME_ALL_S:
            bench.skip(operation.id, f"only {CREATORS_MAX} operations are raced, for {TIME_ALL_S:.0f} s")
            continue
        reason = await _promise(bench, operation, identity)
        if reason:
            bench.skip(operation.id, reason)
            continue
        await _race(bench, operation, identity, raced * ROUNDS)
        raced += 1


def _candidates(bench: Bench) -> list[Operation]:
    """What creates something, and whatever else may: a registration often has nothing that reads it back."""
    creators = list(bench.creators())
    others = [
        operation
        for operation in bench.contract.operations
        if operation.method == "POST"
        and operation.body
        and not operation.path_parameters
        and operation not in creators
        # Whoever signs in or recovers a password creates nothing that could exist once only.
        and not path_words(operation) & SIGNING_IN
    ]
    return creators + [operation for operation in others if not operation.is_deprecated]


async def _promise(bench: Bench, operation: Operation, identity: str) -> str:
    """Why nothing is promised, "" when a sequential duplicate is refused and a fresh create is not."""
    first = await bench.prepare(operation, identity)
    if first is None:
        return "no valid request could be made"
    answer = await _send(bench, first, "control first")
    if answer.outcome is not Outcome.OK:
        return f"a valid create was answered {judging.answered(answer)}"
    again = await bench.prepare(operation, identity, like=first)
    if again is None:
        return "the same request could not be made again"
    answer = await _send(bench, again, "control second")
    if answer.outcome is Outcome.OK:
        return "not applicable: the same values may be created twice"
    if answer.status not in REFUSALS:
        return f"not applicable: a duplicate was answered {judging.answered(answer)}, which promises nothing"
    fresh = await bench.prepare(operation, identity)
    if fresh is None or (await _send(bench, fresh, "control fresh")).outcome is not Outcome.OK:
        return "not applicable: even different values are refused after the first create"
    return await _strain(bench, operation, identity)


async def _strain(bench: Bench, operation: Operation, identity: str) -> str:
    """Why as many different creates at once already fail, "" when they do not: then it is no race that fails."""
    calls = [await bench.prepare(operation, identity) for _ in range(RACERS)]
    ready = [msgspec.structs.replace(call, phase="control together") for call in calls if call is not None]
    failed = [e for e in await bench.together(ready) if e.outcome is Outcome.INDEFINITE]
    if failed:
        return f"{len(failed)} of {RACERS} different creates at once were answered {judging.answered(failed[0])}"
    return ""


async def _send(bench: Bench, call: Call, phase: str) -> Exchange:
    return await bench.send(msgspec.structs.replace(call, phase=phase))


async def _race(bench: Bench, operation: Operation, identity: str, offset: int) -> None:
    began_s = bench.clock_s()
    lost = 0
    for number in range(1, ROUNDS + 1):
        if bench.clock_s() - began_s > TIME_EACH_S or bench.clock_s() > TIME_ALL_S:
            bench.note(f"{operation.id}: stopped after {number - 1} rounds, for time was up")
            return
        first = await bench.prepare(operation, identity)
        if first is None:
            return
        calls = [first]
        for _ in range(RACERS - 1):
            again = await bench.prepare(operation, identity, like=first)
            calls.append(again or first)
        group = offset + number
        answers = await bench.together([msgspec.structs.replace(call, phase="race", group=group) for call in calls])
        lost += any(not race.holds for race in rounds(enumerate(answers)))
        if lost >= LOST_ENOUGH:
            return


def judge(history: History, budgets: Budgets) -> Judgement:
    """Rounds with several winners or a 5xx break the claim; too few rounds show nothing."""
    del budgets
    races = rounds(judging.indexed(history, "race"))
    names = {race.group: _operation(history, race.group) for race in races}
    decided = [race for race in races if race.is_decided or race.errors]
    lost = [race for race in decided if not race.holds]
    figures = (
        judging.share_figure("rounds lost", len(lost), len(decided)),
        Figure(
            name="second winners", value=float(sum(max(0, len(r.winners) - 1) for r in races)), samples=len(decided)
        ),
        Figure(name="5xx", value=float(sum(len(r.errors) for r in races)), samples=sum(r.size for r in races)),
    )
    if not decided:
        return judging.unknown("no create promises uniqueness, or none could be raced", history)
    subjects = tuple(
        (name, _verdict([r for r in decided if names[r.group] == name])) for name in dict.fromkeys(names.values())
    )
    if lost:
        return Judgement(
            verdict=Verdict.BROKEN,
            says=_says(lost, decided, names),
            figures=figures,
            offending=tuple(i for race in lost for i in (*race.winners, *race.errors))[: judging.OFFENDING_MAX],
            subjects=subjects,
        )
    enough = [name for name, verdict in subjects if verdict is Verdict.HOLDS]
    says = f"in {len(decided)} rounds of {RACERS} identical creates exactly one won, without a 5xx"
    if not enough:
        says += f"; {ROUNDS_MIN} rounds of one operation are needed to show less than 5 %"
        return judging.unknown(says, history, figures)
    return Judgement(
        verdict=Verdict.HOLDS, says=f"{says}, at {judging.listed(enough)}", figures=figures, subjects=subjects
    )


def _operation(history: History, group: int) -> str:
    return next(e.operation for e in history.exchanges if e.group == group and e.phase == "race")


def _verdict(decided: list[Round]) -> Verdict:
    if any(not race.holds for race in decided):
        return Verdict.BROKEN
    return Verdict.HOLDS if len(decided) >= ROUNDS_MIN else Verdict.UNKNOWN


def _says(lost: list[Round], decided: list[Round], names: dict[int, str]) -> str:
    double = [race for race in lost if len(race.winners) > 1]
    errors = [race for race in lost if race.errors]
    parts: list[str] = []
    if double:
        most = max(len(race.winners) for race in double)
        parts.append(f"in {len(double)} of {len(decided)} rounds up to {most} of {RACERS} identical creates won")
    if errors:
        count = sum(len(race.errors) for race in errors)
        parts.append(f"in {len(errors)} of {len(decided)} rounds {count} of them were answered with a 5xx")
    where = judging.listed(list(dict.fromkeys(names[race.group] for race in lost)))
    return f"{' and '.join(parts)}, at {where}"
