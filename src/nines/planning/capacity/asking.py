"""Reads the steps of a flow as time: of the processors, of the database, and of whoever is waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nines.model.blueprint import Action, Dependency, DependencyKind
from nines.model.design import Design, Flow, FlowStep, PlannedEndpoint, PlannedJob, PlannedQuery, StepKind
from nines.planning.capacity import figures
from nines.planning.capacity.pieces import Computing, Piece, Remote, Session, Span

HASHING = frozenset({Action.REGISTER, Action.SIGN_IN, Action.RESET_PASSWORD})
"""What hashes a password, or compares one with its hash."""
SIGNING = frozenset({Action.SIGN_IN, Action.SIGN_IN_BY_CODE, Action.REFRESH})
_WRITING = ("insert", "update", "delete", "merge", "upsert")
CLAIM, FINISH = "claim-idempotency-key", "finish-idempotency-key"


def commit_s(design: Design) -> float:
    """One commit of the design's database: a flush, and a copy where it is synchronous."""
    found = database_of(design)
    is_copied = found is not None and found.replication == "synchronous"
    return figures.FLUSH_S + (figures.COPY_S if is_copied else 0.0)


def database_of(design: Design) -> Dependency | None:
    return next((each for each in design.dependencies if each.kind is DependencyKind.POSTGRES), None)


def endpoint_piece(design: Design, endpoint: PlannedEndpoint, *, is_grouped: bool = False) -> Piece:
    asks = _Asks(design, page_rows=endpoint.page.default + 1 if endpoint.page else 1)
    cpu_s = figures.REQUEST_CPU_S + (figures.SIGN_CPU_S if endpoint.action in SIGNING else 0.0)
    spans: list[Span] = [Computing(cpu_s=cpu_s)]
    if endpoint.action in HASHING:
        spans.append(Computing(cpu_s=figures.PASSWORD_CPU_S, is_even=True))
    is_grouped = is_grouped and groups(design, endpoint.flow)
    spans += asks.spans(endpoint.flow, is_grouped=is_grouped)
    payload = design.demand.payload_bytes if design.demand else 0
    return Piece(
        name=endpoint.id,
        is_job=False,
        module=endpoint.module,
        steady_hz=endpoint.steady_hz or 0.0,
        peak_hz=endpoint.peak_hz or 0.0,
        spans=tuple(spans),
        bytes=figures.HEADER_BYTES + payload * asks.page_rows,
        promised_s=endpoint.latency_p95_s,
        is_grouped=is_grouped,
        is_read=endpoint.is_safe,
        path=endpoint.path,
    )


def job_piece(design: Design, job: PlannedJob, module: str, processes: int, *, is_grouped: bool = False) -> Piece:
    """`processes` share the pieces between them, which decides how many one claim finds."""
    arriving_hz = job.peak_hz or 0.0
    found_at_once = max(1.0, arriving_hz / max(1, processes) * figures.POLL_S)
    asks = _Asks(design, batch_found=1.0 if job.every_s else found_at_once)
    is_grouped = is_grouped and groups(design, job.flow)
    spans = asks.spans(job.flow, is_grouped=is_grouped)
    limits = [d.rate_max_hz for s in job.flow.calls if (d := design.dependency(s.target)) and d.rate_max_hz]
    return Piece(
        name=job.name,
        is_job=True,
        module=module,
        steady_hz=min([job.steady_hz or 0.0, *limits]),
        peak_hz=min([arriving_hz, *limits]),
        arriving_hz=arriving_hz,
        spans=tuple(spans),
        concurrency=job.concurrency,
        is_grouped=is_grouped,
        is_scheduled=job.every_s is not None,
    )


def groups(design: Design, flow: Flow) -> bool:
    """Whether many of these can share one transaction: one of its own, nothing but writes in it, nothing to decide."""
    inside = [step for step in flow.steps if step.transaction is not None]
    queries = [step for step in inside if step.kind is StepKind.QUERY]
    writes = all((found := design.query(step.query)) is not None and found.is_write for step in queries)
    is_plain = all(step.kind in (StepKind.BEGIN, StepKind.QUERY, StepKind.COMMIT) for step in inside)
    repeated = any(step.is_repeated for step in queries)
    return flow.transactions == 1 and bool(queries) and writes and is_plain and not repeated


