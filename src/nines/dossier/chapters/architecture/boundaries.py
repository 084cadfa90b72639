"""One deployable or several: what has to be true, in figures, with the modular monolith as the option to beat."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier import words
from nines.dossier.chapters.architecture import deployables as parts
from nines.dossier.chapters.architecture.deployables import Deployable
from nines.dossier.markdown import bullets, code, table
from nines.dossier.words import many
from nines.model.design import Design, PlannedEndpoint, StepKind

HOP_S = 0.001
"""Assumed for one call between services: a round trip between two zones of a region, and writing and reading JSON."""
_TOGETHER_MAX = 6
_DECISION = "service-boundaries"


def sections(design: Design) -> list[str]:
    running = parts.deployables(design)
    if design.is_recovered:
        return [_recovered(design)]
    return _several(design, running) if len(running) > 1 else _one(design)


def _recovered(design: Design) -> str:
    crossing = list(_together(design))
    said = (
        f"The code is one deployable with {many(len(design.endpoints), 'operation')} and "
        f"{many(len(design.tables), 'table')}. "
        "Whether it is run as several is not said in the code."
    )
    if crossing:
        said += (
            f" {many(len(crossing), 'operation or job', 'operations and jobs')} write to several tables in one "
            "transaction; each would need a saga if "
            "those tables came apart."
        )
    return said


def _one(design: Design) -> list[str]:
    said = ["**One deployable, with modules inside: the modular monolith.** " + _because(design)]
    rows = [_share(design, name, endpoints) for name, endpoints in _by_resource(design)]
    said.append(table(("part", "operations", "load at peak", "share", "tables touched"), rows))
    reasons = list(_against(design))
    if reasons:
        said += ["What cutting it would cost:", bullets(reasons)]
    said.append("What would change the choice: " + _changes(design))
    return said


def _because(design: Design) -> str:
    whole = _peak(design.endpoints)
    availability = design.budgets.availability
    return (
        f"{many(len(design.endpoints), 'operation')}, {many(len(design.tables), 'table')} and {words.rate(whole)} at "
        "peak are the "
        "work of one team "
        f"({design.card.owner or 'the owner'}) and of one database. Two services that need one another at once, each "
        "kept to "
        f"{words.share(availability)}, are up together for {words.share(round(availability**2, 6))}: "
        f"{words.duration(_down(design, 2))} of failure in {words.duration(design.budgets.window_s)} "
        f"where one deployable has {words.duration(_down(design, 1))}."
    )


def _down(design: Design, count: int) -> float:
    return float((1 - design.budgets.availability**count) * design.budgets.window_s)


def _by_resource(design: Design) -> list[tuple[str, list[PlannedEndpoint]]]:
    """By module where there are some, else by resource."""
    found: dict[str, list[PlannedEndpoint]] = {}
    for each in design.endpoints:
        found.setdefault(each.module or each.resource or "the rest", []).append(each)
    return list(found.items())


def _share(design: Design, name: str, endpoints: list[PlannedEndpoint]) -> tuple[str, ...]:
    whole = _peak(design.endpoints)
    mine = _peak(endpoints)
    ids = {each.id for each in endpoints}
    tables = {name for query in design.queries if ids & set(query.used_by) for name in query.tables}
    own = [each.name for each in design.tables if each.name in tables and (each.resource or each.module)]
    part = words.share(round(mine / whole, 3)) if whole else "–"
    return name, str(len(endpoints)), words.rate(mine), part, ", ".join(code(each) for each in own)


def _peak(endpoints: tuple[PlannedEndpoint, ...] | list[PlannedEndpoint]) -> float:
    return sum(each.peak_hz or 0.0 for each in endpoints)


def _together(design: Design) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Operations and jobs that write rows of several resources in one transaction."""
    owners = {each.name: each.resource for each in design.tables}
    flows = [(each.id, each.flow) for each in design.endpoints] + [(job.name, job.flow) for job in design.jobs]
    for name, flow in flows:
        written: dict[int, dict[str, None]] = {}
        for step in flow.steps:
            query = design.query(step.query) if step.kind is StepKind.QUERY else None
            if query is not None and query.is_write and step.transaction is not None:
                mine = written.setdefault(step.transaction, {})
                mine.update(
                    (owners.get(each) or each, None) for each in query.tables if owners.get(each) or design.is_recovered
                )
        most = max(written.values(), key=len, default={})
        if len(most) > 1:
            yield name, tuple(most)


