"""The configuration, as `[tool.nines]` in pyproject.toml or as nines.toml."""

from __future__ import annotations

import math
from typing import Any, Literal

from nines.model.budget import Budgets
from nines.model.record import StrictRecord
from nines.model.tier import Tier


class BudgetSettings(StrictRecord):
    """Budgets as people write them: "99.9%", "0.1%", "200ms", "5m"."""

    availability: str = "99.9%"
    errors: str = "0.1%"
    p95: str = "200ms"
    recovery: str = "5m"


class LoadSettings(StrictRecord):
    """How much load the experiments may put on the service."""

    rate_hz: float = 50.0
    """The target rate of `steady`, in requests a second."""
    rate_hz_max: float = 2000.0
    duration_s: float = 0.0
    """0: as long as the error budget needs to be shown (2,995 requests), at most duration_s_max."""
    duration_s_max: float = 120.0
    connections_max: int = 256
    operations: dict[str, float] = {}
    """Operation ids with weights; empty means every operation that nines can drive, reads before writes."""


class ServiceSettings(StrictRecord):
    """How the owner starts the service."""

    command: str = ""
    """A shell-like command line (split, not given to a shell); {port} and {host} are filled in."""
    app: str = ""
    """Instead of a command: "package.module:application", ASGI or WSGI."""
    directory: str = "."
    python: str = ""
    """The interpreter that has the service's dependencies; found by itself in .venv or venv."""
    setup: tuple[str, ...] = ()
    """Commands to run once on a fresh database, such as "alembic upgrade head"."""
    env: dict[str, str] = {}
    """May refer to {host}, {port}, {database.url}, {database.host}, {database.port}, {database.user},
    {database.password}, {database.name}, {redis.url}, {upstream.NAME.url}, and {mail.url}, {mail.host}, {mail.port},
    where the laboratory takes letters; {grpc.port} is a free port on which the service listens for gRPC; {{word}}
    stands for {word} itself."""
    ready: str = ""
    """The path that answers 2xx when the service is ready; empty: found by itself (any answer)."""
    ready_timeout_s: float = 60.0
    workers: int = 1
    base_path: str = ""


class DatabaseSettings(StrictRecord):
    """The PostgreSQL that the service needs."""

    url: str = ""
    """Of a server in which nines may create databases of its own; empty: the embedded one."""
    env: str = "DATABASE_URL"
    """The variable that tells the service, when `service.env` names none."""
    scheme: str = "postgresql"
    """The URL's scheme, such as "postgresql+asyncpg"."""
    extensions: tuple[str, ...] = ()
    needed: bool | None = None
    """None: found by reading the code."""


class RedisSettings(StrictRecord):
    url: str = ""
    """Empty: a redis-server of this machine, if there is one."""
    env: str = "REDIS_URL"
    needed: bool | None = None


class StubAnswer(StrictRecord):
    """What a stub upstream answers."""

    method: str = "*"
    path: str = "*"
    """A pattern with * for anything."""
    status: int = 200
    body: str = ""
    """JSON text; {request.FIELD} repeats a field of the request's body, {id} is a fresh identifier."""
    delay_s: float = 0.0


class UpstreamSettings(StrictRecord):
    """A remote service that the backend calls."""

    env: str = ""
    """The variable that tells the service where it is."""
    path: str = ""
    """Appended to the stub's URL."""
    contract: str = ""
    """An OpenAPI file to answer from."""
    answers: tuple[StubAnswer, ...] = ()
    speaks: Literal["http", "grpc"] = "http"
    """http; or grpc, where every call is answered with an empty message after the first answer's delay."""


class Identity(StrictRecord):
    """Somebody who can sign in."""

    name: str
    """owner, peer, admin, or another."""
    username: str = ""
    password: str = ""
    headers: dict[str, str] = {}
    """Fixed credentials instead of a login: {"authorization": "Bearer ..."}."""
    values: dict[str, str] = {}
    """Further values for the register and login templates."""
    register: bool = True
    """Whether it must be registered first, where there is a registration."""
    is_admin: bool = False
    command: str = ""
    """Instead of signing in: a command that prints the token of this one, as `login.command` does for all."""


