"""The data-flow diagram: who and what takes part, in which zone of trust, and what flows between them."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Dependency, DependencyKind, Job, Operation, Resource
from nines.model.design import Design, Element, ElementKind, PlannedEndpoint, PlannedJob, StepKind, Stride
from nines.model.record import Record
from nines.planning.threats.drafting import counted, named

INTERNET, EDGE, SERVICE, DATA, THIRD_PARTY = "internet", "edge", "service", "data", "third party"
ANONYMOUS, SIGNED_IN = "person:anonymous", "person:caller"
GATE, JOBS = "process:edge", "process:jobs"
ISSUER, SUBSCRIBERS = "external:issuer", "external:subscribers"
BROKERS = (DependencyKind.KAFKA, DependencyKind.NATS, DependencyKind.RABBITMQ)
STORES = (DependencyKind.POSTGRES, DependencyKind.REDIS, DependencyKind.OBJECTS, *BROKERS)
ISSUED_ELSEWHERE = ("oauth2-jwt", "oidc")
UNKNOWN_STORE = "store:database"
"""Of a design that was read from code: there are tables, and nothing tells where they are kept."""

_KINDS = {
    ElementKind.PERSON: (Stride.SPOOFING, Stride.REPUDIATION),
    ElementKind.EXTERNAL: (Stride.SPOOFING, Stride.REPUDIATION),
    ElementKind.PROCESS: tuple(Stride),
    ElementKind.STORE: (Stride.TAMPERING, Stride.REPUDIATION, Stride.DISCLOSURE, Stride.DENIAL),
    ElementKind.FLOW: (Stride.TAMPERING, Stride.DISCLOSURE, Stride.DENIAL),
}
"""Which kinds of threat are possible for which kind of element (Shostack, Threat Modeling, 2014, chapter 3)."""


class Part(Record):
    """What runs as a process of its own: its endpoints, under the name that it is deployed by."""

    id: str
    name: str
    endpoints: tuple[PlannedEndpoint, ...]


def kinds(element: Element, design: Design) -> tuple[Stride, ...]:
    """The kinds of threat that apply: to a flow only where it crosses a boundary, to a store of proofs repudiation."""
    if element.is_flow and not crosses(element, design.elements):
        return ()
    found = _KINDS[element.kind]
    if element.kind is ElementKind.STORE and element.id != database(design):
        return tuple(each for each in found if each is not Stride.REPUDIATION)
    return found


def database(design: Design) -> str:
    """The element that stands for the database; there may be none."""
    return next((of_dependency(d) for d in design.dependencies if d.kind is DependencyKind.POSTGRES), UNKNOWN_STORE)


def crosses(flow: Element, elements: tuple[Element, ...]) -> bool:
    """Whether the two ends of a flow stand in different zones of trust."""
    zones = {each.id: each.zone for each in elements}
    return zones[flow.source] != zones[flow.target]


def elements(design: Design) -> tuple[Element, ...]:
    """People, processes, stores, externals, and the flows between them, in this order."""
    found = [*_people(design), *_processes(design), *_stores(design), *_externals(design)]
    return (*found, *_flows(design, {each.id: each.zone for each in found}))


def parts(design: Design) -> tuple[Part, ...]:
    """Modules that are deployed apart, and what is left as one."""
    apart = [module for module in design.modules if module.is_separate]
    named_ones = tuple(
        Part(
            id=f"process:{module.name}",
            name=module.name,
            endpoints=tuple(each for each in design.endpoints if each.module == module.name),
        )
        for module in apart
    )
    names = {module.name for module in apart}
    rest = tuple(each for each in design.endpoints if each.module not in names)
    if apart and not rest:
        return named_ones
    return (Part(id=f"process:{design.name}", name=design.name, endpoints=rest), *named_ones)


def resources(design: Design, part: Part) -> tuple[Resource, ...]:
    """Those that the part's operations are about."""
    blueprint = design.blueprint
    if blueprint is None:
        return ()
    found = (blueprint.resource(name) for name in dict.fromkeys(each.resource for each in part.endpoints))
    return tuple(each for each in found if each is not None)


def is_store(dependency: Dependency) -> bool:
    return dependency.kind in STORES


def of_dependency(dependency: Dependency) -> str:
    """The element that stands for a dependency."""
    return f"{'store' if is_store(dependency) else 'external'}:{dependency.name}"


def has_issuer(design: Design) -> bool:
    return design.auth is not None and design.auth.scheme in ISSUED_ELSEWHERE


def has_subscribers(design: Design) -> bool:
    """Events are delivered straight from the outbox, over HTTP."""
    published = {step.target for job in design.jobs for step in job.flow.steps if step.kind is StepKind.PUBLISH}
    published |= {step.target for each in design.endpoints for step in each.flow.steps if step.kind is StepKind.PUBLISH}
    return "subscribers" in published


def has_unknown_store(design: Design) -> bool:
    return bool(design.tables) and not any(each.kind is DependencyKind.POSTGRES for each in design.dependencies)


def _people(design: Design) -> Iterator[Element]:
    public = [each for each in design.endpoints if each.is_public]
    says = (
        f"Somebody without a credential; may call {named(each.id for each in public)}."
        if public
        else ("Somebody without a credential; may call nothing.")
    )
    yield Element(id=ANONYMOUS, kind=ElementKind.PERSON, zone=INTERNET, says=says)
    for role in design.roles:
        factor = " Signs in with a second factor." if role.needs_second_factor else ""
        says = f"{role.says or 'Somebody with this role.'}{factor}"
        yield Element(id=f"person:{role.name}", kind=ElementKind.PERSON, zone=INTERNET, says=says)
    unnamed = [each for each in design.endpoints if not each.is_public and not each.roles]
    if unnamed:
        says = f"Somebody with a credential and no role; may call {named(each.id for each in unnamed)}."
        yield Element(id=SIGNED_IN, kind=ElementKind.PERSON, zone=INTERNET, says=says)


