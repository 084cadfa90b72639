"""What was once mistaken for something else: a mixin's columns, a session's settings, a library's own methods."""

from __future__ import annotations

from pathlib import Path

from nines.model.effect import EffectKind, Known
from tests.effects.reading import service, trace

MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, String, UniqueConstraint, create_engine
from sqlalchemy.orm import DeclarativeBase, declared_attr, relationship, sessionmaker

class Base(DeclarativeBase):
    pass

class InProject:
    @declared_attr
    def project_id(cls):
        return Column(Integer, ForeignKey("projects.id"))

    @declared_attr
    def project(cls):
        return relationship("Project")

    @declared_attr.directive
    def __table_args__(cls):
        return (UniqueConstraint("name", "project_id"),)

class Chosen:
    @declared_attr
    def choice(cls):
        return choose(cls.__name__)

class Project(Base):
    __tablename__ = "projects"
    id = Column(Integer, primary_key=True)
    state = Column(String)

class Term(InProject, Base):
    __tablename__ = "terms"
    id = Column(Integer, primary_key=True)
    name = Column(String)

class Member(Base):
    __tablename__ = "members"
    id = Column(Integer, primary_key=True)
    project_id = Column(Integer, ForeignKey("projects.id"))
    user_id = Column(
        Integer, ForeignKey("users.id"),
    )
    __table_args__ = (UniqueConstraint(project_id, user_id),)

class Odd(Chosen, Base):
    __tablename__ = "odds"
    id = Column(Integer, primary_key=True)

engine = create_engine("postgresql://localhost/x")
Session = sessionmaker(engine)
"""


def test_columns_that_a_function_of_a_mixin_declares(tmp_path: Path) -> None:
    tables = {table.name: table for table in service(tmp_path, {"app/models.py": MODELS}).tables}
    column = tables["terms"].column("project_id")
    assert column is not None
    assert column.references == "projects.id"
    assert [r.target for r in tables["terms"].relationships if r.name == "project"] == ["projects"]
    assert ("name", "project_id") in tables["terms"].unique
    assert tables["terms"].is_complete


def test_a_constraint_that_names_columns_as_objects(tmp_path: Path) -> None:
    tables = {table.name: table for table in service(tmp_path, {"app/models.py": MODELS}).tables}
    assert ("project_id", "user_id") in tables["members"].unique


def test_a_function_that_is_not_understood_leaves_the_table_open(tmp_path: Path) -> None:
    tables = {table.name: table for table in service(tmp_path, {"app/models.py": MODELS}).tables}
    assert not tables["odds"].is_complete


API = """
import requests, sqlalchemy
from fastapi import FastAPI
from sqlalchemy import func, select, text
from app.models import Project, Session, Term, engine

app = FastAPI()

class Remote:
    def get_table_names(self):
        return requests.get("http://tables.example/").json()

@app.get("/tables")
def tables():
    inspector = sqlalchemy.inspect(engine)
    return inspector.get_table_names()

@app.get("/wait")
def wait():
    with Session() as session:
        session.execute(text("SET LOCAL lock_timeout = '5s'"))
        return session.scalars(select(Project.state).distinct()).all()

@app.get("/totals")
def totals():
    with Session() as session:
        by_state = session.execute(select(Project.state, func.count()).group_by(Project.state)).all()
        by_project = session.execute(select(Term.project_id, func.count()).group_by(Term.project_id)).all()
        return [by_state, by_project]
"""


PAGES = """
from fastapi import FastAPI
from sqlalchemy import select
from app.models import Project, Session

app = FastAPI()

def page(query, options):
    count = options.pop("count")
    with Session() as session:
        return session.scalars(query.limit(count)).all()

@app.get("/projects")
def projects():
    return page(select(Project), {"filter": ""})
