"""The context (who uses the service, and what it uses) and the containers (what runs, and what is kept where)."""

from __future__ import annotations

from nines.dossier import words
from nines.dossier.chapters.architecture import deployables as parts
from nines.dossier.chapters.architecture.deployables import Deployable
from nines.dossier.diagrams import Edge, Graph, Node, NodeKind, Zone
from nines.dossier.words import many
from nines.model.blueprint import Dependency, DependencyKind, GrantKind
from nines.model.design import Design, FlowStep, PlannedEndpoint, StepKind

_CALLERS = "\x00callers"
_SERVICE = "\x00service"
_BALANCER = "\x00balancer"
_ISSUER = "\x00issuer"
_TOLD = "\x00told"
_JOBS = "\x00jobs"
_DEPENDENCY = "\x00dependency "
"""A module may have the name of a dependency; what is told apart by a mark is no name."""
_OWN_TOKENS = ("own-jwt", "session", "api-key", "mtls", "none")
_NAMES_MAX = 4


def context(design: Design) -> Graph:
    people = _people(design)
    others = [each for each in design.dependencies if _is_outside(each)]
    service = Node(id=_SERVICE, title=design.name, lines=(design.card.purpose,) if design.card.purpose else ())
    nodes = [*(node for node, _ in people), service]
    edges = [Edge(source=node.id, target=_SERVICE, says=says) for node, says in people]
    for each in others:
        nodes.append(_outside(each, "beyond"))
        edges.append(Edge(source=_SERVICE, target=_DEPENDENCY + each.name, says=_asked(design, each)))
    if _has_issuer(design):
        nodes.append(
            Node(id=_ISSUER, title="identity provider", lines=_issuer(design), kind=NodeKind.EXTERNAL, zone="beyond")
        )
        edges.append(Edge(source=_SERVICE, target=_ISSUER, says="fetches its public keys"))
    if design.events:
        nodes.append(Node(id=_TOLD, title="subscribers", lines=_events(design), kind=NodeKind.EXTERNAL, zone="beyond"))
        edges.append(Edge(source=_SERVICE, target=_TOLD, says="tells what happened", is_dashed=True))
    return Graph(
        title=f"Context of {design.name}",
        says=f"Who uses {design.name}, and whom it depends on.",
        nodes=tuple(_with_zone(node) for node in nodes),
        edges=tuple(edges),
        zones=(Zone(id="itself"), Zone(id="beyond")),
    )


def _with_zone(node: Node) -> Node:
    return (
        Node(id=node.id, title=node.title, lines=node.lines, kind=node.kind, zone="itself")
        if node.id == _SERVICE
        else node
    )


def containers(design: Design) -> Graph:
    running = parts.deployables(design)
    callers = _callers(design)
    nodes = [callers] if callers else []
    edges: list[Edge] = []
    front = _front(design, running)
    if front is not None:
        nodes.append(front)
        edges += [Edge(source=node.id, target=front.id, says="HTTPS") for node in nodes[:-1]]
        edges += [Edge(source=front.id, target=each.name) for each in running]
    else:
        edges += [Edge(source=node.id, target=each.name, says="HTTP") for node in nodes for each in running]
    nodes += [_running(design, each, is_alone=len(running) == 1) for each in running]
    edges += [_asking(part, target, steps) for part, target, steps in parts.calls_between(design)]
    if len(running) == 1 and running[0].jobs:
        nodes.append(_jobs(running[0]))
    for dependency in design.dependencies:
        nodes.append(_kept(dependency, len(running)) if not _is_outside(dependency) else _outside(dependency, "beyond"))
        edges += _reached(design, running, dependency)
    has_broker = any(each.kind in parts.BROKERS for each in design.dependencies)
    return Graph(
        title=f"Containers of {design.name}",
        says="What runs, what is kept where, and who asks whom.",
        nodes=tuple(nodes),
        edges=tuple(edges),
        zones=(
            Zone(id="running", title=_where(design)),
            Zone(id="kept", title="Kept and carried" if has_broker else "Kept"),
            Zone(id="beyond", title="Run by others"),
        ),
    )


