"""The production readiness review: each line says where this design shows it, or who must do it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.markdown import code, heading, link, page, table
from nines.dossier.words import share
from nines.model.blueprint import DependencyKind
from nines.model.design import Design
from nines.model.record import Record

_IDS_SHOWN = 12
SHOWN, TO_DO, UNKNOWN, OPEN = "shown", "to do", "not known", "open"


class Line(Record):
    what: str
    standing: str
    where: str
    """A link or a sentence; for what is to do, who does it."""


def text(design: Design) -> str:
    found = {title: tuple(lines) for title, lines in _sections(design)}
    every = [line for lines in found.values() for line in lines]
    counted = ", ".join(
        f"{sum(line.standing == each for line in every)} {each}"
        for each in (SHOWN, OPEN, TO_DO, UNKNOWN)
        if any(line.standing == each for line in every)
    )
    return page(
        heading(1, "Production readiness review"),
        f"{len(every)} lines: {counted}. *Shown* means by this design and not yet by the running service; what is "
        "to do is done by "
        f"people, and the review is passed when their names and dates stand there.",
        *(
            part
            for title, lines in found.items()
            if lines
            for part in (
                heading(2, title),
                table(("", "standing", "where, or who"), [(line.what, line.standing, line.where) for line in lines]),
            )
        ),
    )


def _sections(design: Design) -> Iterator[tuple[str, Iterator[Line]]]:
    yield "Promises", _promises(design)
    yield "Failure", _failure(design)
    yield "Load", _load(design)
    yield "Data", _data(design)
    yield "Security", _security(design)
    yield "Running it", _running(design)
    yield "People", _people(design)


def _shown(what: str, where: str) -> Line:
    return Line(what=what, standing=SHOWN, where=where)


def _owner(design: Design) -> str:
    return design.card.owner or "the owner, who is not named"


def _promises(design: Design) -> Iterator[Line]:
    if design.is_recovered:
        where = (
            "the budgets are those of the project's configuration, or the defaults of nines; nobody has agreed to them"
        )
        yield Line(what="The promises are agreed with those who depend on them", standing=UNKNOWN, where=where)
    else:
        yield Line(what="The promises are agreed with those who depend on them", standing=TO_DO, where=_owner(design))
        yield _shown("Each promise is an objective that is measured", link("slo.yaml", "slo.yaml"))
    forecast = design.forecast
    if forecast:
        is_met = forecast.availability >= forecast.target
        yield Line(
            what="The availability that follows from the failures is above the one promised",
            standing=SHOWN if is_met else OPEN,
            where=f"{share(round(forecast.availability, 6))} against {share(forecast.target)}, in the failure chapter",
        )
    for gap in design.gaps:
        assumed = f"assumed: {gap.assumed}" if gap.assumed else "nothing was assumed"
        yield Line(what=gap.question, standing=OPEN, where=f"{assumed} ({gap.where})" if gap.where else assumed)


def _failure(design: Design) -> Iterator[Line]:
    remote = [each for each in design.dependencies if each.is_external or each.timeout_s]
    without = [each.name for each in remote if not each.timeout_s]
    if remote:
        yield Line(
            what="Every call to others has a deadline",
            standing=(UNKNOWN if design.is_recovered else OPEN) if without else SHOWN,
            where=f"not known of {', '.join(map(code, without))}"
            if without
            else ", ".join(code(each.name) for each in remote),
        )
        bare = [each.name for each in remote if each.is_external and not each.breaker]
        if not design.is_recovered:
            yield Line(
                what="What is run by others is held in by a breaker",
                standing=OPEN if bare else SHOWN,
                where=f"not {', '.join(map(code, bare))}" if bare else "each has an alert when it stays open",
            )
    open_modes = [each.id for each in design.failures if each.is_open]
    if design.failures:
        yield Line(
            what="Every failure mode is contained",
            standing=OPEN if open_modes else SHOWN,
            where=f"open: {', '.join(open_modes)}"
            if open_modes
            else f"{len(design.failures)} modes, in the failure chapter",
        )
    yield Line(
        what="Processes are killed, dependencies stalled and connections reset, under load",
        standing=TO_DO,
        where="`nines prove`, before each release (testing chapter)",
    )


def _load(design: Design) -> Iterator[Line]:
    capacity, demand = design.capacity, design.demand
    if demand is None or capacity is None:
        yield Line(
            what="The load is known, and what carries it", standing=UNKNOWN, where="how many requests come is not known"
        )
        return
    over = [each.name for each in capacity.resources if each.utilisation() > each.safe]
    yield Line(
        what=f"The peak of {demand.peak_hz:g}/s leaves every resource below its safe use",
        standing=OPEN if over else SHOWN,
        where=f"above it: {', '.join(over)}" if over else "capacity chapter, with the arithmetic",
    )
    if any(each.is_scaled for each in design.running.deployables):
        yield _shown(f"Replicas follow the load, at {share(capacity.scale_at)} of the processors", "deploy/kubernetes")
    unlimited = [each.id for each in design.endpoints if each.limit is None]
    yield Line(
        what="Every caller has a limit",
        standing=OPEN if unlimited else SHOWN,
        where=f"not on {', '.join(map(code, unlimited[:8]))}" if unlimited else "contract chapter",
    )
    measured = [each for each in capacity.times if each.is_measured]
    yield Line(
        what="Service times are measured",
        standing=SHOWN if measured else TO_DO,
        where="capacity chapter" if measured else "`nines prove --only load/steady`; until then they are assumptions",
    )


def _data(design: Design) -> Iterator[Line]:
    if not design.tables:
        return
    if not design.is_recovered:
        yield _shown("Each query has its index", "data chapter, tried with EXPLAIN")
        undated = [
            each.name
            for each in design.tables
            if each.retention_s is None and any(column.is_personal for column in each.columns)
        ]
        yield Line(
            what="Personal data has a retention",
            standing=OPEN if undated else SHOWN,
            where=f"not in {', '.join(map(code, undated))}" if undated else "data chapter; jobs purge it",
        )
        blocking = [each.name for each in design.migrations if each.is_blocking]
        yield Line(
            what="No migration holds writers up",
            standing=OPEN if blocking else SHOWN,
            where=", ".join(map(code, blocking)) if blocking else link("rollout.md", "rollout.md"),
        )
    yield Line(
        what="A restore was done, and took as long as promised",
        standing=TO_DO,
        where=f"{_owner(design)}: {link('the drill', 'recovery.md')}" if not design.is_recovered else _owner(design),
    )
    postgres = [each for each in design.dependencies if each.kind is DependencyKind.POSTGRES]
    if postgres and not design.is_recovered:
        copied = [each for each in postgres if each.replication in ("synchronous", "asynchronous")]
        yield Line(
            what="The database has a copy that takes over",
            standing=SHOWN if copied else OPEN,
            where=f"{copied[0].replication}, with alerts" if copied else "the blueprint names none",
        )


def _security(design: Design) -> Iterator[Line]:
    open_threats = [each.id for each in design.threats if each.is_open]
    if design.threats:
        yield Line(
            what="Every threat is mitigated",
            standing=(UNKNOWN if design.is_recovered else OPEN) if open_threats else SHOWN,
            where=f"not, or not known to be: {_listed(open_threats)}"
            if open_threats
            else f"{len(design.threats)} threats, security chapter",
        )
    unknown = [each for each in design.endpoints if not each.guards_known]
    if design.endpoints:
        yield Line(
            what="Who may call each operation is known",
            standing=UNKNOWN if unknown else SHOWN,
            where=f"not of {len(unknown)} of {len(design.endpoints)}"
            if unknown
            else "the matrix of the security chapter",
        )
    if not design.is_recovered:
        yield _shown(
            "Secrets come by reference, and each can be changed while requests are answered",
            "security chapter, deploy/",
        )
        yield _shown("The process is no root, cannot write its image, and reaches only what is listed", "deploy/")
        yield Line(
            what="The image's digests are real", standing=TO_DO, where="whoever builds it: the placeholders fail"
        )
    yield Line(what="Somebody from outside has tried to break in", standing=TO_DO, where=_owner(design))


def _listed(ids: list[str]) -> str:
    shown = ", ".join(ids[:_IDS_SHOWN])
    return f"{shown} and {len(ids) - _IDS_SHOWN} more" if len(ids) > _IDS_SHOWN else shown


def _running(design: Design) -> Iterator[Line]:
    pages = [each for each in design.running.alerts if each.severity == "page"]
    yield _shown(
        f"Alerts with a runbook and a test: {len(design.running.alerts)}, of which {len(pages)} page",
        f"{link('README.md', 'README.md')}, alerts/, runbooks/",
    )
    if design.is_recovered:
        yield Line(
            what="The service gives out the metrics that they need",
            standing=UNKNOWN,
            where="compare with the list in README.md",
        )
        yield Line(what="How it is deployed and rolled back", standing=UNKNOWN, where="not in its code")
    else:
        yield _shown("Probes, limits, spread over zones, a disruption budget", "deploy/")
        yield _shown("A release goes out in stages, with numbers that take it back", link("rollout.md", "rollout.md"))
        yield Line(
            what="Metrics, logs and traces arrive, and an alert was seen to reach a telephone",
            standing=TO_DO,
            where=_owner(design),
        )


def _people(design: Design) -> Iterator[Line]:
    named = bool(design.card.owner)
    yield Line(what="It has an owner", standing=SHOWN if named else OPEN, where=design.card.owner or "nobody is named")
    for what in (
        "Somebody is on call at every hour, with a second one behind",
        "Each of them has led a drill, and can reach everything that a runbook asks for",
        "Those who depend on it know where its state is told",
    ):
        yield Line(what=what, standing=TO_DO, where=_owner(design))
