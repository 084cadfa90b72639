"""Who does what: the pieces of every deployable part, and how many processes each part needs for them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from nines.model.blueprint import Dependency
from nines.model.design import Design, PlannedJob, PlannedTable, ServiceTime
from nines.model.record import Record
from nines.planning.capacity import figures
from nines.planning.capacity.asking import commit_s, database_of, endpoint_piece, job_piece
from nines.planning.capacity.pieces import Computing, Piece, Session, Span
from nines.planning.capacity.runtimes import LEANEST, Runtime, named

PROCESSORS = "application processors"
PURGING = "purging"
_DAY_S = 86_400.0
_SCALE_LEAST, _SCALE_MOST = 0.4, figures.SAFE_PROCESSORS
_AFTER_LOSS = 0.9
"""How busy the others may be while a zone is gone."""
_ROWS_AT_ONCE = 500


class Load(Record):
    """A multiple of what is expected."""

    factor: float = 1.0
    is_peak: bool = True

    def of(self, piece: Piece) -> float:
        if piece.is_scheduled:
            return piece.peak_hz
        return self.factor * (piece.peak_hz if self.is_peak else piece.steady_hz)


STEADY, PEAK = Load(is_peak=False), Load()


class Part(Record):
    """One deployable: the whole service, or one of its separate modules."""

    name: str
    pieces: tuple[Piece, ...]

    @property
    def suffix(self) -> str:
        return f" of {self.name}" if self.name else ""

    @property
    def has_groups(self) -> bool:
        return any(piece.is_grouped for piece in self.pieces)


class Workload(Record):
    design: Design
    parts: tuple[Part, ...]
    is_grouped: bool = False
    runtime: str = LEANEST.name
    is_measured: bool = False
    """The processors' time was measured, so that no runtime is assumed."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(piece for part in self.parts for piece in part.pieces)

    @property
    def database(self) -> Dependency | None:
        return database_of(self.design)

    @property
    def pool(self) -> int:
        """Connections of one process."""
        found = self.database
        return found.pool if found and found.pool else figures.POOL_USUAL

    @property
    def replicas_max(self) -> int:
        return max(1, self.design.deploy.replicas_max)

    @property
    def replicas_min(self) -> int:
        return max(1, self.design.deploy.replicas_min)

    def scale_at(self) -> float:
        """Utilisation of the processors at which a process is added: what is left must do when a zone goes."""
        zones = self.design.deploy.zones
        left = _AFTER_LOSS * (zones - 1) / zones if zones > 1 else _SCALE_MOST
        return round(min(_SCALE_MOST, max(_SCALE_LEAST, left)), 2)

    def processes(self, part: Part, load: Load) -> tuple[int, str]:
        """How many the load asks for, and for what; at least the least of the deployment."""
        wanted = max(self._wanted(part, load), key=lambda pair: pair[0], default=(0.0, ""))
        count = math.ceil(wanted[0] - 1e-9)
        return (count, wanted[1]) if count > self.replicas_min else (self.replicas_min, "the least of the deployment")

    def processes_of_all(self, load: Load) -> int:
        return sum(self.processes(part, load)[0] for part in self.parts)

    def _wanted(self, part: Part, load: Load) -> Iterator[tuple[float, str]]:
        cores = sum(load.of(piece) * piece.cpu_s for piece in part.pieces)
        yield cores / (self.design.deploy.cpu * self.scale_at()), "processors"
        held = sum(load.of(piece) * piece.held_s for piece in part.pieces)
        own = max(1, self.pool - (figures.LANES if part.has_groups else 0))
        if self.database is not None:
            yield held / (own * figures.SAFE_POOL), "database connections"
        for dependency in self.design.dependencies:
            if dependency.bulkhead:
                flying = sum(load.of(piece) * in_flight_s(piece, dependency.name) for piece in part.pieces)
                yield flying / (dependency.bulkhead * figures.SAFE_POOL), f"calls to {dependency.name}"


def in_flight_s(piece: Piece, dependency: str) -> float:
    """How long one piece occupies a slot of the dependency."""
    return sum(remote.mean_s for remote in piece.remotes if remote.target == dependency)


def workload(design: Design, times: tuple[ServiceTime, ...] = ()) -> Workload:
    """With group commits where transactions of their own would be more than a primary takes safely.

    Unless it was measured, the process takes what the runtime takes that services are built on."""
    single = _workload(design, times, is_grouped=False)
    commits_hz = sum(PEAK.of(piece) * piece.commits for piece in single.pieces)
    if commits_hz <= figures.SINGLE_HZ * figures.SAFE_PROCESSORS:
        return single
    return _workload(design, times, is_grouped=True)


def grouped(work: Workload, times: tuple[ServiceTime, ...] = ()) -> Workload:
    """The same with every write in a group that can be."""
    return _workload(work.design, times, is_grouped=True)


def _needs(work: Workload) -> tuple[float, int]:
    """The cores at the peak, and the processes a year from now."""
    demand = work.design.demand
    later = Load(factor=max(1.0, demand.growth_per_year) if demand else 1.0)
    return sum(PEAK.of(piece) * piece.cpu_s for piece in work.pieces), work.processes_of_all(later)


