"""Of many identical creates at the same moment one wins, and nobody gets a 5xx."""

from __future__ import annotations

import msgspec

from nines.checkers.winners import Round, rounds
from nines.experiments import judging
from nines.experiments.choosing import attempt, attempt_as_any, owner, path_words
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
TIME_SILENT_S = 40.0
"""For registrations, each of which hashes a password."""
RACERS_MIN = 2
PACE_AFTER = 3
"""So many rounds tell how long all of them will take."""
SILENT, CONTROL = "silent race", "control silent"
LIMITED = 429
LOST_ENOUGH = 3
"""After so many lost rounds more of them tell nothing new."""
TWICE = "not applicable: the same values may be created twice"
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
    raced = 0
    for operation in _candidates(bench)[:TRIED_MAX]:
        if raced >= CREATORS_MAX or bench.clock_s() > TIME_ALL_S:
            bench.skip(operation.id, f"only {CREATORS_MAX} operations are raced, for {TIME_ALL_S:.0f} s")
            continue
        identity, reason = await _promise(bench, operation)
        is_silent = reason == TWICE and operation == bench.registration()
        if is_silent:
            reason = await _silence(bench, operation)
        if reason:
            bench.skip(operation.id, reason)
            continue
        await _race(bench, operation, identity, raced * ROUNDS, is_silent=is_silent)
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


async def _promise(bench: Bench, operation: Operation) -> tuple[str, str]:
    """As whom something is created, and why nothing is promised: "" when a duplicate is refused and another is not."""
    # What is no certain creator is not tried in the name of somebody mightier.
    tried = await (
        attempt_as_any(bench, operation, "control first")
        if operation in bench.creators()
        else attempt(bench, operation, owner(bench), "control first")
    )
    if tried is None:
        return owner(bench), "no valid request could be made"
    return tried[0].identity, await _refusing(bench, operation, *tried)


async def _refusing(bench: Bench, operation: Operation, first: Call, answer: Exchange) -> str:
    """Why nothing is promised, "" when a sequential duplicate is refused and a fresh create is not."""
    identity = first.identity
    if answer.outcome is not Outcome.OK:
        return f"a valid create was answered {judging.answered(answer)}"
    again = await bench.prepare(operation, identity, like=first)
    if again is None:
        return "the same request could not be made again"
    answer = await _send(bench, again, "control second")
    if answer.outcome is Outcome.OK:
        return TWICE
    if answer.status not in REFUSALS:
        return f"not applicable: a duplicate was answered {judging.answered(answer)}, which promises nothing"
    fresh = await bench.prepare(operation, identity)
    if fresh is None or (await _send(bench, fresh, "control fresh")).outcome is not Outcome.OK:
        return "not applicable: even different values are refused after the first create"
    return await _strain(bench, operation, identity)


async def _silence(bench: Bench, operation: Operation) -> str:
    """Why a registration that answers twice in the same way promises nothing, "" when it makes one account of two.

    Whoever must not tell who has an account can only be judged by the accounts that there are afterwards."""
    first = await bench.prepare(operation, "")
    again = await bench.prepare(operation, "", like=first) if first is not None else None
    if first is None or again is None or not first.marker:
        return f"{TWICE}, and nothing in it can be searched for"
    answers = [await _send(bench, call, CONTROL) for call in (first, again)]
    if any(answer.outcome is not Outcome.OK for answer in answers):
        return f"a valid create was answered {judging.answered(answers[-1])}"
    found = await bench.find(operation, [first.marker], _viewer(bench))
    count = next((seen.count for seen in found or ()), 0)
    return "" if count == 1 else f"{TWICE}; afterwards {count} accounts were found" if count else TWICE


def _viewer(bench: Bench) -> str:
    """Who is the likeliest to see everybody's accounts."""
    return next((identity.name for identity in bench.identities if identity.is_admin), owner(bench))


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


