"""Threats to what is kept: by whoever reaches the store without asking the service."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design, Element, Stride, Threat
from nines.model.words import duration
from nines.planning.threats.drafting import KILL, STALL, UNBOUNDED, choice, counted, named, threat, verb


def of_store(design: Design, element: Element, dependency: Dependency | None) -> Iterator[Threat]:
    if dependency is None or dependency.kind is DependencyKind.POSTGRES:
        yield from _of_database(design, element, dependency)
    elif dependency.kind is DependencyKind.REDIS:
        yield from _of_cache(design, element, dependency)
    elif dependency.kind is DependencyKind.OBJECTS:
        yield from _of_objects(element, dependency)
    else:
        yield from _of_broker(design, element, dependency)


def _of_database(design: Design, element: Element, dependency: Dependency | None) -> Iterator[Threat]:
    where = "roles of the database, set up by the migrations"
    grown = [table.name for table in design.tables if table.is_append_only]
    kept = f" {named(grown)} {verb(grown, 'refuses', 'refuse')} UPDATE and DELETE by a trigger." if grown else ""
    checks = sum(len(table.checks) for table in design.tables)
    yield threat(
        element,
        Stride.TAMPERING,
        "Rows are changed behind the service's back, with its own password or by somebody at the console.",
        f"The service's role owns no table and may not change the schema; {counted(checks, 'check')} hold for "
        f"whoever writes.{kept}",
        where=where,
    )
    yield _proofs(design, element, grown)
    yield from _leaked(design, element)
    yield _connections(design, element, dependency)


def _proofs(design: Design, element: Element, grown: list[str]) -> Threat:
    chained = [table.name for table in design.tables if table.column("hash") and table.is_append_only]
    if chained:
        says = f"Whoever owns {named(chained)} rewrites it from some entry on, with new hashes."
        how = (
            "Each entry holds the hash of the one before it on its object, so that one changed entry shows. The last "
            "hashes must be kept elsewhere, else a whole chain can be rewritten; where is not said."
        )
        options = (
            choice(
                "write the last hashes to a store with a retention lock once an hour",
                "a rewriting shows within the hour",
                "one more job, one more store",
            ),
            choice(
                "leave it",
                "nothing to run",
                "an owner of the database can rewrite what happened",
                "the owner is trusted",
            ),
        )
        return threat(
            element, Stride.REPUDIATION, says, how, where=f"table {named(chained)}", is_open=True, options=options
        )
    return threat(
        element,
        Stride.REPUDIATION,
        f"It cannot be shown who changed a row{' of ' + named(grown) if grown else ''}: the database knows one "
        "role for all callers.",
        "Not mitigated: no resource has a trail (audit).",
        where="nowhere",
        is_open=True,
        options=(
            choice("audit: writes where somebody may ask", "each change has its caller", "a row for each change"),
        ),
    )


def _leaked(design: Design, element: Element) -> Iterator[Threat]:
    personal = [f"{t.name}.{c.name}" for t in design.tables for c in t.columns if c.is_personal and not c.is_encrypted]
    secret = [f"{t.name}.{c.name}" for t in design.tables for c in t.columns if c.is_encrypted]
    hashed = [
        f"{t.name}.{c.name}"
        for t in design.tables
        for c in t.columns
        if c.name.endswith("_hash") and t.name.rpartition("_")[2] in ("credentials", "tokens", "codes")
    ]
    held = []
    if secret:
        held.append(f"{named(secret)} {verb(secret, 'is', 'are')} ciphertext under keys that the database never sees")
    if hashed:
        held.append(f"{named(hashed)} {verb(hashed, 'holds', 'hold')} digests only")
    if personal:
        held.append(f"{named(personal)} {verb(personal, 'is', 'are')} in clear for whoever reads the copy")
    where = "columns of the data chapter, the encryption of volumes and backups"
    yield threat(
        element,
        Stride.DISCLOSURE,
        "A backup, a replica or a volume comes into the wrong hands.",
        f"{'; '.join(held) or 'No personal or secret column is known'}. Volumes and backups are encrypted by "
        "whoever runs them.",
        where=where,
    )


def _connections(design: Design, element: Element, dependency: Dependency | None) -> Threat:
    """With the arithmetic of the capacity plan, so that both say the same."""
    says = (
        "All connections are taken, by too many processes or by transactions that wait; or one statement "
        "reads everything."
    )
    pool = design.capacity.pool if design.capacity else None
    tried = (STALL, UNBOUNDED)
    if dependency is None or not dependency.connections_max or not dependency.pool or pool is None:
        return threat(
            element,
            Stride.DENIAL,
            says,
            "How many connections a process holds and how many the server allows is not said.",
            where="pool and connections of the blueprint",
            tried=tried,
            owasp=4,
            is_open=True,
            options=(choice("say pool and connections", "the arithmetic can be made", "none"),),
        )
    return threat(
        element,
        Stride.DENIAL,
        says,
        f"{pool.says} No transaction is open while others are asked, and statement_timeout ends what runs away.",
        where="pool and connections of the blueprint, deploy.replicas",
        tried=tried,
        owasp=4,
        is_open=pool.held_at_most > pool.connections_max,
        options=(
            choice(
                "fewer replicas at most, or a smaller pool",
                "no process is refused a connection",
                "less in hand for a surge",
            ),
            choice(
                "a pooler between them",
                "connections are shared by all processes",
                "one more thing on the way of each statement",
            ),
        )
        if pool.held_at_most > pool.connections_max
        else (),
    )


def _of_cache(design: Design, element: Element, dependency: Dependency) -> Iterator[Threat]:
    name = dependency.name
    yield threat(
        element,
        Stride.TAMPERING,
        f"Whoever reaches {name} puts a value there that the service believes.",
        "A password and an ACL of its own user, no address outside; nothing is decided by what it holds alone.",
        where=f"dependencies.{name}, the network policy",
        owasp=8,
    )
    yield threat(
        element,
        Stride.DISCLOSURE,
        f"{name} is read by a neighbour, and holds what only some may see.",
        "Keys carry the tenant where there is one, every value has an end, and no personal field is kept there."
        if design.tenancy
        else "Every value has an end, and no personal field is kept there.",
        where=f"what is written to {name}",
    )
    timeout = (
        f"after {duration(dependency.timeout_s)}"
        if dependency.timeout_s
        else "when the driver gives up: no timeout is said"
    )
    yield threat(
        element,
        Stride.DENIAL,
        f"{name} is filled or hangs.",
        f"maxmemory with eviction; the service goes on without it {timeout}.",
        where=f"dependencies.{name}.timeout",
        tried=(STALL,),
        owasp=4,
        is_open=dependency.timeout_s is None,
    )


def _of_objects(element: Element, dependency: Dependency) -> Iterator[Threat]:
    name = dependency.name
    yield threat(
        element,
        Stride.TAMPERING,
        f"An object in {name} is replaced after it was checked.",
        "Keys are made by the service and never written twice; versions are kept, and the digest stands in the row.",
        where=f"dependencies.{name}, the bucket's policy",
    )
    yield threat(
        element,
        Stride.DISCLOSURE,
        f"The bucket behind {name} is public, or a signed address is passed on.",
        "Public access is blocked for the account; signed addresses end after minutes and name one object.",
        where=f"the bucket's policy of {name}",
        owasp=8,
    )
    yield threat(
        element,
        Stride.DENIAL,
        f"{name} is filled at the owner's cost.",
        "The size stands in the signed address, and a life cycle deletes what no row refers to.",
        where=f"the bucket's policy of {name}",
        tried=(STALL,),
        owasp=4,
    )


def _of_broker(design: Design, element: Element, dependency: Dependency) -> Iterator[Threat]:
    name = dependency.name
    taken = [job.receives.type for job in design.jobs if job.receives and job.receives.dependency == name]
    if taken:
        yield threat(
            element,
            Stride.SPOOFING,
            f"Somebody who may write to {name} tells {named(taken)} in the name of others, and {design.name} acts on "
            "it.",
            "Only whoever tells an event may publish to its subject or topic. Data is read by its schema, an object is "
            "moved only out of a state that allows it, and what does not fit is kept as a dead letter.",
            where=f"the access list of {name}, consumes in the blueprint",
            owasp=10,
        )
        yield threat(
            element,
            Stride.TAMPERING,
            f"An event of {name} comes again, or late.",
            "The inbox holds the source and the id of each that was taken, written with what it caused; those of one "
            "subject keep their order.",
            where="table inbox",
            tried=(KILL,),
        )
    events = named(each.name for each in design.events)
    yield threat(
        element,
        Stride.TAMPERING,
        f"Somebody else publishes {events or 'events'} on {name}, and consumers act on them.",
        "Each client has credentials of its own; only this service may publish to its subjects. Consumers ask "
        "the API where money hangs on it.",
        where=f"the access list of {name}",
        owasp=8,
    )
    yield threat(
        element,
        Stride.DISCLOSURE,
        f"A consumer of {name} reads events that are not for it.",
        f"Subjects are granted one by one; {events or 'events'} hold identifiers, states and times, and no "
        "personal field.",
        where=f"the access list of {name}, the shapes of events",
    )
    yield threat(
        element,
        Stride.DENIAL,
        f"{name} is full, or a consumer stands still.",
        "The outbox keeps what is not taken, and the relay waits longer each time; the age of the oldest row is "
        "alerted."
        if any(table.name.endswith("outbox") for table in design.tables)
        else "What it does not take is lost: there is no outbox.",
        where="table outbox" if any(table.name.endswith("outbox") for table in design.tables) else "nowhere",
        tried=(KILL, STALL),
        owasp=4,
        is_open=not any(table.name.endswith("outbox") for table in design.tables),
    )