"""


def test_what_is_taken_out_of_a_mapping_is_there(tmp_path: Path) -> None:
    found = trace(service(tmp_path, {"app/models.py": MODELS, "app/main.py": PAGES}), "GET /projects")
    assert [e.limit for _, e in found.reads()] == [Known.SET]


def test_a_librarys_object_keeps_its_own_methods(tmp_path: Path) -> None:
    read = service(tmp_path, {"app/models.py": MODELS, "app/main.py": API})
    assert not list(trace(read, "GET /tables").remote_calls())


def test_a_setting_of_the_session_writes_nothing(tmp_path: Path) -> None:
    found = trace(service(tmp_path, {"app/models.py": MODELS, "app/main.py": API}), "GET /wait")
    assert [e.action for _, e in found.of(EffectKind.DATABASE_READ)] == ["SET", "SELECT"]
    assert not list(found.writes())


def test_how_many_values_differ_is_not_known(tmp_path: Path) -> None:
    read = service(tmp_path, {"app/models.py": MODELS, "app/main.py": API})
    assert [e.limit for _, e in trace(read, "GET /wait").reads()][-1] is Known.UNKNOWN
    limits = {e.target: e.limit for _, e in trace(read, "GET /totals").reads()}
    assert limits == {"projects": Known.UNKNOWN, "terms": Known.MISSING}


GUARDED = """
from flask import Blueprint, Flask, g, redirect, session
from werkzeug.exceptions import Forbidden

main = Blueprint("main", __name__)

@main.url_value_preprocessor
def pull_project(endpoint, values):
    if not values:
        values = {}
    name = values.pop("project", None)
    if name:
        if session.get(name):
            g.project = name
        else:
            raise Forbidden()

@main.route("/<project>/members", methods=["POST"])
def add():
    return "added"

app = Flask(__name__)
app.register_blueprint(main)
"""


def test_what_prepares_the_paths_values_may_turn_strangers_away(tmp_path: Path) -> None:
    (endpoint,) = (e for e in service(tmp_path, {"web.py": GUARDED}).endpoints if e.method == "POST")
    assert endpoint.is_authenticated


BOUGHT = """
from fastapi import Depends, FastAPI
from bought_login import init

login = init("https://login.example")
app = FastAPI()

@app.delete("/members/{id}")
def remove(id: int, user=Depends(login.require_user)):
    return id
"""


def test_a_librarys_dependency_may_guard(tmp_path: Path) -> None:
    (endpoint,) = (e for e in service(tmp_path, {"web.py": BOUGHT}).endpoints if e.method == "DELETE")
    assert not endpoint.guards_known


SUPERUSERS = """
from django.contrib.auth.decorators import user_passes_test
from django.http import HttpResponse
from django.urls import path

@user_passes_test(lambda user: user.is_superuser)
def log(request, name):
    return HttpResponse(name)

urlpatterns = [path("log/<name>/", log)]
"""


def test_a_guard_that_is_given_a_test_is_a_guard(tmp_path: Path) -> None:
    files = {"shop/urls.py": SUPERUSERS, "config/settings.py": "ROOT_URLCONF = 'shop.urls'\n"}
    (endpoint,) = (e for e in service(tmp_path, files).endpoints if e.method == "GET")
    assert endpoint.is_authenticated


KEYS = """
from fastapi import FastAPI
from sqlalchemy import select
from app.models import Project, Session, Term

app = FastAPI()

def terms(session, project_id=None):
    if not project_id:
        return session.scalars(select(Term)).all()
    return [session.get(Term, project_id)]

@app.get("/projects")
def projects():
    with Session() as session:
        found = session.scalars(select(Project).limit(10)).all()
        return [terms(session, project.id) for project in found]
"""


def test_a_row_that_was_fetched_has_its_key(tmp_path: Path) -> None:
    found = trace(service(tmp_path, {"app/models.py": MODELS, "app/main.py": KEYS}), "GET /projects")
    assert [(e.target, e.limit) for _, e in found.reads()] == [("projects", Known.SET), ("terms", Known.SET)]


COLLECTED = """
from fastapi import FastAPI
from sqlalchemy import and_, select
from app.models import Project, Session
from elsewhere import pairs

app = FastAPI()

def asked(state):
    conditions = []
    for name, value in pairs(state).items():
        conditions.append(getattr(Project, name).in_(value))
    return conditions

@app.get("/joined")
def joined(state: str):
    with Session() as session:
        return session.query(Project).filter(and_(*asked(state))).all()

@app.get("/listed")
def listed(state: str):
    with Session() as session:
        return session.query(Project).filter(*asked(state)).all()
"""


def test_conditions_that_a_loop_collects_are_not_all_known(tmp_path: Path) -> None:
    read = service(tmp_path, {"app/models.py": MODELS, "app/main.py": COLLECTED})
    for path in ("GET /joined", "GET /listed"):
        assert [e.predicates_known for _, e in trace(read, path).reads()] == [False]