def _slowed(work: Workload, factor: float) -> Workload:
    """Password hashes take what they take, whatever stands around them."""
    parts = tuple(
        replace(part, pieces=tuple(_scaled(piece, factor, is_hash_too=False) for piece in part.pieces))
        for part in work.parts
    )
    return replace(work, parts=parts)


def needs_by(work: Workload, runtime: Runtime) -> tuple[float, int] | None:
    """The cores at the peak, and the processes a year from now, if the service ran by it; None: it cannot."""
    wanted, present = (each.factor(is_grouped=work.is_grouped) for each in (runtime, named(work.runtime)))
    if wanted is None or present is None or work.is_measured:
        return None
    return _needs(_slowed(work, wanted / present))


def _workload(design: Design, times: tuple[ServiceTime, ...], *, is_grouped: bool) -> Workload:
    separate = [module.name for module in design.modules if module.is_separate]
    pieces: dict[str, list[Piece]] = {name: [] for name in ["", *separate]}
    for endpoint in design.endpoints:
        piece = endpoint_piece(design, endpoint, is_grouped=is_grouped)
        pieces[endpoint.module if endpoint.module in pieces else ""].append(piece)
    telling = _busiest_teller(design, pieces)
    for job in design.jobs:
        name = _module_of(design, job, telling)
        piece = job_piece(design, job, name, design.deploy.replicas_min, is_grouped=is_grouped)
        pieces[name if name in pieces else telling].append(piece)
    for name, found in _purging(design).items():
        # The tables that serve all modules are purged by the part that tells most events.
        pieces[name if name in pieces and (name or not separate) else telling].append(found)
    calibration = _calibration((piece for found in pieces.values() for piece in found), times)
    parts = tuple(
        Part(name=name, pieces=tuple(_scaled(piece, calibration or 1.0) for piece in found))
        for name, found in pieces.items()
        if found
    )
    return Workload(
        design=design,
        parts=parts,
        is_grouped=is_grouped and any(part.has_groups for part in parts),
        is_measured=calibration is not None,
    )


def _calibration(pieces: Iterable[Piece], times: tuple[ServiceTime, ...]) -> float | None:
    """How much more of the process the mixture took that was measured; None: it was not, or is not of this service.

    All are scaled alike, for only the sum is known."""
    by_name = {piece.name: piece for piece in pieces if not piece.is_job}
    mixture = [(by_name[t.operation], t.samples) for t in times if t.operation in by_name and t.is_measured]
    whole = next((t for t in times if not t.operation and t.resource == PROCESSORS and t.is_measured), None)
    requests = sum(samples for _, samples in mixture)
    if whole is None or not requests:
        return None
    return whole.mean_s / (sum(piece.cpu_s * samples for piece, samples in mixture) / requests)


def _scaled(piece: Piece, factor: float, *, is_hash_too: bool = True) -> Piece:
    spans: list[Span] = [
        replace(span, cpu_s=span.cpu_s * factor)
        if isinstance(span, Computing) and (is_hash_too or not span.is_even)
        else span
        for span in piece.spans
    ]
    return replace(piece, spans=tuple(spans))


def _busiest_teller(design: Design, pieces: dict[str, list[Piece]]) -> str:
    """The part whose operations tell most events: the relay is reckoned to it."""
    told = {endpoint.id for endpoint in design.endpoints if endpoint.emits}
    used = [name for name in pieces if pieces[name]] or [""]
    return max(used, key=lambda name: sum(p.peak_hz for p in pieces[name] if p.name in told))


def _module_of(design: Design, job: PlannedJob, otherwise: str) -> str:
    if not job.resource or design.blueprint is None:
        return otherwise if design.blueprint is not None and not job.resource else ""
    module = design.blueprint.module_of(job.resource)
    return module.name if module else ""


def _purging(design: Design) -> dict[str, Piece]:
    """What is deleted because its time is over: in the long run as many rows as come."""
    purged = {
        step.target
        for job in design.jobs
        if job.every_s
        for step in job.flow.steps
        if step.is_repeated and (query := design.query(step.query)) and query.id.startswith("purge-")
    }
    by_module: dict[str, list[PlannedTable]] = {}
    for table in design.tables:
        if table.name in purged and table.growth and table.growth.per_day and not table.partition_by:
            by_module.setdefault(table.module, []).append(table)
    found = {}
    for module, tables in by_module.items():
        rows_hz = sum(table.growth.per_day for table in tables if table.growth) / _DAY_S
        session = Session(
            round_trips=1 / _ROWS_AT_ONCE,
            database_s=figures.GROUPED_ROW_S,
            commits=1 / _ROWS_AT_ONCE,
            commit_s=commit_s(design),
            rows=1.0,
        )
        found[module] = Piece(
            name=PURGING,
            is_job=True,
            module=module,
            steady_hz=rows_hz,
            peak_hz=rows_hz,
            arriving_hz=rows_hz,
            spans=(session,),
        )
    return found
