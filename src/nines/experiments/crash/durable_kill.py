"""What was acknowledged survives a crash of the service and of its database."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from nines.checkers.sets import check_set
from nines.experiments import judging
from nines.experiments.accounts import seconds_of
from nines.experiments.changing import GONE, READ_BACK, read_updates, updates_of_self, updating
from nines.experiments.choosing import NO_CREATOR, attempt, attempt_as_any, is_door, owner
from nines.experiments.usage import uses
from nines.model.budget import Budgets
from nines.model.contract import Operation
from nines.model.experiment import Bench, ExperimentInfo, Figure, Judgement, Load, Need, Share, Target
from nines.model.history import Check, Exchange, History, Outcome, Seen
from nines.model.record import Record
from nines.model.rule import Standard, Tier
from nines.model.verdict import Verdict

SERVICE_KILLS = 3
"""The fewest from which the budgets speak of a worst recovery."""
DATABASE_KILLS = 1
CREATORS_MAX = 2
UPDATES_HZ = 8.0
DOOR_WEIGHT = 0.1
"""Registrations are slow on purpose; where something else is created as well, they are few."""
BUSY_SHARE_MAX = 0.5
"""How much of one processor registrations may ask for, going by how long one takes."""
RATE_HZ, RATE_HZ_MIN = 20.0, 2.0
BEFORE_S = 1.0
"""Creates flow for so long before each kill, so that some have only just been acknowledged."""
AFTER_S = 0.3
LOAD_S = 5.0
"""Longer would only be sent to a service that is still down."""
ROUND_S_MAX = 60.0
TIMEOUT_S = 5.0
PAUSE_S = 0.1
READS_MAX = 150
"""Objects that are read back one by one, where nothing that was sent can be searched for."""
CONFLICT, LIMITED = 409, 429
RATE_LIMIT = "rate limit"
CRASH, CONTROL, RECOVERY = "crash", "control", "recovery"

INFO = ExperimentInfo(
    title="Crash",
    claim="What was acknowledged survives SIGKILL of the service and of its database, and it comes back in time",
    tier=Tier.RELIABILITY,
    needs=(Need.OWNED_PROCESS,),
    budgets=("recovery", "availability"),
    standards=(
        Standard(id="CWE-662", url="https://cwe.mitre.org/data/definitions/662.html"),
        Standard(
            id="AWS REL11",
            url="https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/design-your-workload-to-withstand-component-failures.html",
        ),
    ),
    is_destructive=True,
    duration_s=25.0,
)


async def run(bench: Bench) -> None:
    """Kills under a stream of creates and updates, then looks for everything that was acknowledged."""
    identity = owner(bench)
    creators = await _findable(bench, identity)
    shares = [each.share for each in creators]
    probe = creators[0].operation if creators else None
    if probe is None:
        # Nothing can be lost where nothing is created, but coming back can be measured all the same.
        probe, share = await _readable(bench)
        shares = [share]
    if probe is None:
        return
    targets = [Target.SERVICE] * SERVICE_KILLS
    if Target.DATABASE.value in bench.dependencies:
        targets += [Target.DATABASE] * DATABASE_KILLS
    rate_hz = min([RATE_HZ, bench.load_settings.rate_hz, *(each.rate_hz_max for each in creators[:1])])
    update = updates_of_self(bench)
    for target in targets:
        changing = await updating(bench, update) if update is not None else []
        load = _load(shares, rate_hz, LOAD_S)
        # What is changed again afterwards would hide what was lost.
        changes = _load(changing, UPDATES_HZ, BEFORE_S) if changing else None
        is_back = await _crash(bench, probe, load, changes, target)
        if not is_back:
            # What does not come back cannot be asked, so nothing more can be learnt.
            return
        if update is not None:
            await read_updates(bench, update, changing, during=CRASH)
        update = update if changing else None
    for each in creators:
        creator = each.operation
        if not each.is_marked:
            await _read_one_by_one(bench, creator, each.viewer)
            continue
        sent = [e for e in bench.history().during(CRASH) if e.operation == creator.id and e.marker]
        if sent and await bench.find(creator, [e.marker for e in sent], each.viewer) is not None:
            bench.mark(READ_BACK, creator.id, f"{len(sent)} markers")


async def _read_one_by_one(bench: Bench, creator: Operation, identity: str) -> None:
    """By the identifiers in the answers: shows what was lost, though not what an open request left behind."""
    sent = [(i, e) for i, e in judging.indexed(bench.history(), CRASH) if e.operation == creator.id]
    for index, created in [(i, e) for i, e in sent if e.outcome is Outcome.OK][:READS_MAX]:
        call = await bench.prepare_read(created, identity)
        if call is None:
            continue
        answer = await bench.send(msgspec.structs.replace(call, phase=READ_BACK))
        bench.check(
            Check(
                subject=creator.id,
                variant=READ_BACK,
                expected="found",
                got=judging.answered(answer),
                passed=True if answer.outcome is Outcome.OK else False if answer.status in GONE else None,
                exchanges=(index, bench.last()),
            )
        )


class _Stream(Record):
    """What is created all the time, and how it is found again."""

    operation: Operation
    share: Share
    viewer: str
    is_marked: bool
    """Whether by a marker, else by the identifier in the answer."""
    rate_hz_max: float = RATE_HZ


async def _findable(bench: Bench, identity: str) -> list[_Stream]:
    """Creators whose objects can be found again on the healthy system, and whether by a marker.

    This is the control of the whole experiment."""
    found: list[_Stream] = []
    door = bench.registration()
    if not bench.creators() and door is None:
        bench.skip("creates", NO_CREATOR)
    creators = [creator for creator in bench.creators() if not is_door(creator)]
    for creator in bench.creators():
        if is_door(creator) and creator != door:
            bench.skip(creator.id, "it makes accounts for others, which is slow on purpose")
    for creator in creators:
        if len(found) >= CREATORS_MAX:
            break
        stream = await _stream(bench, creator)
        if stream is not None:
            found.append(stream)
    if door is not None:
        admin = next((each.name for each in bench.identities if each.is_admin), identity)
        stream = await _stream(bench, door, admin)
        if stream is not None and stream.is_marked:
            weight = DOOR_WEIGHT if found else 1.0
            found.append(msgspec.structs.replace(stream, share=Share(operation=door.id, weight=weight)))
    return found


async def _stream(bench: Bench, creator: Operation, viewer: str = "") -> _Stream | None:
    """As the first who may create it; without a viewer, whoever made it finds it."""
    tried = await (
        attempt(bench, creator, "", CONTROL) if is_door(creator) else attempt_as_any(bench, creator, CONTROL)
    )
    if tried is None or tried[1].outcome is not Outcome.OK:
        answer = judging.answered(tried[1]) if tried else "no valid request could be made"
        bench.skip(creator.id, f"a valid create does not succeed: {answer}")
        return None
    identity = tried[0].identity
    viewer = viewer or identity
    marker = tried[0].marker
    seen = await bench.find(creator, [marker], viewer) if marker else None
    is_marked = any(each.marker == marker and each.count for each in seen or ())
    call = None if is_marked else await bench.prepare_read(tried[1], identity)
    is_readable = call is not None and (await bench.send(call)).outcome is Outcome.OK
    if not (is_marked or is_readable):
        bench.skip(creator.id, "what it creates can neither be searched for nor read back")
        return None
    again = None if is_door(creator) else await attempt(bench, creator, identity, CONTROL)
    if again is not None and again[1].status == CONFLICT:
        bench.skip(creator.id, f"only one can be made: a second valid create is answered {judging.answered(again[1])}")
        return None
    rate_hz_max = BUSY_SHARE_MAX / seconds_of(tried[1]) if is_door(creator) else RATE_HZ
    share = Share(operation=creator.id, identity=identity)
    return _Stream(operation=creator, share=share, viewer=viewer, is_marked=is_marked, rate_hz_max=rate_hz_max)


async def _readable(bench: Bench) -> tuple[Operation | None, Share]:
    """A read that succeeds, best one that needs the database, and as whom."""
    observed = [use for use in await uses(bench) if use.operation.is_safe]
    best = max(observed, key=lambda use: Target.DATABASE.value in use.dependencies, default=None)
    if best is None:
        return None, Share(operation="")
    bench.note(f"nothing that is created could be found again, so the crashes were met by {best.operation.id}")
    return best.operation, Share(operation=best.operation.id, identity=best.call.identity)


def _load(shares: Sequence[Share], rate_hz: float, duration_s: float) -> Load:
    return Load(
        rate_hz=max(rate_hz, RATE_HZ_MIN),
        duration_s=duration_s,
        shares=tuple(shares),
        phase=CRASH,
        timeout_s=TIMEOUT_S,
        keeps_bodies=True,
    )


async def _crash(bench: Bench, probe: Operation, load: Load, changes: Load | None, target: Target) -> bool:
    """One kill, measured until the first correct answer; False when there was none."""
    async with contextlib.AsyncExitStack() as running:
        for each in filter(None, (load, changes)):
            await running.enter_async_context(bench.background(each))
        await bench.pause(BEFORE_S)
        killed_s = bench.clock_s()
        await bench.kill(target)
        started = await bench.start(target)
        identity = load.shares[0].identity
        recovered = started is not None and await _answers(bench, probe, identity, killed_s)
        if recovered:
            bench.count(f"recovery of the {target.value}", 1.0, bench.clock_s() - killed_s)
            await bench.pause(AFTER_S)
    if not recovered and not any(True for _ in bench.history().marked(RATE_LIMIT)):
        bench.mark("not recovered", target.value, f"{bench.clock_s() - killed_s:.1f}")
    return recovered


async def _answers(bench: Bench, probe: Operation, identity: str, killed_s: float) -> bool:
    """Waits for the first correct answer; where creates met conflicts before, for lack of values that are still free,
    a conflict is as correct as it was then: whoever tells it has asked the database."""
    before = [e for e in bench.history().exchanges if e.operation == probe.id and e.ended_s < killed_s]
    correct = {CONFLICT} & {e.status for e in before}
    while bench.clock_s() - killed_s < ROUND_S_MAX:
        tried = await attempt(bench, probe, identity, RECOVERY, TIMEOUT_S)
        if tried is not None and (tried[1].outcome is Outcome.OK or tried[1].status in correct):
            return True
        if tried is not None and tried[1].status == LIMITED:
            # It is back, and turns callers away on purpose: how long it took can no longer be told.
            bench.mark(RATE_LIMIT, probe.id)
            return False
        await bench.pause(PAUSE_S)
    return False


def judge(history: History, budgets: Budgets) -> Judgement:
    """The set of what was acknowledged against what was found, and the worst recovery against its budget."""
    readable = {mark.name for mark in history.marked(READ_BACK)}
    sent = [(i, e) for i, e in judging.indexed(history, CRASH) if e.operation in readable and e.marker]
    result = check_set((e for _, e in sent), _last_seen(history.seen))
    reads = [check for check in history.checks if check.variant == READ_BACK and check.passed is not None]
    gone = set(result.lost)
    lost = [i for i, e in sent if e.marker in gone] + [c.exchanges[0] for c in reads if c.passed is False]
    acknowledged = result.acknowledged + len(reads)
    figures = (*_recoveries(history), judging.share_figure("acknowledged, then lost", len(lost), acknowledged))
    subjects = _subjects(sent, gone, reads)
    dead = next(iter(history.marked("not recovered")), None)
    slow = [f for f in figures if f.name.startswith("recovery") and f.value > budgets.recovery_s]
    kills = sum(1 for _ in history.marked("killed"))
    if lost or dead is not None or slow:
        return Judgement(
            verdict=Verdict.BROKEN,
            says=_says(f"{len(lost)} of {acknowledged}" if lost else "", slow, kills, dead.name if dead else ""),
            figures=figures,
            offending=tuple(lost)[: judging.OFFENDING_MAX],
            subjects=subjects,
        )
    limit = next(iter(history.marked(RATE_LIMIT)), None)
    if limit is not None:
        says = (
            f"after a crash the service was back, but its rate limit refused {limit.name}, so recovery was not measured"
        )
        return judging.unknown(says, history, figures)
    if not kills:
        return judging.unknown("nothing could be killed", history, figures)
    if not acknowledged:
        came_back = "; ".join(
            f"the worst {f.name} took {f.value:.1f} s" for f in figures if f.upper is not None and f.unit == "s"
        )
        says = "nothing was acknowledged around the crashes, so nothing could be lost"
        return judging.unknown(f"{says}; {came_back}" if came_back else says, history, figures)
    changed = [check for check in reads if check.expected != "found"]
    changes = f" and changes ({len(changed)})" if changed else ""
    worst = max((f.value for f in figures if f.name.startswith("recovery")), default=0.0)
    says = (
        f"none of {acknowledged} acknowledged creates{changes} was lost in {kills} crashes; "
        f"{result.indefinite} were left open by the crash, {len(result.recovered)} of them had happened; "
        f"the worst recovery took {worst:.1f} s"
    )
    return Judgement(verdict=Verdict.HOLDS, says=says, figures=figures, subjects=subjects)


def _last_seen(seen: tuple[Seen, ...]) -> tuple[Seen, ...]:
    """The newest reading of each marker."""
    return tuple({each.marker: each for each in seen}.values())


def _recoveries(history: History) -> tuple[Figure, ...]:
    figures: list[Figure] = []
    for target in Target:
        name = f"recovery of the {target.value}"
        measured = [count.y for count in history.counts if count.name == name]
        dead = [mark for mark in history.marked("not recovered") if mark.name == target.value]
        if dead:
            waited_s = max(float(mark.detail or 0.0) for mark in dead)
            figures.append(Figure(name=name, value=waited_s, unit="s", samples=len(measured) + len(dead)))
        elif measured:
            worst = max(measured)
            figures.append(Figure(name=name, value=worst, unit="s", upper=worst, samples=len(measured)))
    return tuple(figures)


def _subjects(sent: list[tuple[int, Exchange]], gone: set[str], reads: list[Check]) -> tuple[tuple[str, Verdict], ...]:
    acknowledged = [e for _, e in sent if e.outcome is Outcome.OK]
    found = [(e.operation, Verdict.BROKEN if e.marker in gone else Verdict.HOLDS) for e in acknowledged]
    found += [(c.subject, Verdict.HOLDS if c.passed else Verdict.BROKEN) for c in reads]
    return judging.merged_subjects(found)


def _says(lost: str, slow: list[Figure], kills: int, dead: str) -> str:
    parts: list[str] = []
    if lost:
        parts.append(f"{lost} acknowledged creates or changes were lost in {kills} crashes")
    if dead:
        parts.append(f"after the crash of the {dead} no correct answer came while nines waited")
    parts += [f"the {figure.name} took {figure.value:.0f} s" for figure in slow if not dead]
    return "; ".join(parts)
