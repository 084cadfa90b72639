"""Statements do not grow with the rows that a list shows."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from nines.checkers.slopes import Slope, theil_sen
from nines.experiments import judging
from nines.experiments.accounts import made, seconds_of, told, viewer
from nines.experiments.choosing import NO_CREATOR, attempt_as_any, is_door, owner
from nines.model.budget import Budgets
from nines.model.contract import Operation
from nines.model.effect import EffectKind
from nines.model.experiment import Bench, Call, ExperimentInfo, Figure, Judgement, Need
from nines.model.history import Count, Exchange, History, Outcome
from nines.model.rule import Standard, Tier
from nines.model.trace import Trace
from nines.model.verdict import Verdict

STEPS = (1, 2, 3, 4, 6, 8, 11)
"""Rows added before each observation: from five points on a slope has an interval at 95 %."""
SIZES = (1, 2, 3, 5, 8, 13, 21)
"""Rows asked for, where the page is full and the list has a parameter for its size."""
LISTS_MAX = 8
TIME_MAX_S = 25.0
GROWTH_MIN = 5
"""Fewer rows more than at the start show nothing."""
SPARE_ROWS = 4
"""One statement for so many rows is how batches look, not one for each row."""
_SIZE_NAMES = ("limit", "perpage", "pagesize", "size", "count", "maxresults", "take", "first", "top")
_DEPTH_MAX = 3
LIMITED = 429

INFO = ExperimentInfo(
    title="Statements per row",
    claim="The number of statements behind a list does not grow with the rows that it shows",
    tier=Tier.PERFORMANCE,
    needs=(Need.DATABASE, Need.MUTATION),
    standards=(Standard(id="CWE-1073", url="https://cwe.mitre.org/data/definitions/1073.html"),),
    fresh_database=True,
    duration_s=12.0,
)


async def run(bench: Bench) -> None:
    """Observes each list while its rows are added one after the other."""
    identity = owner(bench)
    pairs: list[tuple[Operation, Operation]] = []
    if not bench.creators():
        bench.skip("lists", NO_CREATOR)
    for creator in bench.creators():
        lister = bench.lister_of(creator)
        if lister is None:
            bench.skip(creator.id, "it has no list")
        elif lister not in [known for _, known in pairs]:
            pairs.append((creator, lister))
    for _, lister in pairs[LISTS_MAX:]:
        bench.skip(lister.id, f"only {LISTS_MAX} lists are grown")
    for creator, lister in pairs[:LISTS_MAX]:
        if bench.clock_s() > TIME_MAX_S:
            bench.skip(lister.id, "there was no time left")
        else:
            await _grow(bench, creator, lister, identity)


async def _grow(bench: Bench, creator: Operation, lister: Operation, identity: str) -> None:
    """Rows of accounts are made by whoever registers, and listed by whoever may."""
    tried = await (made(bench, creator, "grow") if is_door(creator) else attempt_as_any(bench, creator, "grow"))
    if tried is None or tried[1].outcome is not Outcome.OK:
        bench.skip(lister.id, f"its rows cannot be created: {told(tried)}")
        return
    first = tried[1]
    identity = first.identity
    if is_door(creator):
        if seconds_of(first) * sum(STEPS) > TIME_MAX_S:
            bench.skip(lister.id, f"its rows are accounts, each of which takes {seconds_of(first):.1f} s")
            return
        found = await viewer(bench, lister)
        if found is None:
            bench.skip(lister.id, "nobody who can sign in may list accounts")
            return
        identity = found
    call = await bench.prepare_on(lister, first, identity) or await bench.prepare(lister, identity)
    if call is None:
        bench.skip(lister.id, "no valid request could be made")
        return
    call = msgspec.structs.replace(call, phase="observe")
    # What a process asks only once (a catalogue, a prepared statement) must not count as growth.
    await bench.send(msgspec.structs.replace(call, phase="warm-up"))
    shown: list[int] = []
    for step in STEPS:
        if not await _add(bench, creator, first, identity, step):
            break
        rows = await _observe(bench, lister, call)
        if rows is None:
            return
        shown.append(rows)
    size = size_parameter(lister)
    if size and shown and (max(shown) - min(shown) < GROWTH_MIN or min(shown) > max(SIZES)):
        # The page was full, or nearly so, from the start: it is made smaller instead of its data larger.
        for rows in SIZES:
            await _observe(bench, lister, msgspec.structs.replace(call, path=sized(call.path, size, rows)))


async def _add(bench: Bench, creator: Operation, first: Exchange, identity: str, rows: int) -> bool:
    """More rows for the same list; where that hangs below a parent, below the same one. False where a limit is met."""
    maker = first.identity if is_door(creator) else identity
    for _ in range(rows):
        nested = await bench.prepare_on(creator, first, maker) if creator.path_parameters else None
        more = nested or await bench.prepare(creator, maker)
        if more is not None and (await bench.send(msgspec.structs.replace(more, phase="grow"))).status == LIMITED:
            bench.note(f"{creator.id}: its rate limit ended the growing")
            return False
    return True


async def _observe(bench: Bench, lister: Operation, call: Call) -> int | None:
    """How many rows were shown; the statements are counted."""
    exchange, trace = await bench.observe(call)
    rows = rows_shown(exchange.body)
    if exchange.outcome is not Outcome.OK or rows is None:
        bench.skip(lister.id, f"its answer shows no list: {judging.answered(exchange)}")
        return None
    bench.count(lister.id, float(rows), float(statements(trace)))
    return rows


def size_parameter(lister: Operation) -> str:
    """The query parameter that says how many rows are shown, "" where the contract has none."""
    known = {
        p.name.lower().replace("_", "").replace("-", ""): p.name for p in lister.parameters if p.location == "query"
    }
    return next((known[name] for name in _SIZE_NAMES if name in known), "")


def sized(path: str, parameter: str, rows: int) -> str:
    """The address with this many rows asked for."""
    parts = urlsplit(path)
    pairs = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != parameter]
    return urlunsplit(parts._replace(query=urlencode([*pairs, (parameter, str(rows))])))


def statements(trace: Trace) -> int:
    """How many statements that read or write; transaction control is not among them."""
    return sum(1 for _ in trace.of(EffectKind.DATABASE_READ, EffectKind.DATABASE_WRITE))


def rows_shown(body: str) -> int | None:
    """How many items the list in an answer has; None where there is no list or it was cut off."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return _longest(value, 0)


