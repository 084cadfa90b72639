"""The configuration under which nines tries the service: its budgets, how it starts, and who signs in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from nines.model.blueprint import Action, Blueprint, Card, DependencyKind, GrantKind, ResourceKind
from nines.model.design import Design, PlannedEndpoint, console, telling
from nines.model.design.graph import has_graph

PATH = "nines.toml"
RATE_MAX_HZ = 2_000.0
RATE_MIN_HZ = 150.0
"""At it the requests that show an error budget of 0.1 % take 20 s."""
RATE_LOW_HZ = 50.0
"""With less on an ordinary day nines asks as in the busiest minute."""
PASSWORD = "correct horse for the laboratory"  # noqa: S105 -- of people who are made for a trial.
TOKEN = "Bearer replace-this-by-a-token-of-the-laboratory"  # noqa: S105 -- says what belongs there.
LABORATORY = "b25seS1mb3ItdGhlLWxhYm9yYXRvcnktMzItYnl0ZXM"
"""32 bytes in base64, which every kind of key takes; they say what they are for."""
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NOBODY = {
    DependencyKind.KAFKA: "kafka",
    DependencyKind.NATS: "nats",
    DependencyKind.RABBITMQ: "amqp",
}
"""Kinds for which nines has nothing that answers: the service is given an address at which nobody listens."""
STAND_IN = "log://events"
"""For a broker: events that leave the outbox end in the service's own log."""
_DRIVEN_MIN = 0.5
"""Of the load: what reads and creations must make up to stand for all of it."""
_DOCUMENTS, _GRAPH_SHARE = 4, 0.25
"""So many reads are asked by the graph as well, each for this part of what is asked of it over HTTP."""
_WHOM = ("owner", "peer")


def text(design: Design) -> str:
    """TOML that nines reads; empty for a service that was read, whose own configuration says it."""
    if design.is_recovered:
        return ""
    return "\n\n".join(_blocks(design)) + "\n"


def unheard(design: Design) -> tuple[str, ...]:
    """The dependencies that nothing stands in for."""
    return tuple(each.name for each in design.dependencies if each.kind in _NOBODY)


def _blocks(design: Design) -> Iterator[str]:
    budgets = design.budgets
    yield _table("", {"name": design.name, "contract": "/openapi.json"})
    yield _table(
        "budgets",
        {
            "availability": _percent(budgets.availability),
            "errors": _percent(budgets.error_rate),
            "p95": f"{budgets.latency_p95_s * 1_000:.10g}ms",
            "recovery": f"{budgets.recovery_s:.10g}s",
        },
    )
    yield _load(design)
    package = _package(design)
    has_database = any(each.kind is DependencyKind.POSTGRES for each in design.dependencies)
    yield _table(
        "service",
        {
            "command": f"python -m {package} --host {{host}} --port {{port}}",
            **({"setup": [f"python -m {package}.migrate", *_people(design)]} if has_database else {}),
            "ready": "/health/ready",
        },
    )
    environment = dict(_environment(design))
    if environment:
        yield _table("service.env", environment)
    yield from _parts(design, has_database=has_database)
    yield from _identities(design)
    public = [each.id for each in design.endpoints if each.is_public]
    beside = _BESIDE.get(design.auth.scheme if design.auth else "", ())
    security: dict[str, Any] = {"public": [*public, *beside, "/health/*", "/metrics", "/openapi.json"]}
    shared = list(_shared(design))
    yield _table("security", security | ({"shared": shared} if shared else {}))


def _shared(design: Design) -> Iterator[str]:
    """Operations on objects that are everybody's who signed in, in the words of code and contract alike."""
    if design.tenancy is not None:
        return
    for endpoint in design.endpoints:
        is_everybodys = any(grant.kind is GrantKind.AUTHENTICATED for grant in endpoint.grants)
        if is_everybodys and not endpoint.is_public and "{" in endpoint.path:
            yield f"{endpoint.method} {endpoint.path}"


_BESIDE = {"oidc": ("/auth/*",), "own-jwt": ("/.well-known/*",)}
"""What is open so that callers are known at all."""


