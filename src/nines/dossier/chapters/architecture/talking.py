"""How the parts talk to one another, and why in this way."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier import words
from nines.dossier.chapters.architecture import deployables as parts
from nines.dossier.markdown import bullets, code, table
from nines.dossier.words import many
from nines.model.blueprint import Dependency, DependencyKind, Fallback
from nines.model.design import Design, FlowStep

_GRPC_PAYS_HZ = 2_000.0
"""Below this rate the encoding of JSON between services costs less than a tenth of a core (about 50 µs a call)."""
_JSON_S = 50e-6
_MESH_SERVICES = 10
_FALLBACKS = {
    Fallback.QUEUE: "left to a job",
    Fallback.CACHE: "the last known answer",
    Fallback.DEFAULT: "an answer without it",
}
_COLUMNS = ("from", "to", "how", "who waits", "held by", "why so")


def links(design: Design) -> str:
    rows = [*_from_callers(design), *_between(design), *_to_dependencies(design), *_events(design)]
    return table(_COLUMNS, rows)


def _from_callers(design: Design) -> Iterator[tuple[str, ...]]:
    if not design.endpoints:
        return
    if design.is_recovered:
        yield "callers", code(design.name), "HTTP", "yes", "not known", "found in the code"
        return
    limits = sorted(
        {f"{each.limit.count:,} in {words.duration(each.limit.period_s)}" for each in design.endpoints if each.limit}
    )
    held = f"limits by operation: {', '.join(limits)}" if limits else "no limit said"
    for number, kind in enumerate(design.card.interfaces):
        yield (
            "callers",
            code(design.name),
            kind.upper() if kind == "rest" else kind,
            "yes",
            held,
            _why_interface(kind, is_first=not number),
        )


def _why_interface(kind: str, *, is_first: bool) -> str:
    match kind:
        case "graphql":
            return (
                "clients choose what they read in one round trip; changes stay with REST where keys and versions "
                "are headers"
            )
        case "grpc":
            return "callers inside that share the schema; a browser cannot speak it"
        case _ if is_first:
            return "callers are not deployed with us: URLs, caches, status codes and retries that every client knows"
        case _:
            return "beside the first, for those who cannot speak it"


def _between(design: Design) -> Iterator[tuple[str, ...]]:
    for part, target, steps in parts.calls_between(design):
        says = _asked(steps)
        how = "gRPC" if "grpc" in design.card.interfaces else "REST"
        rate = sum(each.peak_hz or 0.0 for each in part.endpoints if any(step in each.flow.calls for step in steps))
        why = (
            f"the next step hangs on the answer; at {words.rate(rate * len(says))} JSON costs "
            f"{words.share(round(rate * len(says) * _JSON_S, 5))} of a core"
        )
        if how == "REST" and rate < _GRPC_PAYS_HZ:
            why += f", gRPC would pay from about {_GRPC_PAYS_HZ:,.0f}/s"
        yield code(part.name), code(target), f"{how}: {', '.join(says)}", "yes", _limits(steps), why


def _asked(steps: tuple[FlowStep, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step.says.removeprefix("ask for ").partition(" under ")[0] for step in steps))


def _limits(steps: tuple[FlowStep, ...]) -> str:
    longest = max((step.timeout_s or 0.0 for step in steps), default=0.0)
    return f"{words.duration(longest)} deadline" if longest else "no deadline"


def _to_dependencies(design: Design) -> Iterator[tuple[str, ...]]:
    running = parts.deployables(design)
    for each in design.dependencies:
        if each.kind in parts.BROKERS and each.name == parts.broker(design):
            continue
        users = [part for part in running if parts.uses(design, part, each)]
        named = ", ".join(code(part.name) for part in users) or code(design.name)
        said = [verb for part in users for verb in parts.verbs(design, each.name, part)]
        protocol = parts.PRODUCTS[each.kind] if design.is_recovered else _protocol(each)
        how = ": ".join(filter(None, (protocol, ", ".join(dict.fromkeys(said)))))
        yield (
            named,
            code(each.name),
            how,
            "yes",
            _held(each) or ("not known" if design.is_recovered else "nothing"),
            _found(design, each) if design.is_recovered else _why(design, each),
        )


def _found(design: Design, dependency: Dependency) -> str:
    """Of a recovered design no reason is known; what the code does with it is."""
    asking = [each for each in design.endpoints if any(step.target == dependency.name for step in each.flow.calls)]
    held = [
        each.id
        for each in asking
        if any(step.target == dependency.name and step.transaction is not None for step in each.flow.calls)
    ]
    if held:
        first = f"{code(held[0])}{f' and {len(held) - 1} more' if len(held) > 1 else ''}"
        return (
            f"asked inside a transaction by {first}: its connection and locks are held for as long as the answer takes"
        )
    return f"asked by {many(len(asking), 'operation')}" if asking else "found in the code"


def _protocol(dependency: Dependency) -> str:
    match dependency.kind:
        case DependencyKind.POSTGRES:
            return "SQL"
        case DependencyKind.REDIS:
            return "RESP"
        case DependencyKind.HTTP:
            return "HTTPS"
        case DependencyKind.GRPC:
            return "gRPC"
        case DependencyKind.SMTP:
            return "SMTP"
        case DependencyKind.OBJECTS:
            return "S3"
        case _:
            return parts.PRODUCTS[dependency.kind]


def _held(each: Dependency) -> str:
    said = []
    if each.timeout_s:
        said.append(f"{words.duration(each.timeout_s)} deadline")
    if each.retry:
        only = ", idempotent ones only" if each.retry.only_idempotent and each.retry.max else ""
        said.append(f"{many(each.retry.max, 'retry', 'retries')}{only}" if each.retry.max else "no retry")
    if each.breaker:
        said.append(f"breaker at {words.share(each.breaker.error_share)} of {each.breaker.of}")
    if each.bulkhead:
        said.append(f"{each.bulkhead} at once per copy")
    if each.pool:
        said.append(f"pool of {each.pool} per copy")
    if each.fallback in _FALLBACKS:
        said.append(f"else {_FALLBACKS[each.fallback]}")
    return ", ".join(said)


def _why(design: Design, each: Dependency) -> str:
    match each.kind:
        case DependencyKind.POSTGRES:
            return _kept_together(design)
        case DependencyKind.REDIS:
            return (
                "what may be lost and must be fast; the service answers without it"
                if not each.is_hard
                else "what must be fast"
            )
        case DependencyKind.SMTP:
            return "the mail server keeps what it has taken, and tries again itself"
        case DependencyKind.OBJECTS:
            return "large bodies stay out of the database and of the processes"
        case kind if kind in parts.BROKERS:
            return "the sender need not know who listens, nor wait for them"
        case _ if each.is_external:
            return "the provider's own interface; never inside a transaction"
        case _:
            return "the answer is needed to go on; never inside a transaction"


def _kept_together(design: Design) -> str:
    kept = ["a change"]
    kept += ["its idempotency key"] if any(each.idempotency for each in design.endpoints) else []
    kept += ["its event"] if design.events else []
    if len(kept) == 1:
        return "one transaction keeps a change whole"
    return f"one transaction keeps {', '.join(kept[:-1])} and {kept[-1]} together"


def _events(design: Design) -> Iterator[tuple[str, ...]]:
    if not design.events or design.blueprint is None:
        return
    told = [part for part in parts.deployables(design) if part.tells]
    source = ", ".join(code(part.name) for part in told) or code(design.name)
    names = ", ".join(code(each.name) for each in design.events)
    broker = design.dependency(parts.broker(design))
    target = code(broker.name) if broker else parts.SUBSCRIBERS
    how = f"{parts.PRODUCTS[broker.kind]}: {names}" if broker else f"HTTPS from the outbox: {names}"
    why = (
        "written with the change they tell of and sent after it: neither lost when a process dies nor told of what "
        "was rolled back"
        if design.blueprint.events.transport == "outbox"
        else "sent directly: an event is lost when the process dies between commit and sending"
    )
    yield source, target, how, "nobody", "at least once; consumers drop what they have by its id", why


def discovery(design: Design) -> str:
    """Names, balancing and a mesh: what each would be for, here."""
    running = parts.deployables(design)
    if design.is_recovered:
        return ""
    return bullets(_means(design, len(running), len(parts.calls_between(design))))


def _means(design: Design, count: int, talks: int) -> Iterator[str]:
    is_kubernetes = design.deploy.platform == "kubernetes"
    if is_kubernetes:
        names = "one Service with its DNS name" if count == 1 else f"{count} Services, each with its DNS name"
        yield f"**Discovery:** the platform's own, {names}; a registry beside it would be a second truth."
    elif count > 1:
        yield (
            f"**Discovery:** {count} names in the configuration; a registry pays when copies move without a deployment."
        )
    else:
        yield "**Discovery:** none. Nothing but the load balancer has to find the copies."
    yield (
        f"**Balancing:** at the {'ingress' if is_kubernetes else 'load balancer'}, by request, over "
        f"{design.deploy.replicas_min} to "
        f"{design.deploy.replicas_max} copies in {design.deploy.zones} zones: to the ready copy with the fewest open "
        "requests, so "
        "that a slow copy does not gather a queue as it would by turns."
    )
    if "grpc" in design.card.interfaces:
        yield (
            "**gRPC** keeps one HTTP/2 connection for all calls, so a balancer of connections would pin each caller "
            "to one copy: "
            "balance in the client, by request."
        )
    if count == 1:
        yield "**Mesh:** not earned. There is no call between services that it could secure, retry or observe."
        return
    yield (
        f"**Mesh:** not earned yet. {many(talks, 'link')} between {count} services: deadlines and retries are in the "
        "client (one "
        "layer only). What would earn it is encryption between the services, which nothing here gives by itself, or "
        "more than "
        f"about {_MESH_SERVICES} of them."
    )