class LoginSettings(StrictRecord):
    """How an identity signs in: one request whose answer holds a token, or that sets a cookie; or a command."""

    method: str = "POST"
    path: str = ""
    json: dict[str, Any] = {}
    """The body as JSON; {username}, {password} and the identity's values are filled in."""
    form: dict[str, str] = {}
    """The body as a form, instead."""
    headers: dict[str, str] = {}
    token: str = ""
    """Where the token is in the answer: a dotted path such as "access_token" or "user.token"."""
    header: str = "Authorization"
    format: str = "Bearer {token}"
    command: str = ""
    """Instead of a request: a command line in the service's environment that prints the token, such as
    "python -m app.tokens --subject {username} --role {role}"; for tokens that come from an issuer elsewhere."""

    @property
    def is_given(self) -> bool:
        return bool(self.path or self.headers or self.command)


class SecuritySettings(StrictRecord):
    """Operations that are open to everyone on purpose."""

    public: tuple[str, ...] = ()
    """Operation ids or paths with * that need no authentication."""
    shared: tuple[str, ...] = ()
    """Operation ids or paths whose objects every signed-in identity may see."""


class Settings(StrictRecord):
    """All of it."""

    name: str = ""
    fail_on: Tier = Tier.PERFORMANCE
    """Findings of this tier or above make the exit code 1."""
    paths: tuple[str, ...] = (".",)
    exclude: tuple[str, ...] = ()
    """Patterns beside the usual ones (tests, virtual environments, generated code)."""
    rules_off: tuple[str, ...] = ()
    experiments_off: tuple[str, ...] = ()
    baseline: str = ""
    contract: str = ""
    """A file or a path on the service; empty: found by itself."""
    budgets: BudgetSettings = BudgetSettings()
    load: LoadSettings = LoadSettings()
    service: ServiceSettings = ServiceSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    upstreams: dict[str, UpstreamSettings] = {}
    identities: tuple[Identity, ...] = ()
    register: LoginSettings = LoginSettings()
    confirm: LoginSettings = LoginSettings()
    """How a registration is confirmed: a request with {code}, read from the letter that the service sent to the
    laboratory's post ({mail.host}, {mail.port}) or printed by `command`; {answer.NAME} is of the registration's answer.
    Empty: found by itself."""
    login: LoginSettings = LoginSettings()
    security: SecuritySettings = SecuritySettings()
    values: dict[str, Any] = {}
    """Values for parameters and body fields by name, or by OPERATION.NAME, where nines would invent wrong ones."""
    signatures: dict[str, Any] = {}
    """The project's own wrappers, in the format of effects/signatures."""


def budgets_of(settings: BudgetSettings) -> Budgets:
    """Raises ValueError with the offending text."""
    return Budgets(
        availability=share(settings.availability),
        error_rate=share(settings.errors),
        latency_p95_ms=seconds(settings.p95) * 1000.0,
        recovery_s=seconds(settings.recovery),
    )


def share(text: str) -> float:
    """A share of one from "99.9%" or "0.999"; raises ValueError when it is not between 0 and 1."""
    stripped = text.strip()
    value = float(stripped[:-1]) / 100.0 if stripped.endswith("%") else float(stripped)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{text!r} is not between 0 % and 100 %")
    return value


_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """A duration from "200ms", "2s", "5m", "1h"; raises ValueError for anything else."""
    stripped = text.strip()
    for unit in sorted(_UNITS_S, key=len, reverse=True):
        if stripped.endswith(unit):
            value = float(stripped[: -len(unit)]) * _UNITS_S[unit]
            if not 0 < value < math.inf:
                raise ValueError(f"{text!r} is not a positive duration")
            return value
    raise ValueError(f"{text!r} is not a duration such as 200ms, 2s or 5m")