def _load(design: Design) -> str:
    steady = design.demand.steady_hz if design.demand else 50.0
    peak = design.demand.peak_hz if design.demand else 0.0
    weights = {
        each.id: round(each.steady_hz, 6)
        for each in design.endpoints
        if each.steady_hz and (each.is_safe or each.action is Action.CREATE)
    }
    if sum(weights.values()) < _DRIVEN_MIN * steady:
        # The rest is most of what comes: then nines chooses, rather than a mix that nobody has.
        weights = {}
    elif has_graph(design):
        weights |= _by_graph(design, weights)
    rate_hz = share_hz(design, steady)
    if rate_hz < RATE_LOW_HZ:
        rate_hz = max(rate_hz, share_hz(design, peak))
    found = _table("load", {"rate_hz": rate_hz, "rate_hz_max": max(RATE_MAX_HZ, 2 * steady, peak)})
    if rate_hz < steady:
        copies = design.deploy.replicas_min
        found = (
            f"# One process is tried, with its share of the steady load: {steady:g}/s over {copies} copies.\n{found}"
        )
    elif rate_hz > steady:
        found = f"# As in the busiest minute, for so few are cheap: {steady:g}/s on an ordinary day.\n{found}"
    return f"{found}\n\n{_table('load.operations', weights)}" if weights else found


def _by_graph(design: Design, weights: dict[str, float]) -> dict[str, float]:
    """A few of the reads, asked as documents beside; how many ask which way no blueprint says."""
    reads = [each for each in design.endpoints if each.id in weights and each.action in (Action.READ, Action.LIST)]
    busiest = sorted(reads, key=lambda each: -weights[each.id])[:_DOCUMENTS]
    return {f"query {each.id}": round(weights[each.id] * _GRAPH_SHARE, 6) for each in busiest}


def share_hz(design: Design, steady_hz: float) -> float:
    """What one process of several is asked for; never so little that showing the error budget takes minutes."""
    return round(min(steady_hz, max(steady_hz / max(1, design.deploy.replicas_min), RATE_MIN_HZ)), 3)


def _environment(design: Design) -> Iterator[tuple[str, str]]:
    yield "ENVIRONMENT", "laboratory"
    for dependency in design.dependencies:
        names = _VARIABLE.findall(dependency.url) or [f"{_upper(dependency.name)}_URL"]
        value = _address(dependency.kind, dependency.name)
        if dependency == telling.broker(design) and _ends_in_log(design):
            value = STAND_IN
        yield from ((name, value) for name in names)
    for name in _VARIABLE.findall(design.auth.issuer) if design.auth else ():
        yield name, "https://issuer.invalid"
    if is_issued_elsewhere(design):
        yield "LOCAL_ISSUER_SEED", LABORATORY
    if design.auth and design.auth.scheme == "mtls":
        # The laboratory stands where the balancer does.
        yield "CLIENTS", "{}"
        yield "BALANCERS", "127.0.0.0/8,::1"
    if design.protocol is not None:
        yield "GRPC_PORT", "{grpc.port}"
    # One caller makes all the load here, which in production is the work of thousands.
    yield "LIMIT_FACTOR", "100000"
    for secret in design.secrets:
        # What opens a dependency stands in its address here.
        if (
            not secret.is_assumed
            and "never in the service" not in secret.held_in
            and "_MIGRATION_" not in f"_{secret.name}_"
        ):
            yield secret.name, LABORATORY
    if has_console(design):
        yield "NEW_PASSWORD", PASSWORD


def _ends_in_log(design: Design) -> bool:
    """Whether the service itself can do without its broker: it says each event to its log, and does so as fast."""
    carrier = telling.broker(design)
    is_relayed = any(query.base == "insert-outbox-event" for query in design.queries)
    return is_relayed and carrier is not None and carrier.kind in telling.SERVED - {DependencyKind.REDIS}


def _address(kind: DependencyKind, name: str) -> str:
    if kind is DependencyKind.POSTGRES:
        return "{database.url}"
    if kind is DependencyKind.REDIS:
        return "{redis.url}"
    if kind is DependencyKind.SMTP:
        return "{mail.url}"
    return f"{_NOBODY[kind]}://127.0.0.1:9" if kind in _NOBODY else f"{{upstream.{name}.url}}"


def _parts(design: Design, *, has_database: bool) -> Iterator[str]:
    if has_database:
        store = next(each for each in design.dependencies if each.kind is DependencyKind.POSTGRES)
        names = _VARIABLE.findall(store.url) or [f"{_upper(store.name)}_URL"]
        yield _table("database", {"env": names[0], "needed": True})
    cache = next((each for each in design.dependencies if each.kind is DependencyKind.REDIS), None)
    if cache:
        names = _VARIABLE.findall(cache.url) or [f"{_upper(cache.name)}_URL"]
        yield _table("redis", {"env": names[0], "needed": True})
    for dependency in design.dependencies:
        if dependency.kind not in (DependencyKind.HTTP, DependencyKind.GRPC, DependencyKind.OBJECTS):
            continue
        names = _VARIABLE.findall(dependency.url) or [f"{_upper(dependency.name)}_URL"]
        is_typed = dependency.kind is DependencyKind.GRPC
        answer: dict[str, Any] = {} if is_typed else {"status": 200, "body": '{"id": "{id}", "status": "ok"}'}
        if dependency.latency_p95_s:
            answer["delay_s"] = round(dependency.latency_p95_s, 6)
        key = _key(dependency.name)
        yield _table(f"upstreams.{key}", {"env": names[0], **({"speaks": "grpc"} if is_typed else {})})
        if answer:
            yield _table(f"upstreams.{key}.answers", answer, is_listed=True)