async def _race(bench: Bench, operation: Operation, identity: str, offset: int, *, is_silent: bool) -> None:
    """Rounds until there are enough or time is up; fewer race at once where so many would take too long."""
    began_s = bench.clock_s()
    limit_s = TIME_SILENT_S if is_silent else min(TIME_EACH_S, max(TIME_ALL_S - began_s, 0.0))
    lost = 0
    size = RACERS
    markers: list[str] = []
    for number in range(1, ROUNDS + 1):
        passed_s = bench.clock_s() - began_s
        if passed_s > limit_s:
            bench.note(f"{operation.id}: stopped after {number - 1} rounds, for time was up")
            break
        if number > PACE_AFTER and passed_s / (number - 1) * ROUNDS > limit_s:
            size = max(RACERS_MIN, int(RACERS * limit_s / (passed_s / (number - 1) * ROUNDS)))
        first = await bench.prepare(operation, identity)
        if first is None:
            break
        calls = [first]
        for _ in range(size - 1):
            again = await bench.prepare(operation, identity, like=first)
            calls.append(again or first)
        phase, group = SILENT if is_silent else "race", offset + number
        answers = await bench.together([msgspec.structs.replace(call, phase=phase, group=group) for call in calls])
        markers.append(first.marker)
        if any(answer.status == LIMITED for answer in answers):
            bench.note(f"{operation.id}: its rate limit ended the races after {number} rounds")
            break
        is_lost = any(not race.holds for race in rounds(enumerate(answers)))
        lost += any(answer.is_server_error for answer in answers) if is_silent else is_lost
        if lost >= LOST_ENOUGH:
            break
    if is_silent and markers:
        await bench.find(operation, markers, _viewer(bench))


def judge(history: History, budgets: Budgets) -> Judgement:
    """Rounds with several winners or a 5xx break the claim; too few rounds show nothing."""
    del budgets
    races = (*rounds(judging.indexed(history, "race")), *_silent_rounds(history))
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
    racers = max(race.size for race in races)
    subjects = tuple(
        (name, _verdict([r for r in decided if names[r.group] == name])) for name in dict.fromkeys(names.values())
    )
    if lost:
        return Judgement(
            verdict=Verdict.BROKEN,
            says=_says(lost, decided, names, {e.group for e in history.during(SILENT)}),
            figures=figures,
            offending=tuple(i for race in lost for i in (*race.winners, *race.errors))[: judging.OFFENDING_MAX],
            subjects=subjects,
        )
    enough = [name for name, verdict in subjects if verdict is Verdict.HOLDS]
    says = f"in {len(decided)} rounds of {racers} identical creates exactly one won, without a 5xx"
    if not enough:
        says += f"; {ROUNDS_MIN} rounds of one operation are needed to show less than 5 %"
        return judging.unknown(says, history, figures)
    return Judgement(
        verdict=Verdict.HOLDS, says=f"{says}, at {judging.listed(enough)}", figures=figures, subjects=subjects
    )


def _silent_rounds(history: History) -> tuple[Round, ...]:
    """Races of registrations that answer everybody alike: what won are the accounts that there are afterwards.

    Whoever is answered otherwise than the others was told that somebody has an account, as is whoever gets a 5xx."""
    counts = {seen.marker: seen.count for seen in history.seen}
    sent = judging.indexed(history, SILENT)
    found: list[Round] = []
    for race in rounds(sent):
        members = [(index, exchange) for index, exchange in sent if exchange.group == race.group]
        good = tuple(index for index, exchange in members if exchange.outcome is Outcome.OK)
        told = tuple(i for i, e in members if e.outcome is Outcome.FAILED and e.status not in (None, LIMITED))
        count = counts.get(members[0][1].marker, 0)
        found.append(
            Round(
                group=race.group,
                winners=good[:count],
                errors=(*race.errors, *told),
                open_ended=race.open_ended,
                size=race.size,
            )
        )
    return tuple(found)


def _operation(history: History, group: int) -> str:
    return next(e.operation for e in history.exchanges if e.group == group and e.phase in ("race", SILENT))


def _verdict(decided: list[Round]) -> Verdict:
    if any(not race.holds for race in decided):
        return Verdict.BROKEN
    return Verdict.HOLDS if len(decided) >= ROUNDS_MIN else Verdict.UNKNOWN


def _says(lost: list[Round], decided: list[Round], names: dict[int, str], silent: set[int]) -> str:
    double = [race for race in lost if len(race.winners) > 1]
    errors = [race for race in lost if race.errors]
    parts: list[str] = []
    if double:
        most = max(len(race.winners) for race in double)
        size = max(race.size for race in double)
        parts.append(f"in {len(double)} of {len(decided)} rounds up to {most} of {size} identical creates won")
    if errors:
        count = sum(len(race.errors) for race in errors)
        is_silent = any(race.group in silent for race in errors)
        how = "with a 5xx or unlike the others, which tells that the account exists" if is_silent else "with a 5xx"
        parts.append(f"in {len(errors)} of {len(decided)} rounds {count} of them were answered {how}")
    where = judging.listed(list(dict.fromkeys(names[race.group] for race in lost)))
    return f"{' and '.join(parts)}, at {where}"