def _longest(value: Any, depth: int) -> int | None:
    if isinstance(value, list):
        return len(value)
    if not isinstance(value, dict) or depth > _DEPTH_MAX:
        return None
    found = [size for each in value.values() if (size := _longest(each, depth + 1)) is not None]
    return max(found, default=None)


def judge(history: History, budgets: Budgets) -> Judgement:
    """A slope whose whole interval lies well above nothing is growth."""
    del budgets
    by_list: dict[str, list[Count]] = {}
    for count in history.counts:
        by_list.setdefault(count.name, []).append(count)
    figures: list[Figure] = []
    subjects: list[tuple[str, Verdict]] = []
    sentences: list[str] = []
    for name, counts in by_list.items():
        slope = theil_sen([(count.x, count.y) for count in counts])
        verdict = _verdict(counts, slope)
        subjects.append((name, verdict))
        if slope is not None:
            figures.append(_figure(name, slope))
        if verdict is Verdict.BROKEN and slope is not None:
            least, most = min(counts, key=lambda c: c.x), max(counts, key=lambda c: c.x)
            sentences.append(
                f"{name}: {least.y:.0f} statements at {least.x:.0f} rows, {most.y:.0f} at {most.x:.0f}, "
                f"{slope.value:.2f} for each row"
            )
    if sentences:
        broken = {name for name, verdict in subjects if verdict is Verdict.BROKEN}
        seen = [i for i, e in judging.indexed(history, "observe") if e.operation in broken]
        return Judgement(
            verdict=Verdict.BROKEN,
            says=judging.listed(sentences),
            figures=tuple(figures),
            offending=tuple(reversed(seen))[: judging.OFFENDING_MAX],
            subjects=tuple(subjects),
        )
    flat = [name for name, verdict in subjects if verdict is Verdict.HOLDS]
    if not flat:
        unseen = [name for name, counts in by_list.items() if not any(count.y for count in counts)]
        reason = f"no statement was seen behind {judging.listed(unseen)}" if unseen else "no list could be grown"
        return judging.unknown(reason, history, tuple(figures))
    says = f"the statements behind {judging.listed(flat)} stay the same from the first row to the last"
    return Judgement(verdict=Verdict.HOLDS, says=says, figures=tuple(figures), subjects=tuple(subjects))


def _verdict(counts: list[Count], slope: Slope | None) -> Verdict:
    rows = max(count.x for count in counts) - min(count.x for count in counts)
    if not any(count.y for count in counts):
        # Rows that come without a statement come from elsewhere, or by a way that nobody saw.
        return Verdict.UNKNOWN
    if slope is None or slope.lower is None or slope.upper is None or rows < GROWTH_MIN:
        return Verdict.UNKNOWN
    if slope.lower > 1.0 / SPARE_ROWS:
        return Verdict.BROKEN
    return Verdict.HOLDS if slope.upper < 1.0 / SPARE_ROWS else Verdict.UNKNOWN


def _figure(name: str, slope: Slope) -> Figure:
    return Figure(
        name=f"statements for each row of {name}",
        value=slope.value,
        lower=slope.lower,
        upper=slope.upper,
        confidence=0.95,
        samples=slope.samples,
    )