def _identities(design: Design) -> Iterator[str]:
    if design.auth is None or design.auth.scheme == "none":
        return
    if is_issued_elsewhere(design) or design.auth.scheme == "api-key":
        yield from _elsewhere(design)
        return
    if has_console(design):
        yield from _made_at_console(design)
        return
    sign_in = _endpoint(design, Action.SIGN_IN)
    register = _endpoint(design, Action.REGISTER)
    support = next((role.name for role in design.roles if role.needs_second_factor), "")
    people = [*_WHOM, *(["admin"] if support else [])]
    for name in people:
        is_admin = name == "admin"
        found: dict[str, Any] = {"name": name}
        if sign_in:
            found |= {"username": f"{name}@example.com", "password": PASSWORD}
            if is_admin or register is None:
                found["register"] = False
        else:
            found["register"] = False
        if is_admin:
            found["is_admin"] = True
        block = _table("identities", found, is_listed=True)
        if not sign_in and design.auth and design.auth.scheme != "none":
            block += f"\n\n{_table('identities.headers', {'authorization': TOKEN})}"
        yield block
    if register:
        yield _table("register", {"method": register.method, "path": register.path, "json": _body(register)})
    if sign_in:
        token = _token(sign_in)
        body = {"method": sign_in.method, "path": sign_in.path, "json": _body(sign_in)}
        yield _table("login", {**body, **({"token": token} if token else {})})


def is_issued_elsewhere(design: Design) -> bool:
    """Whether tokens come from an issuer for whom the service's own `tokens` stands in."""
    return design.auth is not None and design.auth.scheme in ("oauth2-jwt", "oidc", "mtls")


def has_console(design: Design) -> bool:
    """Whether an operator makes accounts by `people`, and grants them roles."""
    account = next((each for each in (design.blueprint or _NO).resources if each.kind is ResourceKind.ACCOUNT), None)
    return account is not None and console.login(account) == "email" and console.needed(design) is not None


_NO = Blueprint(service=Card(name="none"))


def _people(design: Design) -> Iterator[str]:
    """The commands that make those who try the service and cannot register by themselves."""
    if not has_console(design):
        return
    people = f"python -m {_package(design)}.people"
    strong = [role.name for role in design.roles]
    if not _registers(design):
        yield f"{people} add {_WHOM[0]}@example.com --id {_own_id(design)}"
        yield f"{people} add {_WHOM[1]}@example.com"
    if strong:
        yield f"{people} add admin@example.com"
    yield from (f"{people} grant admin@example.com {role}" for role in strong)


def _registers(design: Design) -> bool:
    """Whether nines can become somebody as everybody does: register, read the letter, sign in."""
    if design.auth and design.auth.scheme == "session":
        # Whoever is let in by the console shows the same cookie as whoever signs in.
        return False
    is_mailed = any(each.kind is DependencyKind.SMTP for each in design.dependencies)
    is_shown = _endpoint(design, Action.VERIFY_CODE) is None or is_mailed
    return is_shown and all(_endpoint(design, action) is not None for action in (Action.REGISTER, Action.SIGN_IN))


def _made_at_console(design: Design) -> Iterator[str]:
    registers = _registers(design)
    command = f"python -m {_package(design)}.people token {{username}}"
    for name in (*_WHOM, *(["admin"] if design.roles else [])):
        found: dict[str, Any] = {"name": name, "username": f"{name}@example.com", "password": PASSWORD}
        if name not in _WHOM:
            # A role is granted at the console alone, and a second factor is at nobody's hand here.
            found |= {"register": False, "is_admin": True} | ({"command": command} if registers else {})
        elif not registers:
            found["register"] = False
        yield _table("identities", found, is_listed=True)
    if not registers:
        is_cookie = design.auth is not None and design.auth.scheme == "session"
        shown = {"header": "Cookie", "format": "__Host-session={token}"} if is_cookie else {}
        yield _table("login", {"command": command, **shown})
    yield _table("values", dict(_values(design)))


