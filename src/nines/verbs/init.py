"""`nines init`: find out how a backend is started and used, and write that down; ask only what cannot be found."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
from nines.readers.environment import Environment
from nines.verbs.lab_environment import LAB_PASSWORD, LabEnvironment, administrator, lab_environment
from nines.verbs.preparing import preparation
from nines.verbs.project import Project
from nines.verbs.reading import Read, read
from nines.verbs.surroundings import Surroundings, look_around

_READY = re.compile(
    r"/(ready|readyz|readiness|health|healthz|health-check|healthcheck|ping|status|live|livez)/?$", re.IGNORECASE
)

_IDENTITIES_MIN = 2

BUDGETS = {
    "critical": BudgetSettings(),
    "standard": BudgetSettings(availability="99.5%", errors="0.5%", p95="300ms", recovery="10m"),
    "internal": BudgetSettings(availability="99%", errors="1%", p95="500ms", recovery="30m"),
}
"""What hangs on criticality."""


class Answers(Record):
    """What only the owner knows; None where nobody was asked."""

    rate_hz: float | None = None
    criticality: str = ""
    """One of BUDGETS."""
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
    variables = _variables(project, material)
    talk = _Talk()
    around = _surroundings(project, material, answers, talk)
    lab = lab_environment(variables, around.drivers)
    _tell_of_environment(variables, lab, answers, talk)
    service = _service(project, material, lab, answers, talk)
    needs_database = bool(material.service.tables) or any("{database." in v for v in service.env.values())
    register, login, identities = _identities(material.service.contract, answers, service.env, talk)
    if not answers.criticality:
        text = "How much does it matter? critical (99.9 %), standard (99.5 %), internal (99 %): sets the budgets"
        talk.questions.append(Question(key="criticality", text=text, default="critical"))
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
        budgets=BUDGETS[answers.criticality or "critical"],
        upstreams={**lab.upstreams, **project.settings.upstreams},
        load=LoadSettings(rate_hz=answers.rate_hz or LoadSettings().rate_hz),
        service=service,
        database=DatabaseSettings(url=answers.database_url, needed=needs_database or None),
        redis=RedisSettings(needed=any("{redis." in value for value in service.env.values()) or None),
        register=register,
        login=login,
        identities=identities,
    )
    if needs_database:
        talk.found.append("it needs PostgreSQL; nines starts its own, unless you name a server")
    return Proposal(settings=settings, found=tuple(talk.found), questions=tuple(talk.questions))


def _variables(project: Project, material: Read) -> Environment:
    """In a repository of several services the example beside the application speaks for it."""
    application = next(iter(material.applications), None)
    if application is not None and application.directory != ".":
        own = environment_reader.read(project.root / application.directory, material.program)
        if own.file:
            return own
    return environment_reader.read(project.root, material.program)


def _service(
    project: Project,
    material: Read,
    lab: LabEnvironment,
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
    found = preparation(project.root / directory, material.program, directory, application)
    setup = answers.setup or found.commands
    if not answers.setup:
        talk.found += found.notes
    if not setup and material.service.tables:
        text = "Which command prepares a fresh database? (such as: python -m app.migrate; empty: the service does it)"
        talk.questions.append(Question(key="setup", text=text))
    env = lab.values | dict(answers.env)
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


def _surroundings(project: Project, material: Read, answers: Answers, talk: _Talk) -> Surroundings:
    application = next(iter(material.applications), None)
    directory = project.root / application.directory if application else project.root
    around = look_around(project.root, directory, answers.python, application.framework if application else "")
    if not around.has_framework and not answers.python:
        reason = f"{application.framework if application else 'it'} is not in {around.interpreter}"
        text = f"Which Python has its dependencies? (such as .venv; {reason})"
        talk.questions.append(Question(key="python", text=text))
    if material.service.tables and not around.drivers:
        talk.found.append("no driver for PostgreSQL, installed or declared; nines can watch no other database")
    return around


def _tell_of_environment(variables: Environment, lab: LabEnvironment, answers: Answers, talk: _Talk) -> None:
    if variables.file:
        careful = "" if variables.is_example else " (a real one, it seems: no credential was copied)"
        talk.found.append(f"{len(lab.values)} environment variables from {variables.file} and the code{careful}")
    if any("{mail." in value for value in lab.values.values()):
        talk.found.append("it sends letters; the laboratory's own post takes them, and delivers none")
    if lab.debug:
        talk.found.append(f"off, as in production: {', '.join(lab.debug)}")
    for name, upstream in lab.upstreams.items():
        talk.found.append(f"a remote service {name} ({upstream.env}); nines answers in its place")
    for name in lab.open:
        if name not in answers.env:
            text = f"Which value should {name} have? (the code names it without a default)"
            talk.questions.append(Question(key=f"env.{name}", text=text))


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


def _identities(
    contract: Contract | None, answers: Answers, env: Mapping[str, str], talk: _Talk
) -> tuple[LoginSettings, LoginSettings, tuple[Identity, ...]]:
    register, login = LoginSettings(), LoginSettings()
    if contract is not None:
        register, login = login_requests.propose(contract)
    if login.path:
        talk.found.append(f"identities log in at {login.method} {login.path}")
    admin = administrator(env)
    identities = answers.identities or ((admin,) if admin else ())
    if admin and not answers.identities:
        talk.found.append(f"an administrator whom the service creates itself: {admin.username}")
    if not answers.identities and register.path:
        talk.found.append(f"identities register at {register.method} {register.path}")
        identities = (
            *(
                Identity(name=name, username=f"nines-{name}@example.com", password=LAB_PASSWORD)
                for name in ("owner", "peer")
            ),
            *identities,
        )
    if len(identities) < _IDENTITIES_MIN:
        text = (
            "Who can sign in? Two users are needed to try object authorization: owner=NAME:PASSWORD peer=NAME:PASSWORD"
            " (empty: nines registers them itself, where the running service lets it)"
        )
        talk.questions.append(Question(key="identities", text=text))
    return register, login, identities
