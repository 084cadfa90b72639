"""`nines init`: find out how a backend is started and used, and write that down; ask only what cannot be found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from nines.lab.requests import login as login_requests
from nines.model.contract import Contract
from nines.model.record import Record
from nines.model.service import EndpointKind, Service
from nines.model.settings import (
    BudgetSettings,
    DatabaseSettings,
    Identity,
    LoadSettings,
    LoginSettings,
    RedisSettings,
    ServiceSettings,
    Settings,
)
from nines.readers import environment as environment_reader
from nines.readers.environment import Environment, Variable
from nines.verbs.project import Project
from nines.verbs.reading import Read, read

LAB_PASSWORD = "Nines-lab-7391"  # noqa: S105 - for databases that are thrown away.
"""For identities that nines registers itself, in databases that it throws away."""
_LAB_SECRET = "nines-lab-secret-not-for-production-0123456789abcdef"  # noqa: S105 - idem.
_READY = re.compile(
    r"/(ready|readyz|readiness|health|healthz|health-check|healthcheck|ping|status|live|livez)/?$", re.IGNORECASE
)
_DATABASE_LIBRARIES = {"postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"}

BUDGETS = {
    "critical": BudgetSettings(),
    "standard": BudgetSettings(availability="99.5%", errors="0.5%", p95="300ms", recovery="10m"),
    "internal": BudgetSettings(availability="99%", errors="1%", p95="500ms", recovery="30m"),
}
"""What hangs on criticality."""


class Answers(Record):
    """What only the owner knows; None where nobody was asked."""

    rate_hz: float | None = None
    criticality: str = "critical"
    app: str = ""
    command: str = ""
    python: str = ""
    database_url: str = ""
    setup: tuple[str, ...] = ()
    ready: str = ""
    identities: tuple[Identity, ...] = ()
    env: Mapping[str, str] = {}


class Question(Record):
    """Something that reading could not find out, with what hangs on it."""

    key: str
    text: str
    default: str = ""


class Proposal(Record):
    settings: Settings
    found: tuple[str, ...]
    """What was detected, one sentence each."""
    questions: tuple[Question, ...]
    """What remains open."""


class _Talk:
    """What there is to tell and to ask, collected on the way."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.questions: list[Question] = []


def propose(project: Project, answers: Answers) -> Proposal:
    """The settings for a project, from its code, its example environment and the owner's answers."""
    material = read(project)
    variables = environment_reader.read(project.root, material.program)
    talk = _Talk()
    service = _service(project, material, variables, answers, talk)
    needs_database = bool(material.service.tables) or any("{database." in v for v in service.env.values())
    register, login, identities = _identities(material.service.contract, answers, talk)
    if answers.rate_hz is None:
        talk.questions.append(
            Question(
                key="rate_hz",
                text="How many requests a second must it carry? (load and statistics hang on it)",
                default="50",
            )
        )
    settings = msgspec.structs.replace(
        project.settings,
        name=project.name,
        budgets=BUDGETS[answers.criticality],
        load=LoadSettings(rate_hz=answers.rate_hz or LoadSettings().rate_hz),
        service=service,
        database=DatabaseSettings(url=answers.database_url, needed=needs_database or None),
        redis=RedisSettings(needed=any("{redis.url}" in value for value in service.env.values()) or None),
        register=register,
        login=login,
        identities=identities,
    )
    if needs_database:
        talk.found.append("it needs PostgreSQL; nines starts its own, unless you name a server")
    return Proposal(settings=settings, found=tuple(talk.found), questions=tuple(talk.questions))


def _service(
    project: Project,
    material: Read,
    variables: Environment,
    answers: Answers,
    talk: _Talk,
) -> ServiceSettings:
    application = next(iter(material.applications), None)
    directory = application.directory if application else "."
    app = answers.app
    if not answers.command and not app and application is not None:
        app = f"{application.module}:{application.name}" + ("()" if application.is_factory else "")
        talk.found.append(f"{application.framework} application {app} in {application.place}")
    if not answers.command and not app:
        talk.questions.append(
            Question(key="command", text="How is the service started? ({host} and {port} are filled in)")
        )
    setup = answers.setup or _setup(project.root / directory, talk)
    env = _environment(variables, talk) | dict(answers.env)
    ready = answers.ready or _ready(material.service, talk)
    return ServiceSettings(
        command=answers.command,
        app=app,
        directory=directory,
        python=answers.python,
        setup=setup,
        env=env,
        ready=ready,
    )