def _own_id(design: Design) -> str:
    """Of the first who tries the service: known beforehand, so that requests about it can be written."""
    account = next((each for each in (design.blueprint or _NO).resources if each.kind is ResourceKind.ACCOUNT), None)
    prefix = account.identifier.prefix if account else ""
    return f"{prefix}_{_ID}" if prefix else _ID


_ID = "01b8e0949b2e70008000000000000001"


def _values(design: Design) -> Iterator[tuple[str, Any]]:
    """What makes requests valid that nobody could invent: names and passwords that are there."""
    owner = f"{_WHOM[0]}@example.com"
    kept = next((each.name for each in (design.blueprint or _NO).resources if each.kind is ResourceKind.ACCOUNT), "")
    for endpoint in design.endpoints:
        if endpoint.action is Action.SIGN_IN:
            yield f"{endpoint.id}.email", owner
            yield f"{endpoint.id}.password", PASSWORD
        # Nothing that would end the account of whoever tries; whoever registers is told by a token who they are.
        if not _registers(design) and endpoint.resource == kept and endpoint.action in (Action.READ, Action.UPDATE):
            found = [each.name for each in endpoint.parameters if each.location == "path"]
            if len(found) == 1 and found[0].endswith("_id"):
                yield f"{endpoint.id}.{found[0]}", _own_id(design)


def _elsewhere(design: Design) -> Iterator[str]:
    """Two equals who must not see what the other has, somebody for each role that sees all, and whoever is mightier."""
    strong = [role.name for role in design.roles if role.needs_second_factor]
    weak = [role.name for role in design.roles if not role.needs_second_factor]
    # Within a tenant a role may see everything; tenants must not see each other whatever their roles.
    free = set() if design.tenancy else {g.role for e in design.endpoints for g in e.grants if g.kind is GrantKind.ROLE}
    equal = [name for name in weak if name not in free]
    for name in _WHOM:
        yield _somebody(design, name, equal, tenant=f"tenant-of-{name}")
    for name in weak:
        if name in free:
            yield _somebody(design, f"somebody-of-{name}", [name], tenant="")
    if strong:
        yield _somebody(design, "admin", strong, tenant=f"tenant-of-{_WHOM[0]}", is_admin=True)
    scheme = design.auth.scheme if design.auth else ""
    words = [f"python -m {_package(design)}.{_CONSOLES.get(scheme, 'tokens')} --subject {{username}}"]
    words += ["--tenant {tenant}"] if design.tenancy else []
    words += ["--role {roles}"] if design.roles else []
    words += ["--factors {factors}"] if strong else []
    shown = {"header": _HEADERS[scheme], "format": "{token}"} if scheme in _HEADERS else {}
    yield _table("login", {"command": " ".join(words), **shown})


_CONSOLES = {"api-key": "keys create"}
_HEADERS = {"api-key": "X-API-Key", "mtls": "Client-Cert"}
"""Where what the command prints is shown, if it is no bearer token."""


def _somebody(design: Design, name: str, roles: list[str], *, tenant: str, is_admin: bool = False) -> str:
    found: dict[str, Any] = {"name": name, "username": name, "register": False}
    found |= {"is_admin": True} if is_admin else {}
    values = {"tenant": tenant} if design.tenancy else {}
    values |= {"roles": ",".join(roles)} if design.roles else {}
    values |= {"factors": "2" if is_admin else "1"} if any(each.needs_second_factor for each in design.roles) else {}
    block = _table("identities", found, is_listed=True)
    return f"{block}\n\n{_table('identities.values', values)}" if values else block


def _package(design: Design) -> str:
    return design.package


def _endpoint(design: Design, action: Action) -> PlannedEndpoint | None:
    return next((each for each in design.endpoints if each.action is action), None)


def _body(endpoint: PlannedEndpoint) -> dict[str, Any]:
    """The example with the person's own name and password in it."""
    example = endpoint.request_example if isinstance(endpoint.request_example, Mapping) else {}
    names = {"password": "{password}", "email": "{username}", "phone": "{username}", "username": "{username}"}
    return {key: names.get(key, value) for key, value in example.items() if value is not None}


def _token(endpoint: PlannedEndpoint) -> str:
    example = endpoint.success.example if endpoint.success else None
    return "access_token" if isinstance(example, Mapping) and "access_token" in example else ""


def _table(name: str, values: Mapping[str, Any], *, is_listed: bool = False) -> str:
    head = [f"[[{name}]]" if is_listed else f"[{name}]"] if name else []
    return "\n".join([*head, *(f"{_key(key)} = {_value(value)}" for key, value in values.items())])


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(str(key))} = {_value(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # What JSON writes of a text, a number or a truth value is TOML as well, but for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key)


def _upper(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


def _percent(share: float) -> str:
    return f"{share * 100:.10g}%"
