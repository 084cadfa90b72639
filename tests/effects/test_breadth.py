"""Frameworks and libraries as projects really use them: wrappers, lists of tasks, statements in files, late fields."""

from __future__ import annotations

from pathlib import Path

from nines.model.effect import EffectKind, Known
from nines.model.origin import OriginKind
from nines.model.service import EndpointKind
from tests.effects.reading import service, trace

FLASK = """
import functools
from flask import Blueprint, Flask, abort, request, session
from flask_restful import Api, Resource
from flask_restx import Api as ExtendedApi, Namespace, Resource as ExtendedResource
from flask_sqlalchemy import SQLAlchemy
from app import settings

db = SQLAlchemy()

class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    kind = db.Column(db.String(20))

def scoped(rule):
    if settings.MANY:
        return "/<org>{}".format(rule)
    return rule

class OwnApi(Api):
    def add_scoped(self, resource, *urls, **options):
        urls = [scoped(url) for url in urls]
        return self.add_resource(resource, *urls, **options)

api = OwnApi()

class Users(Resource):
    def get(self):
        return User.query.limit(5).all()

class One(Resource):
    def delete(self, id):
        db.session.delete(User.query.get(id))
        db.session.commit()

api.add_scoped(Users, "/api/users", "/api/people")
api.add_scoped(One, "/api/users/<int:id>")

names = Namespace("names")

@names.route("/<int:id>", "/by-id/<int:id>")
class Name(ExtendedResource):
    def get(self, id):
        return User.query.get(id)

blueprint = Blueprint("v1", __name__, url_prefix="/v1")
extended = ExtendedApi(blueprint)
extended.add_namespace(names, "/names")

def is_admin():
    if session.get("id"):
        return User.query.get(session["id"]).kind == "admin"
    return False

def admins_only(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        if is_admin():
            return function(*args, **kwargs)
        abort(403)
    return wrapper

app = Flask(__name__)
api.init_app(app)
app.register_blueprint(blueprint)

@app.route("/wipe", methods=["GET", "POST"])
@admins_only
def wipe():
    if request.method == "POST":
        User.query.delete()
    return ""
"""


def test_resources_behind_a_wrapper_namespaces_and_classes_with_routes(tmp_path: Path) -> None:
    found = service(tmp_path, {"app/__init__.py": "", "app/settings.py": "import os\nMANY = os.environ.get('MANY')\n",
                               "app/main.py": FLASK})  # fmt: skip
    assert {each.id for each in found.endpoints} == {
        "GET /api/users", "GET /api/people", "DELETE /api/users/{id}", "GET /v1/names/{id}", "GET /v1/names/by-id/{id}",
        "GET /wipe", "POST /wipe",
    }  # fmt: skip


def test_the_method_of_the_request_decides_and_a_constant_is_not_the_whole_answer(tmp_path: Path) -> None:
    found = service(tmp_path, {"app/__init__.py": "", "app/settings.py": "", "app/main.py": FLASK})
    assert not list(trace(found, "GET /wipe").writes())
    written = [effect for _, effect in trace(found, "POST /wipe").writes()]
    assert [(effect.action, effect.target) for effect in written] == [("DELETE", "user")]


ARQ = """
import httpx
from arq import cron, func

async def settle(ctx, invoice_id):
    async with httpx.AsyncClient() as client:
        await client.post("https://bank.example/transfers", json={"id": invoice_id})

async def sweep(ctx):
    pass

async def late(ctx):
    pass

class WorkerSettings:
    functions = [settle, func(late, name="late")]
    cron_jobs = [cron(sweep, hour=3)]
"""


def test_tasks_that_a_class_lists(tmp_path: Path) -> None:
    found = service(tmp_path, {"worker.py": ARQ})
    kinds = {each.function: each.kind for each in found.endpoints}
    assert kinds == {
        "worker.settle": EndpointKind.TASK, "worker.late": EndpointKind.TASK, "worker.sweep": EndpointKind.SCHEDULE,
    }  # fmt: skip
    assert [e.target for _, e in trace(found, "task worker.settle").remote_calls()]


DRAMATIQ = """
import functools
import dramatiq

def actor(name):
    def decorator(function):
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            return function(*args, **kwargs)
        dramatiq.actor(wrapped, actor_name=name)
        return wrapped
    return decorator

@actor("invoice.settle")
def settle(invoice_id):
    dramatiq.get_broker()
"""


def test_a_task_that_a_project_decorator_registers_by_hand(tmp_path: Path) -> None:
    (endpoint,) = service(tmp_path, {"tasks.py": DRAMATIQ}).endpoints
    assert (endpoint.id, endpoint.function) == ("task invoice.settle", "tasks.settle")


STORE = """
import aiosql
import asyncpg
from fastapi import FastAPI

queries = aiosql.from_path("sql", "asyncpg")
app = FastAPI()

class Store:
    def __init__(self) -> None:
        self._pool = None

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool("postgresql://localhost/x")

    async def user(self, email):
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                return await queries.user_by_email(connection, email=email)

    async def every(self):
        async with self._pool.acquire() as connection:
            await queries.nowhere(connection)
            return await queries.all_users(connection)

store = Store()

@app.get("/users/{email}")
async def user(email: str):
    return await store.user(email)

@app.get("/users")
async def users():
    return await store.every()
"""
SQL = """-- name: user-by-email^
SELECT id, name FROM users WHERE email = :email LIMIT 1;

-- name: all-users
-- Everybody.
SELECT id, name FROM users;
"""