def _setup(folder: Path, talk: _Talk) -> tuple[str, ...]:
    if (folder / "alembic.ini").is_file():
        talk.found.append("Alembic migrations: alembic upgrade head")
        return ("alembic upgrade head",)
    if (folder / "manage.py").is_file():
        talk.found.append("Django migrations: manage.py migrate")
        return ("python manage.py migrate --noinput",)
    return ()


def _ready(service: Service, talk: _Talk) -> str:
    paths = [
        endpoint.path
        for endpoint in service.endpoints
        if endpoint.kind is EndpointKind.HTTP and endpoint.method == "GET" and _READY.search(endpoint.path)
    ]
    best = min(paths, key=lambda path: ("read" not in path.lower(), len(path)), default="")
    if best:
        talk.found.append(f"readiness at {best}")
    return best


def _environment(variables: Environment, talk: _Talk) -> dict[str, str]:
    """Variables with lab values: dependencies point at the lab, secrets are made up, the rest is kept."""
    result: dict[str, str] = {}
    for variable in variables.variables:
        template = _template(variable)
        if template:
            result[variable.name] = template
        elif variable.is_secret:
            result[variable.name] = _LAB_SECRET
        elif variable.value:
            result[variable.name] = variable.value
        else:
            text = f"Which value should {variable.name} have? (the code names it without a default)"
            talk.questions.append(Question(key=f"env.{variable.name}", text=text))
    if variables.file:
        talk.found.append(f"{len(result)} environment variables from {variables.file}; secrets replaced by lab values")
    return result


_LOCATION = "{database.user}:{database.password}@{database.host}:{database.port}/{database.name}"
_DATABASE_PARTS = (
    ("host", re.compile(r"^(POSTGRES|PG|DB|DATABASE)_?(SERVER|HOST|HOSTNAME)$")),
    ("port", re.compile(r"^(POSTGRES|PG|DB|DATABASE)_?PORT$")),
    ("user", re.compile(r"^(POSTGRES|PG|DB|DATABASE)_?(USER|USERNAME)$")),
    ("password", re.compile(r"^(POSTGRES|PG|DB|DATABASE)_?(PASSWORD|PASS)$")),
    ("name", re.compile(r"^(POSTGRES|PG|DB|DATABASE)_?(DB|NAME|DATABASE)$")),
)


def _template(variable: Variable) -> str:
    """The placeholder for a variable that names a dependency, "" for any other."""
    name = variable.name.upper()
    scheme, separator, _ = variable.value.partition("://")
    if separator and scheme.lower() in _DATABASE_LIBRARIES:
        return "{database.url}" if scheme in ("postgresql", "postgres") else f"{scheme}://{_LOCATION}"
    if not variable.value and re.search(r"(DATABASE|POSTGRES|DB)_(URL|URI|DSN)$", name):
        return "{database.url}"
    if scheme.lower() in ("redis", "rediss") or re.search(r"REDIS_(URL|URI|DSN)$", name):
        return "{redis.url}"
    return next((f"{{database.{part}}}" for part, pattern in _DATABASE_PARTS if pattern.match(name)), "")


def _identities(
    contract: Contract | None, answers: Answers, talk: _Talk
) -> tuple[LoginSettings, LoginSettings, tuple[Identity, ...]]:
    register, login = LoginSettings(), LoginSettings()
    if contract is not None:
        register, login = login_requests.propose(contract)
    if login.path:
        talk.found.append(f"identities log in at {login.method} {login.path}")
    identities = answers.identities
    if not identities and register.path:
        talk.found.append(f"identities register at {register.method} {register.path}")
        identities = tuple(
            Identity(name=name, username=f"nines-{name}@example.com", password=LAB_PASSWORD)
            for name in ("owner", "peer")
        )
    if not identities:
        text = "Who can sign in? Two users are needed to try object authorization (--identity NAME=USERNAME:PASSWORD)"
        talk.questions.append(Question(key="identities", text=text))
    return register, login, identities
