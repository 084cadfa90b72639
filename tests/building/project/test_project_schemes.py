"""A service for each way in which callers show who they are: well formed, and with what its scheme needs."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from nines import building, dossier
from nines.model.design import Design
from nines.planning import plan
from nines.readers import blueprint as blueprint_reader
from nines.verbs import placing

_HEAD = """\
nines: 1
service: {name: tickets, api: v1, owner: team-help}
load: {steady: 50/s, peak: 100/s}
"""
_TICKET = """\
  Ticket:
    id: {type: uuid7, prefix: tkt}
    fields: {title: {type: string, max: 120}, weight: {type: int64, default: 0}}
    access: {read: ACCESS, list: ACCESS, write: ACCESS}
    audit: all
    retention: 2y
"""
_OPERATIONS = """\
  createTicket: {on: Ticket, do: create, idempotency: required MORE}
  getTicket: {on: Ticket, do: read MORE}
  listTickets: {on: Ticket, do: list, order: "created_at desc" MORE}
"""
_PERSON = """\
  Person:
    kind: account
    id: {type: uuid7, prefix: per}
    fields: {email: {type: email, max: 254, pii: true}, password: {type: password, max: 128}}
    unique: [[email]]
    access: {read: owner, write: owner}
    retention: 2y
"""
_SIGNING = """\
  register: {on: Person, do: register, public: true}
  signIn: {on: Person, do: sign-in, public: true}
  signOut: {on: Person, do: sign-out}
  signOutEverywhere: {on: Person, do: sign-out-everywhere}
  listSessions: {on: Person, do: list-sessions}
  endSession: {on: Person, do: end-session}
  getPerson: {on: Person, do: read}
"""
_TAIL = """\
dependencies: {db: {type: postgres, replication: synchronous, pool: 10, connections: 200}}
limits: {default: 600/m per PER MORE_LIMITS}
"""


class Scheme(NamedTuple):
    auth: str
    roles: str = ""
    access: str = "owner"
    is_public: bool = False
    has_people: bool = False


SCHEMES = {
    "api-key": Scheme("{scheme: api-key}", "{agent: {}, clerk: {}}", "tenant"),
    "api-key-alone": Scheme("{scheme: api-key}"),
    "mtls": Scheme("{scheme: mtls}", "{agent: {}}"),
    "oidc": Scheme(
        '{scheme: oidc, issuer: "${ISSUER}", audience: tickets, algs: [RS256], token_types: [JWT, untyped], '
        "roles_claim: realm_access.roles}",
        "{agent: {}, support: {mfa: true}}",
    ),
    "oidc-alone": Scheme('{scheme: oidc, issuer: "https://issuer.example"}'),
    "oauth2-jwt": Scheme('{scheme: oauth2-jwt, issuer: "${ISSUER}", audience: tickets, token_types: [at+jwt, JWT]}'),
    "none": Scheme("{scheme: none}", access="public", is_public=True),
    "session": Scheme("{scheme: session}", "{support: {mfa: true}}", has_people=True),
    "session-alone": Scheme("{scheme: session}", has_people=True),
    "own-jwt": Scheme('{scheme: own-jwt, issuer: "${ISSUER}"}', "{support: {mfa: true}}", has_people=True),
}


def text(scheme: Scheme) -> str:
    limits = ", register: 10/h per address, signIn: 10/m per account" if scheme.has_people else ""
    ticket = _TICKET.replace("write: ACCESS", "write: authenticated" if scheme.is_public else "write: ACCESS")
    return "".join(
        (
            _HEAD,
            f"auth: {scheme.auth}\n",
            f"roles: {scheme.roles}\n" if scheme.roles else "",
            "tenancy: {key: team_id, isolation: row}\n" if scheme.access == "tenant" else "",
            "resources:\n",
            ticket.replace("ACCESS", scheme.access),
            _PERSON if scheme.has_people else "",
            "operations:\n",
            _OPERATIONS.replace(" MORE", ", public: true" if scheme.is_public else ""),
            _SIGNING if scheme.has_people else "",
            _TAIL.replace("PER", "address" if scheme.is_public else "subject").replace(" MORE_LIMITS", limits),
        )
    )


class Built(NamedTuple):
    name: str
    design: Design
    files: dict[str, str]
    documents: dict[str, str]


@pytest.fixture(scope="module", params=SCHEMES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    path = tmp_path_factory.mktemp("blueprint") / "tickets.yaml"
    path.write_text(text(SCHEMES[request.param]))
    design = plan(blueprint_reader.read(path))
    files = {file.path: file.text for file in building.write(design)}
    return Built(request.param, design, files, {each.path: each.text for each in placing.place(dossier.write(design))})


def test_what_is_written_is_clean_by_the_services_own_rules(built: Built, tmp_path: Path) -> None:
    for path, content in built.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
        if path.endswith(".py"):
            ast.parse(content)
    for words in (["format", "--check", "."], ["check", "--no-cache", "."]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_whoever_calls_can_be_told_apart_or_nobody_is(built: Built) -> None:
    application = built.files["src/tickets/_generated/application.py"]
    assert ("authenticator=" in application) is (built.name != "none")


def test_every_module_that_is_imported_is_there(built: Built) -> None:
    modules = {path.removeprefix("src/").removesuffix(".py").replace("/", ".") for path in built.files}
    for path, content in built.files.items():
        for node in ast.walk(ast.parse(content)) if path.endswith(".py") else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tickets."):
                module = str(node.module)
                names = {f"{module}.{each.name}" for each in node.names}
                assert module in modules or names <= modules, f"{path}: {module}"


def test_the_contract_and_the_laboratory_know_how_it_is_shown(built: Built) -> None:
    contract = yaml.safe_load(built.documents["openapi.yaml"])
    schemes = contract["components"].get("securitySchemes", {})
    told = tomllib.loads(built.documents["nines.toml"])
    login = told.get("login", {})
    kind = built.name.removesuffix("-alone")
    expected = {
        "api-key": ({"apiKey"}, "X-API-Key", "keys create"),
        "mtls": ({"clientCertificate"}, "Client-Cert", "tokens"),
        "oidc": ({"accessToken", "session"}, "", "tokens"),
        "oauth2-jwt": ({"accessToken"}, "", "tokens"),
        "none": (set(), "", ""),
        "session": ({"session"}, "Cookie", "people token"),
        "own-jwt": ({"accessToken"}, "", ""),
    }
    names, header, words = expected[kind]
    assert set(schemes) == names
    assert login.get("header", "") == header
    assert words in login.get("command", "")
    assert bool(told.get("identities")) is (kind != "none")


def test_a_console_of_the_scheme_is_the_owners(built: Built) -> None:
    kind = built.name.removesuffix("-alone")
    consoles = {"api-key": "keys", "mtls": "tokens", "oidc": "tokens", "oauth2-jwt": "tokens"}
    consoles |= {"session": "people", "own-jwt": "people"}
    there = {name for name in ("keys", "tokens", "people") if f"src/tickets/{name}.py" in built.files}
    assert there == ({consoles[kind]} if kind in consoles else set())


def test_what_the_issuer_calls_things_is_believed_as_the_blueprint_says(built: Built) -> None:
    content = built.files.get("src/tickets/_generated/authentication.py", "")
    expected = {
        "oidc": ['types=("jwt", ""),', 'roles_claim="realm_access.roles",'],
        "oauth2-jwt": ['types=("at+jwt", "jwt"),'],
    }
    for each in expected.get(built.name, ()):
        assert each in content
    if built.name == "oidc-alone":
        assert "types=" not in content
        assert "roles_claim=" not in content