def _callers(design: Design) -> Node | None:
    """One box for all of them: who they are is told by the context."""
    found = [node.title for node, _ in _people(design)]
    if not found:
        return None
    lines = (", ".join(found),) if len(found) > 1 else ()
    return Node(id=_CALLERS, title="callers" if len(found) > 1 else found[0], lines=lines, kind=NodeKind.PERSON)


def _asking(part: Deployable, target: str, steps: tuple[FlowStep, ...]) -> Edge:
    asked = tuple(dict.fromkeys(_short(step.says) for step in steps))
    return Edge(source=part.name, target=target, says=_named(asked))


def _people(design: Design) -> list[tuple[Node, str]]:
    """Everybody who calls, with what may be called; one box for all where roles are not known."""
    found: list[tuple[Node, str]] = []
    if any(each.is_public for each in design.endpoints):
        count = sum(1 for each in design.endpoints if each.is_public)
        node = Node(id=_CALLERS, title="anybody", lines=("needs no token",), kind=NodeKind.PERSON)
        found.append((node, _operations(count)))
    for role in design.roles:
        mine = [each for each in design.endpoints if _may(each, role.name)]
        if mine:
            lines = [role.says] if role.says else []
            lines += ["second factor"] if role.needs_second_factor else []
            node = Node(id=f"\x00role {role.name}", title=role.name, lines=(*lines,), kind=NodeKind.PERSON)
            found.append((node, _operations(len(mine))))
    named = {role.name for role in design.roles}
    others = [each for each in design.endpoints if not each.is_public and not named & set(each.roles)]
    signed_in = [each for each in others if each.guards_known]
    if signed_in:
        whose = () if design.is_recovered else (_by_object(signed_in),)
        node = Node(id=f"{_CALLERS} in", title="signed-in caller", lines=whose, kind=NodeKind.PERSON)
        found.append((node, _operations(len(signed_in))))
    unknown = [each for each in others if not each.guards_known]
    if unknown:
        node = Node(
            id=f"{_CALLERS} unknown", title="callers", lines=("who they are is not known",), kind=NodeKind.PERSON
        )
        found.append((node, _operations(len(unknown))))
    return found


def _may(endpoint: PlannedEndpoint, role: str) -> bool:
    return role in endpoint.roles or any(
        grant.kind is GrantKind.ROLE and grant.role == role and not endpoint.roles for grant in endpoint.grants
    )


def _by_object(endpoints: list[PlannedEndpoint]) -> str:
    kinds = {grant.kind for each in endpoints for grant in each.grants}
    return (
        "whatever the role; the object decides" if kinds & {GrantKind.OWNER, GrantKind.TENANT} else "whatever the role"
    )


def _operations(count: int) -> str:
    return many(count, "operation")


def _is_outside(dependency: Dependency) -> bool:
    return dependency.is_external or dependency.kind not in parts.STORES | parts.BROKERS


def _outside(dependency: Dependency, zone: str) -> Node:
    lines = [parts.PRODUCTS[dependency.kind]]
    if dependency.availability is not None:
        lines.append(f"promises {words.share(dependency.availability)}")
    if dependency.timeout_s:
        lines.append(f"asked for {words.duration(dependency.timeout_s)} at most")
    return Node(
        id=_DEPENDENCY + dependency.name, title=dependency.name, lines=tuple(lines), kind=NodeKind.EXTERNAL, zone=zone
    )


def _kept(dependency: Dependency, services: int) -> Node:
    lines = [parts.PRODUCTS[dependency.kind]]
    if services > 1 and dependency.kind is DependencyKind.POSTGRES:
        lines.append("one database for each service")
    if dependency.replication:
        lines.append(f"{dependency.replication} replica" if dependency.replication != "none" else "no replica")
    if dependency.pool:
        lines.append(f"{dependency.pool} connections a copy")
    if dependency.timeout_s:
        lines.append(f"asked for {words.duration(dependency.timeout_s)} at most")
    kind = NodeKind.QUEUE if dependency.kind in parts.BROKERS else NodeKind.STORE
    return Node(id=_DEPENDENCY + dependency.name, title=dependency.name, lines=tuple(lines), kind=kind, zone="kept")


def _asked(design: Design, dependency: Dependency) -> str:
    said = [verb for part in parts.deployables(design) for verb in parts.verbs(design, dependency.name, part)]
    return _named(tuple(dict.fromkeys(said)))


