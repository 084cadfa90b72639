"""`nines prove`: start the service, try to break it, and judge what was seen."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvloop

from nines import __version__, experiments
from nines.checkers import budgets as budget_checker
from nines.lab.graph.finding import GraphReader
from nines.lab.laboratory import Laboratory
from nines.model.budget import BudgetResult, Budgets
from nines.model.contract import Contract
from nines.model.errors import LabError, NinesError, UsageError
from nines.model.experiment import Experiment, Trial
from nines.model.place import Place
from nines.model.progress import Progress, Silent
from nines.model.record import Record
from nines.model.report import Report, Unexamined
from nines.model.service import Endpoint, EndpointKind
from nines.model.settings import budgets_of
from nines.model.trace import Trace
from nines.model.verdict import Verdict
from nines.readers import graphql, openapi, sql
from nines.verbs import ending, estimates, machine, names, trials
from nines.verbs.project import Project
from nines.verbs.reading import Read, is_debugging, read
from nines.verbs.recommending import recommended

_SEED_BITS = 32
_GRAPH, _GRAPH_TESTS = "schema.graphql", "tests/contract/test_graph.py"


class Proof(Record):
    """What running the service showed."""

    contract: Contract | None
    observed: tuple[Trace, ...]
    trials: tuple[Trial, ...]
    budgets: tuple[BudgetResult, ...]
    unexamined: tuple[Unexamined, ...]
    seed: int | None


def prove(
    project: Project,
    *,
    only: tuple[str, ...] = (),
    seed: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Runs the experiments; raises LaunchError when the service cannot be started at all."""
    progress = progress or Silent()
    started, clock_s = datetime.now(UTC), time.monotonic()
    selected = chosen(project, only)
    progress.stage("reading the code")
    found = read(project)
    proof = run(project, found, selected, seed=seed, progress=progress)
    report = Report(
        command="prove",
        project=project.name,
        version=__version__,
        started_at=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_s=time.monotonic() - clock_s,
        seed=proof.seed,
        verdict=Verdict.merge(trial.verdict for trial in proof.trials),
        says=says(proof.trials),
        trials=proof.trials,
        limits=budgets_of(project.settings.budgets),
        budgets=proof.budgets,
        unexamined=(*found.unexamined, *proof.unexamined, *names.unknown_in(project.settings)),
        reading=found.reading,
        machine=machine.describe(),
    )
    return recommended(report)


def says(carried_out: tuple[Trial, ...]) -> str:
    """One sentence over all trials."""
    counts = {verdict: sum(1 for trial in carried_out if trial.verdict is verdict) for verdict in Verdict}
    held, broken, unknown = counts[Verdict.HOLDS], counts[Verdict.BROKEN], counts[Verdict.UNKNOWN]
    return f"{held} of {len(carried_out)} claims hold, {broken} broken, {unknown} without a conclusion"


def chosen(project: Project, only: tuple[str, ...]) -> tuple[Experiment, ...]:
    """The experiments to carry out; raises UsageError for a name that no experiment has, and where none is left."""
    known = experiments.discover()
    ids = [experiment.id for experiment in known]
    for name in only:
        if not any(names.is_named(id, (name,)) for id in ids):
            found = names.near(name, ids)
            hint = f"Did you mean {' or '.join(found)}? " if found else ""
            raise UsageError(f"there is no experiment called {name!r}", hint=f"{hint}There are: {', '.join(ids)}")
    off = project.settings.experiments_off
    selected = tuple(e for e in known if (not only or names.is_named(e.id, only)) and not names.is_named(e.id, off))
    if not selected:
        hint = "Take it out of `experiments_off` in the settings of nines, or name another with --only."
        raise UsageError("no experiment is left, since the settings switch them off", hint=hint)
    return selected


