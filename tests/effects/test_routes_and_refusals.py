"""Routes that a project's helper registers, and answers that turn callers away without an exception."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.model.service import GuardKind
from tests.effects.reading import service, trace

BY_HAND = """
import functools
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer

bearer = OAuth2PasswordBearer(tokenUrl="token")

def signed_in(token: str = Depends(bearer)):
    if not known(token):
        raise HTTPException(status_code=401)

router = APIRouter()

def scoped(function):
    if is_async(function):
        @functools.wraps(function)
        async def waits(*args, **kwargs):
            return await function(*args, **kwargs)
        return waits
    @functools.wraps(function)
    def runs(*args, **kwargs):
        return function(*args, **kwargs)
    return runs

def guarded(method, path, scopes=None, **kwargs):
    def decorator(function):
        asked = [Security(dependency=signed_in, scopes=scopes or [])]
        return method(path, dependencies=asked, **kwargs)(scoped(function))
    return decorator

@guarded(router.get, "/items/{id}", ["read"])
def one(id: int):
    return id

app = FastAPI()
app.include_router(router, prefix="/api")
"""


def test_a_helper_that_is_given_the_method_which_registers(tmp_path: Path) -> None:
    read = service(tmp_path, {"app/main.py": BY_HAND})
    (endpoint,) = read.endpoints
    assert endpoint.id == "GET /api/items/{id}"
    assert endpoint.function == "main.one"
    assert GuardKind.AUTHENTICATION in {guard.kind for guard in endpoint.guards}


ANSWERS = """
import functools
from flask import Flask, g, jsonify, redirect, request, url_for
from flask_login import current_user

app = Flask(__name__)

def asked():
    key = request.headers.get("Authorization")
    if not known(key):
        return jsonify(error="who are you"), 401
    return None

def with_key(function):
    @functools.wraps(function)
    def decorated(*args, **kwargs):
        no = asked()
        if no:
            return no
        return function(*args, **kwargs)
    return decorated

def signed_in(function):
    @functools.wraps(function)
    def decorated(*args, **kwargs):
        if not request.cookies.get("session"):
            return redirect(url_for("auth.login"))
        return function(*args, **kwargs)
    return decorated

def counted(function):
    @functools.wraps(function)
    def decorated(*args, **kwargs):
        if not request.headers.get("Authorization"):
            return jsonify(error="none"), 404
        return function(*args, **kwargs)
    return decorated

@app.get("/key")
@with_key
def key():
    return "1"

@app.get("/cookie")
@signed_in
def cookie():
    return "1"

@app.get("/counted")
@counted
def other():
    return "1"
"""


def test_an_answer_with_its_status_and_a_way_to_the_login_refuse(tmp_path: Path) -> None:
    read = service(tmp_path, {"app/main.py": ANSWERS})
    guarded = {each.path: each.is_authenticated for each in read.endpoints}
    assert guarded == {"/key": True, "/cookie": True, "/counted": False}


LATE = """
from flask import Flask
from store import Store

def create_app():
    app = Flask(__name__)

    @app.get("/rows")
    def rows():
        return checked("x")

    def checked(name):
        return store.named(name)

    store = Store()
    return app
"""
STORE = """
import psycopg

class Store:
    def __init__(self):
        self.connection = psycopg.connect("x")

    def named(self, name):
        return self.connection.execute("SELECT a FROM {table} WHERE name = %s", (name,)).fetchone()
"""


def test_services_beside_one_another_read_their_own_modules_and_names_that_a_factory_binds_late(tmp_path: Path) -> None:
    files: dict[str, str] = {}
    for name in ("orders", "users"):
        files[f"src/{name}/__init__.py"] = ""
        files[f"src/{name}/{name}.py"] = LATE.replace("/rows", f"/{name}")
        files[f"src/{name}/store.py"] = STORE.replace("{table}", name)
    read = service(tmp_path, files)
    tables = {name: [e.target for _, e in trace(read, f"GET /{name}").reads()] for name in ("orders", "users")}
    assert tables == {"orders": ["orders"], "users": ["users"]}


FORM = """
import requests
from flask import Flask
from flask_wtf import FlaskForm

app = Flask(__name__)

class Question(FlaskForm):
    pass

@app.route("/ask", methods=["OPTIONS", "GET", "POST"])
def ask():
    form = Question()
    if form.validate_on_submit():
        requests.post("https://tickets.example", json={})
    return "asked"
"""


def test_a_form_is_sent_with_a_post_and_the_request_that_does_the_work_comes_first(tmp_path: Path) -> None:
    read = service(tmp_path, {"main.py": FORM})
    calls = {each.method: len(list(trace(read, each.id).remote_calls())) for each in read.endpoints}
    assert calls == {"GET": 0, "POST": 1, "OPTIONS": 0}
    assert [each.method for each in read.endpoints][-1] == "OPTIONS"


TYPED = """
from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)

class Event(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(20))

def made(**given):
    event = Event(**given)
    db.session.add(event)
    db.session.flush()
    return event

@app.post("/events")
def add():
    event = made(**request.get_json())
    db.session.execute(f"NOTIFY events, '{event.id}'")
    return "told"

@app.post("/names")
def name():
    event = made(**request.get_json())
    db.session.execute(f"NOTIFY events, '{event.name}'")
    return "told"