def _named(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMES_MAX} more" if len(names) > _NAMES_MAX else ""
    return ", ".join(names[:_NAMES_MAX]) + more


def _has_issuer(design: Design) -> bool:
    return design.auth is not None and design.auth.scheme not in _OWN_TOKENS and not design.is_recovered


def _issuer(design: Design) -> tuple[str, ...]:
    return (f"{design.auth.scheme}, {', '.join(design.auth.algorithms)}",) if design.auth else ()


def _events(design: Design) -> tuple[str, ...]:
    names = tuple(each.name for each in design.events)
    return (f"{len(names)} events" if len(names) > _NAMES_MAX else ", ".join(names),)


def _front(design: Design, running: tuple[Deployable, ...]) -> Node | None:
    """Copies need something that chooses between them; of a recovered service nothing is known about it."""
    if design.is_recovered or (design.deploy.replicas_max <= 1 and len(running) == 1):
        return None
    lines = ["ends TLS", "knows which copies are ready"]
    if len(running) > 1:
        lines.append("chooses the service by path")
    return Node(id=_BALANCER, title="load balancer", lines=tuple(lines), zone="running")


def _where(design: Design) -> str:
    if design.is_recovered:
        return design.name
    places = [design.deploy.platform]
    places += [many(design.deploy.regions, "region"), many(design.deploy.zones, "zone")]
    return f"{design.name} on {', '.join(places)}"


def _running(design: Design, part: Deployable, *, is_alone: bool) -> Node:
    lines = [_operations(len(part.endpoints))]
    if not design.is_recovered:
        low, high = design.deploy.replicas_min, design.deploy.replicas_max
        lines.append(f"{low} to {high} copies" if high > low else f"{low} cop{'y' if low == 1 else 'ies'}")
    if part.modules and part.modules != (part.name,):
        lines.append(f"modules: {', '.join(part.modules)}")
    if not is_alone and part.jobs:
        lines.append(f"jobs: {_named(tuple(job.name for job in part.jobs))}")
    return Node(id=part.name, title=part.name, lines=tuple(lines), zone="running")


def _jobs(part: Deployable) -> Node:
    names = tuple(job.name for job in part.jobs)
    return Node(id=_JOBS, title="jobs", lines=(_named(names),), zone="running")


def _reached(design: Design, running: tuple[Deployable, ...], dependency: Dependency) -> list[Edge]:
    """From whatever reaches it; requests and jobs apart where one process has both."""
    edges: list[Edge] = []
    is_event = dependency.kind in parts.BROKERS
    for part in running:
        jobs = Deployable(name=_JOBS, jobs=part.jobs)
        requests = Deployable(name=part.name, endpoints=part.endpoints)
        halves = (requests, jobs) if len(running) == 1 and part.jobs else (part,)
        used = [half for half in halves if _half_uses(design, half, dependency)]
        if not used and parts.uses(design, part, dependency):
            used = [halves[0]]
        edges += [
            Edge(
                source=half.name,
                target=_DEPENDENCY + dependency.name,
                says=_how(design, half, dependency),
                is_dashed=is_event,
            )
            for half in used
        ]
    return edges


def _half_uses(design: Design, half: Deployable, dependency: Dependency) -> bool:
    if dependency.kind is DependencyKind.POSTGRES:
        return any(step.kind is StepKind.QUERY for step in half.steps)
    if dependency.kind in parts.BROKERS and dependency.name == parts.broker(design):
        publishes = any(step.kind is StepKind.PUBLISH for step in half.steps)
        return publishes or (not half.name.startswith("\x00") and len(parts.deployables(design)) > 1 and half.tells)
    return dependency.name in half.reaches


def _how(design: Design, half: Deployable, dependency: Dependency) -> str:
    if dependency.kind is DependencyKind.POSTGRES:
        return "SQL"
    if dependency.kind in parts.BROKERS:
        return "events"
    return _named(parts.verbs(design, dependency.name, half))


def _short(says: str) -> str:
    """ "ask for reserveStock under a key ..." -> "reserveStock"."""
    said = says.removeprefix("ask for ").removeprefix("ask ")
    return said.partition(" under ")[0]