def test_statements_from_files_on_a_pool_that_is_opened_later(tmp_path: Path) -> None:
    found = service(tmp_path, {"app.py": STORE, "sql/users.sql": SQL})
    one = trace(found, "GET /users/{email}")
    ((_, read),) = one.reads()
    assert (read.target, read.limit) == ("users", Known.SET)
    assert one.transaction_of(read) is not None
    (predicate,) = read.predicates
    assert (predicate.column, predicate.origins[0].kind) == ("email", OriginKind.CALLER)
    every = trace(found, "GET /users")
    ((_, rows),) = every.reads()
    assert rows.limit is Known.MISSING
    assert [(blind.reason, blind.text) for blind in every.blind] == [
        ("a statement that was found in no file", "nowhere")
    ]


CLIENT = """
import httpx
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request

class Bank(httpx.AsyncClient):
    def __init__(self, url: str) -> None:
        super().__init__(base_url=url, timeout=2.0)

def signed_in(request: Request):
    if request.headers.get("authorization") is None:
        raise HTTPException(401)

class Guarded(APIRouter):
    def __init__(self, prefix: str = "", **options) -> None:
        super().__init__(prefix=prefix, dependencies=[Depends(signed_in)], **options)

router = Guarded(prefix="/transfers")
bank = Bank("https://bank.example")

@router.post("")
async def transfer(amount: int):
    await bank.post("/transfers", json={"amount": amount})

app = FastAPI()
app.include_router(router)
"""


def test_subclasses_keep_what_they_hand_to_the_constructor_of_the_library(tmp_path: Path) -> None:
    found = service(tmp_path, {"app.py": CLIENT})
    (endpoint,) = found.endpoints
    assert endpoint.id == "POST /transfers"
    assert endpoint.guards
    ((_, call),) = trace(found, "POST /transfers").remote_calls()
    assert call.deadline.duration_s == 2.0


KEYS = """
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine, text

engine = create_engine("postgresql://localhost/x")
app = FastAPI()

class Wallet(BaseModel):
    name: str
    owner: str

def insert(table, model):
    kept = {}
    for key, value in model.dict().items():
        kept[key] = value.strip()
    names = ", ".join([f'"{key}"' for key in kept.keys()])
    return f"INSERT INTO {table} ({names}) VALUES (1)"

@app.post("/wallets")
def create(wallet: Wallet):
    with engine.begin() as connection:
        connection.execute(text(insert("wallets", wallet)))

@app.post("/raw")
def raw(body: dict):
    with engine.begin() as connection:
        names = ", ".join([key for key in body])
        connection.execute(text(f"INSERT INTO wallets ({names}) VALUES (1)"))
"""


def test_keys_of_a_declared_record_are_not_the_callers(tmp_path: Path) -> None:
    found = service(tmp_path, {"app.py": KEYS})
    texts = {
        name: {
            o.kind for e in trace(found, name).effects if e.kind is EffectKind.DATABASE_WRITE for o in e.text_origins
        }
        for name in ("POST /wallets", "POST /raw")
    }
    assert OriginKind.CALLER not in texts["POST /wallets"]
    assert OriginKind.CALLER in texts["POST /raw"]


ROWS = """
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, create_engine

engine = create_engine("postgresql://localhost/x")
app = FastAPI()

class Change(SQLModel):
    title: str
    text: str

class Note(SQLModel, table=True):
    id: int = Field(primary_key=True)
    title: str
    text: str
    state: str

def session():
    with Session(engine) as made:
        yield made

def publish(note):
    note.state = "published"

@app.put("/notes/{id}")
def change(id: int, change: Change, db: Session = Depends(session)):
    note = db.get(Note, id)
    note.sqlmodel_update(change.model_dump())
    db.add(note)
    db.commit()

@app.post("/notes/{id}/touch")
def touch(id: int, db: Session = Depends(session)):
    note = db.get(Note, id)
    db.add(note)
    db.commit()

@app.post("/notes")
def create(change: Change, db: Session = Depends(session)):
    note = Note(title=change.title, text=change.text, state="new")
    db.add(note)
    db.flush()
    publish(note)
    db.commit()
"""


def test_what_a_session_writes_of_rows_that_it_knows(tmp_path: Path) -> None:
    found = service(tmp_path, {"app.py": ROWS})

    def told(endpoint: str) -> list[tuple[str, set[str]]]:
        return [(e.action, {a.column for a in e.assignments}) for _, e in trace(found, endpoint).writes()]

    assert told("PUT /notes/{id}") == [("UPDATE", {"title", "text"})]
    assert told("POST /notes/{id}/touch") == []
    assert told("POST /notes") == [("INSERT", {"title", "text", "state"}), ("UPDATE", {"state"})]