"""


def test_a_number_of_a_row_is_no_text_of_the_caller(tmp_path: Path) -> None:
    read = service(tmp_path, {"main.py": TYPED})
    hostile = {
        path: any(
            not origin.sanitised for effect in trace(read, f"POST {path}").effects for origin in effect.text_origins
        )
        for path in ("/events", "/names")
    }
    assert hostile == {"/events": False, "/names": True}


HOOKS = """
from flask import Flask, abort, redirect, request, session, url_for
from flask_login import current_user

app = Flask(__name__)
strict = Flask(__name__)
signed = Flask(__name__)

@app.before_request
def tokens():
    token = request.headers.get("Authorization")
    if token:
        if token not in known():
            abort(401)

@strict.before_request
def always():
    if "user" not in session:
        return redirect(url_for("auth.login"))

@signed.before_request
def signed_in():
    if not current_user.is_authenticated:
        abort(401)

@app.get("/lenient")
def lenient():
    return "1"

@strict.get("/strict")
def asked():
    return "1"

@signed.get("/signed")
def only_signed():
    return "1"
"""


def test_a_hook_that_lets_strangers_pass_guards_nothing(tmp_path: Path) -> None:
    read = service(tmp_path, {"main.py": HOOKS})
    assert {each.path: each.is_guarded for each in read.endpoints} == {
        "/lenient": False,
        "/strict": True,
        "/signed": True,
    }


DJANGO = {
    "shop/settings.py": """
ROOT_URLCONF = "shop.urls"
MIDDLEWARE = ["shop.middleware.{name}"]
""",
    "shop/urls.py": """
from django.urls import re_path
from shop import views
urlpatterns = [re_path(r"^orders/(?P<id>\\d+)?$", views.orders), re_path(r"^deactivate/?$", views.orders)]
""",
    "shop/views.py": """
from django.http import HttpResponse
def orders(request, id=None):
    return HttpResponse("1")
""",
    "shop/middleware.py": """
from django.http import HttpResponseForbidden

class Blocked:
    def __init__(self, get_response):
        self.get_response = get_response
    def __call__(self, request):
        if request.user.is_authenticated and request.user.is_blocked:
            return HttpResponseForbidden("blocked")
        return self.get_response(request)

class SignedIn:
    def __init__(self, get_response):
        self.get_response = get_response
    def __call__(self, request):
        if not request.user.is_authenticated:
            return HttpResponseForbidden("sign in")
        return self.get_response(request)
""",
}


def test_middleware_that_lets_strangers_pass_guards_nothing(tmp_path: Path) -> None:
    for name, is_guarded in (("Blocked", False), ("SignedIn", True)):
        files = {path: text.replace("{name}", name) for path, text in DJANGO.items()}
        read = service(tmp_path / name, files)
        assert {each.path: each.is_guarded for each in read.endpoints} == {
            "/orders/{id}": is_guarded,
            "/deactivate/": is_guarded,
        }


NAMESPACES = {
    "own.py": """
from flask_restx import Api as LibraryApi, Namespace as LibraryNamespace

class Namespace(LibraryNamespace):
    def route(self, *args, **kwargs):
        base = super().route(*args, **kwargs)
        def wrapper(cls):
            cls.is_known = True
            return base(cls)
        return wrapper

class Api(LibraryApi):
    def add_namespace(self, namespace, path=None):
        super().add_namespace(namespace, path=path)
""",
    "main.py": """
from flask import Flask
from flask_restx import Resource
from own import Api, Namespace

teams = Namespace("teams")

@teams.route("/<int:id>")
class Team(Resource):
    def get(self, id):
        return id

app = Flask(__name__)
api = Api(app)
api.add_namespace(teams)
""",
}


def test_a_class_that_a_project_decorator_hands_on_to_the_route(tmp_path: Path) -> None:
    read = service(tmp_path, NAMESPACES)
    assert [each.id for each in read.endpoints] == ["GET /teams/{id}"]


MADE = """
from fastapi import APIRouter, FastAPI

def made(**kwargs):
    return APIRouter(**kwargs)

def users_router():
    router = made(prefix="/users")

    @router.get("/")
    def users():
        return 1

    return router

def orders_router():
    router = made(prefix="/orders")
    router.include_router(lines_router())

    @router.get("/")
    def orders():
        return 1

    return router

def lines_router():
    router = made()

    @router.get("/lines")
    def lines():
        return 1

    return router

app = FastAPI()
app.include_router(users_router())
app.include_router(orders_router())
"""


def test_routers_that_a_helper_makes_are_not_one(tmp_path: Path) -> None:
    read = service(tmp_path, {"main.py": MADE})
    assert {each.id: each.function.rpartition(".")[2] for each in read.endpoints} == {
        "GET /users/": "users",
        "GET /orders/": "orders",
        "GET /orders/lines": "lines",
    }


@pytest.mark.parametrize(
    "wrapping",
    [
        "from starlette.middleware.cors import CORSMiddleware\napp = CORSMiddleware(app, allow_origins=['*'])\n",
        "class Outer:\n    def __init__(self, app): self.app = app\napp = Outer(app=app)\n",
        "def outer(inner):\n    async def answer(scope, receive, send): ...\n    return answer\napp = outer(app)\n",
    ],
)
def test_an_application_that_is_wrapped_at_the_end_keeps_its_routes(wrapping: str, tmp_path: Path) -> None:
    text = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/x')\ndef f(): ...\n"
    assert [each.id for each in service(tmp_path, {"app.py": text + wrapping}).endpoints] == ["GET /x"]
