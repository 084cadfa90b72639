"""`_generated/application.py`, which opens what a service needs and answers; and the owner's `app.py`."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.project.settings import database as database_variable
from nines.building.project.settings import has_keys, has_sign_ins, is_issued_elsewhere, variables
from nines.building.resources import apart, clients, consuming, ports, relaying
from nines.building.resources.code import Code
from nines.building.resources.holdings import has_accounts, holdings
from nines.building.resources.mailing import leaves_letters
from nines.model.blueprint import DependencyKind
from nines.model.design import Design
from nines.model.design.graph import has_graph

_POOL = 10
_CHALLENGES = {"api-key": "ApiKey", "session": "Cookie", "mtls": "Certificate"}
"""Of RFC 9110, 11.6.1; none of them is registered, and something must be said."""


def write(design: Design) -> Iterator[File]:
    yield File(path=names.source(design, "_generated/application.py"), text=_application(design))
    yield File(path=names.source(design, "app.py"), text=_app(design), is_owned=True)
    yield from relaying.gateway(design)


def _application(design: Design) -> str:
    code = Code(design)
    code.runtime("Application", "Operations", "Started", "Metrics")
    code.imports.add("pathlib", "Path")
    code.imports.add("collections.abc", "AsyncIterator")
    code.imports.add("contextlib", "AsyncExitStack", "asynccontextmanager")
    code.imports.add("functools", "partial")
    code.imports.add("starlette.types", "ASGIApp")
    code.generated("service", "Service")
    code.generated("settings", "GeneratedSettings")
    modules = (*names.modules(design), *((names.SIGNING,) if has_sign_ins(design) else ()))
    for module in modules:
        code.generated(module)
    code.line()
    code.line('CONTRACT = Path(__file__).with_name("openapi.json")')
    parts = [f"{module}.operations" for module in modules]
    code.put(python.call("Operations", *parts), before="operations: Operations[Service] = ")
    code.gap()
    _make(code)
    code.gap()
    _opened(code)
    for thing_port in ports.ports_of(design):
        if thing_port.dependency.kind is not DependencyKind.SMTP:
            code.gap()
            clients.client_of(code, thing_port)
    return code.text(f"{design.name} as a whole: what it opens at its start, and the application that answers.")


def _thresholds(design: Design, indicator: str) -> tuple[float, ...]:
    found = {each.threshold_s for each in design.running.objectives if each.indicator == indicator and each.threshold_s}
    return tuple(sorted(found))


def _edges(design: Design, indicator: str) -> list[str]:
    found = _thresholds(design, indicator)
    return [f"thresholds_s={python.flat(python.row(*(repr(float(each)) for each in found)))}"] if found else []


def _make(code: Code) -> None:
    design = code.design
    taken = ["settings: GeneratedSettings", "*", "beside: ASGIApp | None = None"]
    is_apart = bool(apart.parts(design))
    if is_apart:
        taken.append('module: str = ""')
        code.generated("apart", "OPERATIONS", "here")
    with code.block(python.Group(head="def make", parts=tuple(taken), tail=" -> Application[Service]")):
        whole = "The whole, or the one module that runs in this process" if is_apart else "The whole"
        code.doc(f"{whole}; `beside` answers what no operation does")
        code.line("metrics = Metrics()")
        code.runtime("Log", "Tracer")
        parts: list[python.Part] = [
            python.quoted(design.name),
            f"OPERATIONS[module] if module else {_asked_by(code)}" if is_apart else _asked_by(code),
            f"partial(opened, settings, metrics{', module' if is_apart else ''})",
            "openapi=CONTRACT.read_bytes()",
            "fallback=beside",
            "metrics=metrics",
            python.named("log", python.call("Log", *_log(design))),
            python.named("tracer", python.call("Tracer", *_tracer(design))),
        ]
        if design.tenancy:
            parts.append(f"tenant={python.quoted(design.tenancy.key)}")
        parts += _edges(design, "latency")
        parts += _shown(code)
        parts += [
            "drain_s=settings.drain_s",
            "proxies_trusted=settings.proxies_trusted",
            "limit_factor=settings.limit_factor",
        ]
        if design.protocol is not None:
            code.generated("internal")
            parts.append("listeners=(internal.listener(settings),)")
        code.put(python.call("Application", *parts), before="return ")


def _asked_by(code: Code) -> str:
    if not has_graph(code.design):
        return "operations"
    code.generated("graph", "with_graph")
    return "with_graph(operations, settings)"


def _shown(code: Code) -> Iterator[python.Part]:
    """What 401 asks for where it is no token, and who may tell of certificates."""
    design = code.design
    scheme = design.auth.scheme if design.auth else ""
    if scheme in _CHALLENGES:
        yield f"challenge=b'{_CHALLENGES[scheme]} realm=\"{design.name}\"'"
    if scheme == "mtls":
        code.generated("authentication", "believed")
        yield "believed=believed(settings)"


def _log(design: Design) -> Iterator[python.Part]:
    yield python.quoted(design.name)
    columns = [column for table in design.tables for column in table.columns]
    hidden = sorted({column.name for column in columns if column.is_personal or column.is_encrypted})
    if hidden:
        yield python.named("redacted", python.row(*(python.quoted(each) for each in hidden)))
    yield "level=settings.log_level"


def _tracer(design: Design) -> tuple[python.Part, ...]:
    return (
        python.quoted(design.name),
        "share=settings.traces_share",
        'endpoint=str(settings.traces_url or "")',
    )


def _opened(code: Code) -> None:
    design = code.design
    code.line("@asynccontextmanager")
    parts = ("settings: GeneratedSettings", "metrics: Metrics", *(['module: str = ""'] if apart.parts(design) else []))
    with code.block(python.Group(head="async def opened", parts=parts, tail=" -> AsyncIterator[Started[Service]]")):
        code.doc("Opens what the service needs, and closes it in the reverse order")
        with code.block("async with AsyncExitStack() as stack:"):
            _database(code)
            calls = [(port.dependency.name, verb.name) for port in ports.ports_of(design) for verb in port.verbs]
            if leaves_letters(design):
                calls += [(each.name, "send") for each in design.dependencies if each.kind is DependencyKind.SMTP]
            if calls or leaves_letters(design):
                _call_metrics(code, calls)
            made = [python.named(each.name, each.make(code)) for each in holdings(design)]
            code.put(python.call("Service", *made, "wake=lambda name: jobs.wake(name)"), before="service = ")
            if leaves_letters(design):
                code.line("stack.push_async_callback(service.mail.close)")
            _working(code)
            _authenticated(code)


def _database(code: Code) -> None:
    design = code.design
    store = next(each for each in design.dependencies if each.kind is DependencyKind.POSTGRES)
    code.runtime("Database", "PoolMetrics")
    code.generated("constraints", "CONSTRAINTS")
    name = python.quoted(store.name)
    code.put(python.call("PoolMetrics", "metrics", name, *_edges(design, "latency")), before="pool = ")
    code.line(f"password = settings.{names.snake(store.name)}_password")
    size = design.capacity.pool.per_process if design.capacity and design.capacity.pool else store.pool or _POOL
    parts = [
        f"str(settings.{database_variable(design).lower()})",
        f"size_max={size}",
        "constraints=CONSTRAINTS",
        "password=password.reveal() if password else None",
        f"application={python.quoted(design.name)}",
        "on_wait=pool.waited",
    ]
    if design.capacity and design.capacity.pool and design.capacity.pool.is_pooler_needed:
        parts.append("is_pooled=True")
    code.put(python.call("Database", *parts), before="database = ")
    code.line("pool.watch(lambda: database.in_use, database.size_max)")
    code.line("stack.push_async_callback(database.close)")


def _call_metrics(code: Code, calls: list[tuple[str, str]]) -> None:
    code.runtime("CallMetrics")
    pairs = python.row(*(f"({python.quoted(a)}, {python.quoted(b)})" for a, b in calls))
    breakers = [each.name for each in code.design.dependencies if each.breaker and each.name in {a for a, _ in calls}]
    parts: list[python.Part] = ["metrics"]
    if calls:
        parts.append(pairs)
    parts.append(f"breakers={python.flat(python.row(*map(python.quoted, breakers)))}")
    parts += _edges(code.design, "latency")
    code.put(python.call("CallMetrics", *parts), before="calls = ")


def _working(code: Code) -> None:
    design = code.design
    code.runtime("Jobs", "JobMetrics")
    code.generated("jobs", "queues", "schedules")
    is_apart = bool(apart.parts(design))
    code.line(f"waiting = {'here(module, queues(service))' if is_apart else 'queues(service)'}")
    edges = _edges(design, "freshness")
    names_of = "[each.name for each in waiting]"
    if consuming.taking(design):
        code.generated("consumers", "CONSUMERS", "consumers")
        names_of = "[*(each.name for each in waiting), *CONSUMERS]"
    code.put(python.call("JobMetrics", "metrics", f"queues={names_of}", *edges), before="told = ")
    turn = next((each for each in design.queries if each.base == "take-turn"), None)
    scheduled = "here(module, schedules(service))" if is_apart else "schedules(service)"
    parts = ["database", "queues=waiting", f"schedules={scheduled}"]
    if turn is not None:
        parts.append(f"take_turn={code.statement(turn)}")
    code.put(python.call("Jobs", *parts, "metrics=told"), before="jobs = ")
    code.line("jobs.start()")
    code.line("stack.push_async_callback(jobs.stop, settings.drain_s)")
    if consuming.taking(design):
        found = "consumers(service, settings, told)"
        with code.block(f"for consumer in {f'here(module, {found})' if is_apart else found}:"):
            code.line("consumer.start()")
            code.line("stack.push_async_callback(consumer.stop, settings.drain_s)")


def _authenticated(code: Code) -> None:
    design = code.design
    name = next(each.name for each in design.dependencies if each.kind is DependencyKind.POSTGRES)
    code.runtime("Deadline")
    checks = f'checks={{{python.quoted(name)}: lambda: database.fetch(Deadline.after(1.0), "SELECT 1")}}'
    parts = ["service"]
    if has_accounts(design):
        parts.append("authenticator=authenticator_of(accounts, database)")
    elif is_issued_elsewhere(design):
        code.generated("authentication", "authenticator")
        is_fetching = design.auth is not None and design.auth.scheme != "mtls"
        given = "settings, database" if has_sign_ins(design) else "settings"
        made = f"await stack.enter_async_context(authenticator({given}))" if is_fetching else "authenticator(settings)"
        parts.append(f"authenticator={made}")
    elif has_keys(design):
        code.generated("authentication", "authenticator")
        parts.append("authenticator=authenticator(database, limit_factor=settings.limit_factor)")
    shared = next((each for each in design.dependencies if each.kind is DependencyKind.REDIS), None)
    if shared is not None:
        # Several processes count together; while it is away, each counts for itself.
        code.runtime("RedisLimiter")
        code.line(f"limiter = RedisLimiter.at(str(settings.{variables(shared)[0].lower()}))")
        code.line("stack.push_async_callback(limiter.close)")
        parts.append("limiter=limiter")
    code.put(python.call("Started", *parts, checks), before="yield ")


def _app(design: Design) -> str:
    name = names.package(design)
    taken, given = (', module: str = ""', ", module=module") if apart.parts(design) else ("", "")
    return f'''"""Yours: what answers beside the operations of the blueprint, in FastAPI."""

from __future__ import annotations

from fastapi import FastAPI
from nines_runtime import Application

from {name}._generated.application import make
from {name}._generated.service import Service
from {name}.settings import Settings

beside = FastAPI(title={python.quoted(design.name)}, openapi_url=None)


def application(settings: Settings{taken}) -> Application[Service]:
    """What is served: operations first, then whatever you add to `beside`."""
    return make(settings, beside=beside{given})
'''
