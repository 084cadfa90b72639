"""Containers that make services, interfaces with implementations, and dependencies made by helpers."""

from __future__ import annotations

from pathlib import Path

from nines.model.service import GuardKind
from tests.effects.reading import service, trace

CONTAINER = """
from abc import ABC, abstractmethod
from typing import Protocol
import psycopg
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Factory, Singleton

class Repository(ABC):
    @abstractmethod
    def one(self, id): ...

class InTables(Repository):
    def __init__(self):
        self.connection = psycopg.connect("x")

    def one(self, id):
        return self.connection.execute("SELECT a FROM orders WHERE id = %s", (id,)).fetchone()

class Clock(Protocol):
    def now(self): ...

class Orders:
    def __init__(self, repository: Repository):
        self.repository = repository

    def one(self, id):
        return self.repository.one(id)

class Container(DeclarativeContainer):
    repository = Singleton(InTables)
    orders = Factory(Orders, repository=repository)
"""
INJECTED = """
from dependency_injector.wiring import Provide, inject
from dishka import FromDishka
from fastapi import Depends, FastAPI
from container import Container, Orders, Repository

app = FastAPI()

@app.get("/provided/{id}")
@inject
def provided(id: int, orders: Orders = Depends(Provide[Container.orders])):
    return orders.one(id)

@app.get("/by-interface/{id}")
def by_interface(id: int, repository: FromDishka[Repository]):
    return repository.one(id)
"""


def test_services_from_containers_and_by_their_interface(tmp_path: Path) -> None:
    read = service(tmp_path, {"container.py": CONTAINER, "main.py": INJECTED})
    for path in ("/provided/{id}", "/by-interface/{id}"):
        assert [effect.target for _, effect in trace(read, f"GET {path}").reads()] == ["orders"]
    (endpoint,) = [each for each in read.endpoints if each.path.startswith("/by")]
    assert [parameter.name for parameter in endpoint.parameters] == ["id"]


USERS = """
import uuid
from typing import Annotated, Any
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import APIKeyHeader
from fastapi_users import FastAPIUsers
from elsewhere import somebody

class User:
    id: uuid.UUID

users = FastAPIUsers[User, uuid.UUID](manager, [backend])
current = users.current_user(active=True)
perhaps = users.current_user(optional=True)
key = APIKeyHeader(name="x-key", auto_error=False)

def allowed(*, by_key: bool) -> Any:
    if by_key:
        def with_key(user: Annotated[User | None, Depends(perhaps)], key: Annotated[str | None, Depends(key)]):
            if not user and not key:
                raise HTTPException(status_code=401)
            return user
    else:
        def with_key(user: Annotated[User | None, Depends(perhaps)]):
            if user is None:
                raise HTTPException(status_code=401)
            return user
    return Depends(with_key)

app = FastAPI()

@app.post("/current")
def one(user: Annotated[User, Depends(current)]): ...

@app.post("/perhaps")
def two(user: Annotated[User | None, Depends(perhaps)]): ...

@app.post("/helper")
def three(user: Annotated[User, allowed(by_key=unknown())]): ...

@app.post("/unknown")
def four(user: Annotated[User, Depends(somebody("x"))]): ...
"""


def test_dependencies_that_ask_who_is_signed_in(tmp_path: Path) -> None:
    read = service(tmp_path, {"main.py": USERS})
    guarded = {
        each.path: (GuardKind.AUTHENTICATION in {guard.kind for guard in each.guards}, each.guards_known)
        for each in read.endpoints
    }
    assert guarded == {
        "/current": (True, True),
        "/perhaps": (False, True),
        "/helper": (True, True),
        "/unknown": (False, False),
    }


LOOKALIKE = """
from fastapi import FastAPI
from fastapi_error_map import ErrorAwareRouter

router = ErrorAwareRouter(prefix="/users")

@router.get("/{id}", error_map={KeyError: 404})
def one(id: int):
    return id

app = FastAPI()
app.include_router(router)
"""


def test_a_router_that_extends_the_frameworks(tmp_path: Path) -> None:
    read = service(tmp_path, {"main.py": LOOKALIKE})
    assert [each.id for each in read.endpoints] == ["GET /users/{id}"]


SCOPED = {
    "shop/settings.py": 'ROOT_URLCONF = "shop.urls"\nINSTALLED_APPS = ["shop"]\n',
    "shop/urls.py": """
from django.urls import path
from shop import views
urlpatterns = [path("orders/<int:id>/", views.order)]
""",
    "shop/models.py": """
from django.db import models
from django_scopes import ScopedManager
class Order(models.Model):
    name = models.CharField(max_length=20)
    objects = ScopedManager(space="space")
""",
    "shop/views.py": """
from django.http import JsonResponse
from shop.models import Order
def order(request, id):
    return JsonResponse({"name": Order.objects.filter(id=id).first().name})
""",
}


def test_a_manager_of_another_library_is_a_manager(tmp_path: Path) -> None:
    read = service(tmp_path, SCOPED)
    (effect,) = [effect for _, effect in trace(read, "GET /orders/{id}/").reads()]
    assert effect.target == "shop_order"
    assert [predicate.column for predicate in effect.predicates] == ["id"]


TOLD = {
    "crud.py": """
from alchemical import Model
from fastapi import Depends, FastAPI
from fastcrud import FastCRUD
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column

class User(Model):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)

users = FastCRUD[User, dict, dict](User)
make = async_sessionmaker()

async def session():
    async with make() as session:
        yield session

app = FastAPI()

@app.post("/users")
async def add(email: str, db: AsyncSession = Depends(session)):
    if not await users.exists(db=db, email=email):
        await users.create(db=db, object=User(email=email))

@app.delete("/users/{id}")
async def remove(id: int, db: AsyncSession = Depends(session)):
    await db.execute(User.delete().where(User.id == id))
    await db.commit()
""",
}


def test_libraries_that_are_told_as_code(tmp_path: Path) -> None:
    read = service(tmp_path, TOLD)
    done = {
        each.id: [(e.action, e.target) for e in trace(read, each.id).effects if e.is_database]
        for each in read.endpoints
    }
    assert done == {
        "POST /users": [("SELECT", "users"), ("INSERT", "users")],
        "DELETE /users/{id}": [("DELETE", "users")],
    }
    assert [table.name for table in read.tables] == ["users"]