class _Asks:
    """Reads a flow's steps as time, with what is known about this kind of piece."""

    def __init__(self, design: Design, *, page_rows: int = 1, batch_found: float | None = None) -> None:
        self._design = design
        self.page_rows = page_rows
        self._batch_found = batch_found
        self._commit_s = commit_s(design)

    def spans(self, flow: Flow, *, is_grouped: bool) -> Iterator[Span]:
        for steps in _runs(flow.steps):
            first = steps[0]
            if first.transaction is not None:
                yield from self._transaction(steps, is_grouped=is_grouped)
            elif first.kind is StepKind.QUERY:
                yield from self._statement(first)
            elif first.kind is StepKind.CALL:
                yield from self._call(first)
            elif first.kind is StepKind.PUBLISH:
                yield from self._publish(first)
            elif first.kind is StepKind.COMPUTE and _is_hook(first):
                yield Computing(cpu_s=figures.HOOK_CPU_S)

    def _transaction(self, steps: list[FlowStep], *, is_grouped: bool) -> Iterator[Span]:
        queries = [step for step in steps if step.kind is StepKind.QUERY]
        costs = [self._cost(step) for step in queries]
        rows = sum(cost.rows for cost in costs)
        if is_grouped:
            ids = {step.query for step in queries}
            # In one statement for many the key is claimed with its answer, for nothing is asked in between.
            rows -= 1.0 if any(i.startswith(CLAIM) for i in ids) and any(i.startswith(FINISH) for i in ids) else 0.0
            yield Computing(cpu_s=figures.ROW_CPU_S * rows)
            yield Session(
                round_trips=0.0,
                database_s=figures.GROUPED_ROW_S * rows,
                commits=1.0,
                commit_s=self._commit_s,
                rows=rows,
            )
            return
        hooks = sum(1 for step in steps if step.kind is StepKind.COMPUTE and _is_hook(step))
        trips = 2.0 + sum(cost.round_trips for cost in costs)
        yield Computing(cpu_s=trips * figures.STATEMENT_CPU_S + hooks * figures.HOOK_CPU_S)
        yield Session(
            round_trips=trips,
            database_s=figures.TRANSACTION_S + sum(cost.database_s for cost in costs),
            commits=1.0 if rows else 0.0,
            commit_s=self._commit_s,
            rows=rows,
        )

    def _statement(self, step: FlowStep) -> Iterator[Span]:
        cost = self._cost(step)
        read = self._read_rows(step)
        yield Computing(cpu_s=cost.round_trips * figures.STATEMENT_CPU_S + (read - 1) * figures.ROW_CPU_S)
        is_writing = cost.rows > 0
        batch = self._batch(step)
        yield Session(
            round_trips=cost.round_trips,
            database_s=cost.database_s + figures.TRANSACTION_S / batch,
            commits=1.0 / batch if is_writing else 0.0,
            commit_s=self._commit_s,
            rows=cost.rows,
        )

    def _cost(self, step: FlowStep) -> Session:
        """One statement without its commit; a claim of many is divided among what it finds."""
        query = self._design.query(step.query)
        times = figures.REPETITIONS if step.is_repeated else 1
        batch = self._batch(step)
        if self._is_write(step):
            table = self._design.table(query.tables[0] if query and query.tables else step.target)
            indexes = len(table.indexes) if table else 1
            row_s = figures.WRITE_S + figures.INDEX_WRITE_S * indexes
            many_s = row_s if batch == 1 else figures.GROUPED_ROW_S + row_s / batch
            return Session(
                round_trips=times / batch, database_s=times * many_s, commits=0, commit_s=0, rows=float(times)
            )
        read_s = figures.READ_S + (self._read_rows(step) - 1) * figures.ROW_READ_S
        return Session(round_trips=times, database_s=times * read_s, commits=0, commit_s=0, rows=0.0)

    def _is_write(self, step: FlowStep) -> bool:
        """Of a step that was read in code only its words are known."""
        query = self._design.query(step.query)
        return query.is_write if query is not None else step.says.startswith(_WRITING)

    def _read_rows(self, step: FlowStep) -> int:
        query = self._design.query(step.query)
        if query is None or query.is_write or query.rows_max is None:
            return 1
        return max(1, min(query.rows_max, self.page_rows))

    def _batch(self, step: FlowStep) -> float:
        """Pieces that one statement takes; only claims and deletes of a job's own queue take several."""
        query = self._design.query(step.query)
        if self._batch_found is None or step.transaction is not None or query is None or not query.is_write:
            return 1.0
        return max(1.0, min(self._claimed(query), self._batch_found))

    def _claimed(self, query: PlannedQuery) -> float:
        if query.rows_max:
            return float(query.rows_max)
        return float("inf") if "= ANY(" in query.text else 1.0

    def _call(self, step: FlowStep) -> Iterator[Span]:
        yield Computing(cpu_s=figures.CALL_CPU_S)
        if step.after_response:
            return
        dependency = self._design.dependency(step.target)
        timeout_s = step.timeout_s or figures.MODULE_P95_S
        known = dependency.latency_p95_s if dependency else figures.MODULE_P95_S
        p95_s = known if known is not None else timeout_s
        yield Remote(target=step.target, p95_s=p95_s, timeout_s=timeout_s, attempts_max=step.attempts_max)

    def _publish(self, step: FlowStep) -> Iterator[Span]:
        if self._design.dependency(step.target) is None:
            yield Computing(cpu_s=figures.CALL_CPU_S)
            at_once = min(figures.DELIVERIES_AT_ONCE, self._batch_found or 1.0)
            yield _constant(step.target, figures.SUBSCRIBER_S / at_once)
            return
        batch = self._batch_found or 1.0
        yield Computing(cpu_s=figures.PUBLISH_S)
        yield _constant(step.target, figures.PUBLISH_S + figures.BROKER_ROUND_S / batch)


def _constant(target: str, mean_s: float) -> Remote:
    return Remote(target=target, p95_s=mean_s / figures.P95_TO_MEAN, timeout_s=max(1.0, 10 * mean_s))


def _is_hook(step: FlowStep) -> bool:
    return "function" in step.says


def _runs(steps: Iterable[FlowStep]) -> Iterator[list[FlowStep]]:
    """The steps of one transaction together, every other by itself."""
    run: list[FlowStep] = []
    for step in steps:
        if run and (step.transaction is None or step.transaction != run[0].transaction):
            yield run
            run = []
        run.append(step)
        if step.transaction is None:
            yield run
            run = []
    if run:
        yield run