def _against(design: Design) -> Iterator[str]:
    grouped: dict[tuple[str, ...], list[str]] = {}
    for name, together in _together(design):
        grouped.setdefault(tuple(sorted(together)), []).append(name)
    for together, names in list(grouped.items())[:_TOGETHER_MAX]:
        yield (
            f"{_and(tuple(names))} {'write' if len(names) > 1 else 'writes'} {_and(together)} in one transaction; "
            "apart, that is a saga with a compensation for each step."
        )
    keys = [(t.name, parent) for t in design.tables for parent in t.parents if t.resource and _resource(design, parent)]
    crossing = [(a, b) for a, b in keys if _resource(design, a) != _resource(design, b)]
    if crossing:
        shown = ", ".join(f"{code(a)} → {code(b)}" for a, b in crossing[:_TOGETHER_MAX])
        more = f" and {len(crossing) - _TOGETHER_MAX} more" if len(crossing) > _TOGETHER_MAX else ""
        yield (
            f"{len(crossing)} foreign key{'s' if len(crossing) > 1 else ''} between resources ({shown}{more}) would "
            "become "
            "promises of the code, and orphans would have to be looked for."
        )
    low = design.deploy.replicas_min
    yield (
        f"Each further service starts with {low} {'copies' if low > 1 else 'copy'}, a pipeline, a dashboard and a "
        "place in the on-call rota."
    )


def _resource(design: Design, name: str) -> str:
    found = design.table(name)
    return found.resource if found else ""


def _changes(design: Design) -> str:
    """As the decision on the boundaries says it; it is told in one place."""
    decision = next((each for each in design.decisions if each.id == _DECISION), None)
    if decision is not None and decision.changes_when:
        return decision.changes_when
    return "a second team that has to release on days of its own, or a part whose data must be kept apart by law."


def _several(design: Design, running: tuple[Deployable, ...]) -> list[str]:
    rows = [
        (code(each.name), each.reason or "not said", *_share(design, each.name, list(each.endpoints))[1:])
        for each in running
    ]
    return [
        f"**{len(running)} services, as the blueprint asks.** The option to beat is one deployable with the same "
        "modules; "
        "what each separation is for, and what it takes:",
        table(("service", "apart because", "operations", "load at peak", "share", "tables touched"), rows),
        "What it costs against one deployable:",
        bullets(_costs(design, running)),
        _verdict(design, running),
    ]


def _costs(design: Design, running: tuple[Deployable, ...]) -> Iterator[str]:
    availability = design.budgets.availability
    for endpoint in design.endpoints:
        others = _needed(design, endpoint)
        if not others:
            continue
        count = len(others) + 1
        everything = f"{words.share(availability)}{_power(count)} = {words.share(round(availability**count, 6))}"
        said = (
            f"Availability: {code(endpoint.id)} needs {_and(others)} beside its own service. If each keeps "
            f"{words.share(availability)}, all {count} are up together for {everything}: "
            f"{words.duration(_down(design, count))} "
            f"in {words.duration(design.budgets.window_s)} instead of {words.duration(_down(design, 1))}."
        )
        if endpoint.is_asynchronous:
            said += " That is why it is accepted at once and finished afterwards: accepting needs one service only."
        yield said
        hops = sum(1 for step in endpoint.flow.calls if step.target in others)
        target = endpoint.latency_p95_s or design.budgets.latency_p95_s
        yield (
            f"Latency: {hops} call{'s' if hops > 1 else ''} × {words.duration(HOP_S)} = {words.duration(hops * HOP_S)} "
            f"(a round trip between zones and the encoding, assumed), {words.share(round(hops * HOP_S / target, 4))} "
            "of the "
            f"{words.duration(target)} that {code(endpoint.id)} has."
        )
    lost = parts.references_across(design)
    if lost:
        shown = ", ".join(code(each) for each in lost)
        yield (
            f"Integrity: {len(lost)} reference{'s' if len(lost) > 1 else ''} ({shown}) without a foreign key. A "
            "reader must bear "
            "that the row behind one is gone."
        )
    low = design.deploy.replicas_min
    yield (
        f"Machines: {len(running)} × {low} = {len(running) * low} copies at rest instead of {low}; {len(running)} "
        "pipelines, rotas and sets of secrets."
    )


def _needed(design: Design, endpoint: PlannedEndpoint) -> tuple[str, ...]:
    """The other services that the endpoint asks."""
    apart = {each.name for each in parts.deployables(design)} - {parts.owner(design, endpoint)}
    return tuple(dict.fromkeys(step.target for step in endpoint.flow.calls if step.target in apart))


def _power(count: int) -> str:
    return "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(count))


def _and(names: tuple[str, ...]) -> str:
    told = [code(each) for each in names]
    return " and ".join([", ".join(told[:-1]), told[-1]]) if len(told) > 1 else told[0]


def _verdict(design: Design, running: tuple[Deployable, ...]) -> str:
    between = parts.calls_between(design)
    steps = [step for _, _, found in between for step in found]
    asking = tuple(each.id for each in design.endpoints if any(step in steps for step in each.flow.calls))
    unsaid = [each.name for each in running if not each.reason]
    said = "It stands as long as the services rarely need one another at once: "
    if between:
        by = f", by {_and(asking)}" if asking else ""
        said += f"{len(between)} of {len(running) * (len(running) - 1)} possible links are used{by}."
    else:
        said += "no operation crosses from one to another."
    if unsaid:
        said += f" For {_and(tuple(unsaid))} no reason is given; without one, keep it as a module of one deployable."
    return (
        f"{said} A separation whose reason no longer holds goes back into one deployable: "
        "the modules, tables and paths stay as they are."
    )