def _processes(design: Design) -> Iterator[Element]:
    yield Element(
        id=GATE,
        kind=ElementKind.PROCESS,
        zone=EDGE,
        says="What stands in front was not read."
        if design.is_recovered
        else f"The balancer of {design.deploy.platform}: ends TLS, adds the caller's address, passes on.",
    )
    for part in parts(design):
        yield Element(
            id=part.id,
            kind=ElementKind.PROCESS,
            zone=SERVICE,
            says=f"{part.name}: answers {counted(len(part.endpoints), 'operation')}.",
        )
    if design.jobs:
        says = f"Work outside a request: {named(each.name for each in design.jobs)}."
        yield Element(id=JOBS, kind=ElementKind.PROCESS, zone=SERVICE, says=says)


def _stores(design: Design) -> Iterator[Element]:
    for each in design.dependencies:
        if is_store(each):
            zone = THIRD_PARTY if each.is_external else DATA
            yield Element(id=of_dependency(each), kind=ElementKind.STORE, zone=zone, says=_store_says(design, each))
    if has_unknown_store(design):
        says = f"{counted(len(design.tables), 'table')}; where they are kept was not understood."
        yield Element(id=UNKNOWN_STORE, kind=ElementKind.STORE, zone=DATA, says=says)


def _store_says(design: Design, dependency: Dependency) -> str:
    if dependency.kind is DependencyKind.POSTGRES:
        return f"PostgreSQL with {counted(len(design.tables), 'table')}."
    return {
        DependencyKind.REDIS: "Redis: what may be forgotten.",
        DependencyKind.OBJECTS: "Objects, by key.",
    }.get(dependency.kind, f"{dependency.kind.value}: carries {counted(len(design.events), 'type')} of events.")


def _externals(design: Design) -> Iterator[Element]:
    for each in design.dependencies:
        if not is_store(each):
            zone = THIRD_PARTY if each.is_external else SERVICE
            whose = "run by somebody else" if each.is_external else "another service of the same house"
            says = (
                f"{each.kind.value}, {whose}; asked for {named(_verbs(design, each.name)) or 'nothing that is known'}."
            )
            yield Element(id=of_dependency(each), kind=ElementKind.EXTERNAL, zone=zone, says=says)
    if has_issuer(design) and design.auth:
        says = f"Issues the tokens: {design.auth.issuer or 'not said which'}."
        yield Element(id=ISSUER, kind=ElementKind.EXTERNAL, zone=THIRD_PARTY, says=says)
    if has_subscribers(design):
        says = f"Take {counted(len(design.events), 'type')} of events from the outbox over HTTP."
        yield Element(id=SUBSCRIBERS, kind=ElementKind.EXTERNAL, zone=THIRD_PARTY, says=says)


def _verbs(design: Design, name: str) -> Iterator[str]:
    blueprint = design.blueprint
    if blueprint is None:
        return
    callers: tuple[Operation | Job, ...] = (*blueprint.operations, *blueprint.jobs)
    for each in callers:
        yield from (call.partition(".")[2] for call in each.calls if call.partition(".")[0] == name)


def _flows(design: Design, zones: dict[str, str]) -> Iterator[Element]:
    pairs = {(each, GATE): "HTTPS with JSON" for each in zones if each.startswith("person:")}
    for part in parts(design):
        pairs[(GATE, part.id)] = f"requests to {counted(len(part.endpoints), 'operation')}, with the caller's token"
        if has_issuer(design) and any(not each.is_public for each in part.endpoints):
            pairs[(part.id, ISSUER)] = "the keys that tokens are checked with"
        for endpoint in part.endpoints:
            _reach(design, part.id, endpoint, pairs)
    by_name = {each.name: of_dependency(each) for each in design.dependencies}
    for job in design.jobs:
        _reach(design, JOBS, job, pairs)
        if job.receives is not None and job.receives.dependency in by_name:
            pairs.setdefault((by_name[job.receives.dependency], JOBS), "events of others")
    taken: set[str] = set()
    for (source, target), says in pairs.items():
        if source not in zones or target not in zones or source == target:
            continue
        short = f"flow:{source.partition(':')[2]}>{target.partition(':')[2]}"
        id = f"flow:{source}>{target}" if short in taken else short
        taken.add(id)
        zone = " to ".join(dict.fromkeys((zones[source], zones[target])))
        yield Element(id=id, kind=ElementKind.FLOW, zone=zone, says=says, source=source, target=target)


def _reach(design: Design, source: str, user: PlannedEndpoint | PlannedJob, pairs: dict[tuple[str, str], str]) -> None:
    by_name = {each.name: of_dependency(each) for each in design.dependencies}
    by_name |= {part.name: part.id for part in parts(design) if part.name not in by_name}
    if user.queries or any(step.kind is StepKind.QUERY for step in user.flow.steps):
        pairs.setdefault((source, database(design)), "statements and rows")
    for step in user.flow.steps:
        if step.kind is StepKind.PUBLISH:
            pairs.setdefault((source, by_name.get(step.target, SUBSCRIBERS)), "events, free of personal data")
        elif step.kind in (StepKind.CALL, StepKind.CACHE, StepKind.ENQUEUE) and step.target in by_name:
            pairs.setdefault((source, by_name[step.target]), "calls and answers")