def run(
    project: Project, found: Read, selected: tuple[Experiment, ...], *, seed: int | None, progress: Progress
) -> Proof:
    """Starts the laboratory, carries out every selected experiment, and stops everything again."""
    if not is_debugging():
        # Libraries leave futures behind that nobody asks; what matters of them arrives as an error of ours.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    chosen_seed = secrets.randbits(_SEED_BITS) if seed is None else seed
    progress.note(f"seed {chosen_seed}")
    try:
        return uvloop.run(_conduct(project, found, selected, chosen_seed, progress))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _conduct(
    project: Project, found: Read, selected: tuple[Experiment, ...], seed: int, progress: Progress
) -> Proof:
    limits = budgets_of(project.settings.budgets)
    unexamined: list[Unexamined] = []
    carried_out: list[Trial] = []
    origin_s = time.monotonic()
    expected_s = [estimates.duration_s(experiment, project.settings) for experiment in selected]
    progress.plan(estimates.OPENING_S + sum(expected_s))
    with ending.cancelling():
        async with Laboratory(
            settings=project.settings,
            root=project.root,
            service=found.service,
            applications=found.applications,
            read_contract=openapi.read,
            read_statement=sql.read,
            seed=seed,
            progress=progress,
            graphs=GraphReader(question=graphql.QUERY, read_answer=graphql.read_answer, read_text=graphql.read_text),
        ) as laboratory:
            # A service without a graph lacks nothing; who asks for that experiment alone is told all the same.
            selected = tuple(each for each in selected if laboratory.concerns(each) or len(selected) == 1)
            expected_s = [estimates.duration_s(experiment, project.settings) for experiment in selected]
            observed = await laboratory.survey()
            for position, experiment in enumerate(selected):
                pace = estimates.pace(expected_s[:position], [trial.duration_s for trial in carried_out])
                progress.plan(pace * sum(expected_s[position:]))
                progress.stage(experiment.info.title, pace * expected_s[position])
                trial = await _carry_out(laboratory, experiment, limits, time.monotonic() - origin_s)
                carried_out.append(trial)
                progress.note(f"{trial.verdict.value}: {trial.claim}. {trial.says}")
            progress.plan(estimates.CLOSING_S)
            progress.stage("stopping what was started")
            unexamined.extend(laboratory.unexamined)
            if laboratory.interfaces.graph is None:
                unexamined.extend(unasked(project.root))
            contract = laboratory.contract
    done = tuple(carried_out)
    return Proof(
        contract=contract,
        observed=observed,
        trials=done,
        budgets=budget_checker.evaluate(done, limits),
        unexamined=tuple(unexamined),
        seed=seed,
    )


def unasked(root: Path) -> Iterator[Unexamined]:
    """A graph of which the project holds the schema, and which did not answer where graphs are looked for."""
    if (root / _GRAPH).is_file():
        own = "; its bounds and guards are tried by the service's own tests" if (root / _GRAPH_TESTS).is_file() else ""
        reason = f"nothing answered documents where nines looked, so that {_GRAPH} was not asked{own}"
        yield Unexamined(what="the graph (GraphQL) of the running service", reason=reason)


async def _carry_out(laboratory: Laboratory, experiment: Experiment, limits: Budgets, started_s: float) -> Trial:
    begun_s = time.monotonic()
    try:
        history = await laboratory.conduct(experiment)
    except LabError as error:
        return trials.not_run(experiment, str(error))
    except NinesError as error:
        return trials.not_run(experiment, f"the experiment could not be carried out: {error}")
    return trials.conclude(experiment, history, limits, started_s=started_s, duration_s=time.monotonic() - begun_s)


def unshown(project: Project, reason: str) -> tuple[BudgetResult, ...]:
    """The budgets when nothing could be run: none is shown."""
    results = budget_checker.evaluate((), budgets_of(project.settings.budgets))
    return tuple(msgspec.structs.replace(result, says=reason) for result in results)


def endpoints_of(contract: Contract | None, known: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """The endpoints that only the contract names, so that observed traces of unread code can be judged too."""
    if contract is None:
        return known
    extra = [
        Endpoint(
            id=f"{operation.method} {operation.path}",
            kind=EndpointKind.HTTP,
            function="",
            place=Place(file=contract.source, line=1),
            method=operation.method,
            path=operation.path,
            guards_known=False,
        )
        for operation in contract.operations
        if not any(endpoint.serves(operation.method, operation.path) for endpoint in known)
    ]
    return (*known, *extra)


def attributed(
    observed: tuple[Trace, ...], contract: Contract | None, endpoints: tuple[Endpoint, ...]
) -> tuple[Trace, ...]:
    """Observed traces name the contract's operation; afterwards they name the endpoint that was read."""
    if contract is None:
        return observed
    result = []
    for trace in observed:
        operation = contract.operation(trace.endpoint)
        serving = [e for e in endpoints if operation and e.serves(operation.method, operation.path)]
        best = max(serving, key=lambda endpoint: len(endpoint.path), default=None)
        result.append(msgspec.structs.replace(trace, endpoint=best.id) if best else trace)
    return tuple(result)
