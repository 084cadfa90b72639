"""What reading cannot be sure of is not taken for certain: unread bases, denials, joins, waits, values of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.model.effect import Effect, EffectKind, Known
from nines.model.service import GuardKind
from nines.model.trace import UNREAD_BASE
from tests.effects.reading import service, trace

FASTAPI = """
import aiohttp, httpx
from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
import unread

app = FastAPI()

class Base(DeclarativeBase):
    pass

class Attempt(Base):
    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]

"""


def effects_of(folder: Path, body: str, id: str = "GET /x") -> tuple[Effect, ...]:
    return trace(service(folder, {"main.py": FASTAPI + body}), id).effects


@pytest.mark.parametrize(
    ("denial", "is_known"),
    [
        ("raise HTTPException(status_code=403)", False),
        ("raise Forbidden('no')", False),
        ("raise unread.NotAuthorized", False),
        ("raise HTTPException(status_code=404)", True),
        ("raise ValueError('no')", True),
    ],
)
def test_a_denial_that_was_not_understood(denial: str, is_known: bool, tmp_path: Path) -> None:
    text = "class Forbidden(Exception): ...\ndef require(*asked):\n    for each in asked:\n"
    text += f"        if not each:\n            {denial}\n"
    text += "@app.post('/x')\ndef f():\n    require(unread.somebody())\n"
    (endpoint,) = service(tmp_path, {"main.py": FASTAPI + text}).endpoints
    assert endpoint.guards_known is is_known


def test_what_another_query_lets_through_narrows(tmp_path: Path) -> None:
    latest = "latest = select(func.max(Attempt.id).label('last')).group_by(Attempt.kind).subquery()\n"
    for joined, known in (("latest, Attempt.id == latest.c.last", False), ("Attempt, Attempt.id == Attempt.id", True)):
        text = f"@app.get('/x')\ndef f(session: Session):\n    {latest}"
        text += f"    return session.scalars(select(Attempt).join({joined})).all()\n"
        (read,) = [e for e in effects_of(tmp_path, text) if e.kind is EffectKind.DATABASE_READ]
        assert read.predicates_known is known, joined


@pytest.mark.parametrize(
    ("given", "known"),
    [("total=None, sock_read=60", Known.SET), ("total=None", Known.MISSING), ("total=5", Known.SET)],
)
def test_each_read_may_be_bounded_without_the_whole(given: str, known: Known, tmp_path: Path) -> None:
    text = f"session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout({given}))\n"
    text += "@app.get('/x')\nasync def f():\n    async with session.get('https://x.example/') as r:\n        return 1\n"
    (call,) = [e for e in effects_of(tmp_path, text) if e.kind is EffectKind.REMOTE_CALL]
    assert call.deadline.known is known


def test_a_value_that_is_one_of_the_settings_or_went_through_unread_code(tmp_path: Path) -> None:
    head = "@app.get('/x')\ndef f(session: Session, sort: str | None = None, name: str = ''):\n"
    checked = (
        head
        + "    import os\n    if sort is not None:\n        if sort not in os.environ['SORTS']:\n"
        + "            raise KeyError\n"
    )
    run = "    session.execute(text(f'SELECT {sort} FROM attempts'))\n"
    (chosen,) = [e for e in effects_of(tmp_path, checked + run) if e.kind is EffectKind.DATABASE_READ]
    assert all("choice" in origin.sanitised for origin in chosen.text_origins if origin.name == "sort")
    through = head + "    ids = unread.visible(name)\n    session.execute(text(f'SELECT 1 FROM t WHERE id IN {ids}'))\n"
    (passed,) = [e for e in effects_of(tmp_path, through) if e.kind is EffectKind.DATABASE_READ]
    assert [origin.sanitised for origin in passed.text_origins if origin.name == "name"] == [("unclear",)]


DJANGO = {
    "shop/settings.py": "ROOT_URLCONF = 'shop.urls'\nINSTALLED_APPS = ['shop']\n",
    "shop/urls.py": "from django.urls import path\nfrom shop import views\n"
    "urlpatterns = [path('x/', views.Items.as_view()), path('y/', views.block)]\n",
    "shop/models.py": "from django.db import models\nclass Item(models.Model):\n"
    "    name = models.CharField(max_length=9)\n",
}


def django(views: str) -> dict[str, str]:
    head = "from django.views.generic import ListView\nfrom django.contrib.messages.views import SuccessMessageMixin\n"
    head += "from django.core.exceptions import PermissionDenied\nfrom asgiref.sync import sync_to_async\n"
    head += "from unread.views import TableMixin\nfrom shop.models import Item\n"
    return {**DJANGO, "shop/views.py": head + views}


@pytest.mark.parametrize(("base", "is_known"), [("TableMixin", False), ("SuccessMessageMixin", True)])
def test_a_view_with_a_base_that_was_not_read(base: str, is_known: bool, tmp_path: Path) -> None:
    text = f"class Items({base}, ListView):\n    model = Item\ndef block(request): ...\n"
    read = service(tmp_path, django(text))
    assert read.endpoint("GET /x/").guards_known is is_known  # type: ignore[union-attr]
    assert any(blind.reason == UNREAD_BASE for blind in trace(read, "GET /x/").blind) is not is_known


def test_what_runs_elsewhere_still_decides(tmp_path: Path) -> None:
    text = "class Items(ListView):\n    model = Item\nasync def block(request):\n"
    text += "    if not await sync_to_async(may)('change'):\n        raise PermissionDenied\n"
    text += "    await Item.objects.acreate(name='x')\n"
    read = service(tmp_path, django(text))
    (endpoint,) = [each for each in read.endpoints if each.path == "/y/"]
    assert not endpoint.guards_known


def test_an_empty_query_and_a_computed_column(tmp_path: Path) -> None:
    text = "class Items(ListView):\n    def get_queryset(self):\n"
    text += "        return Item.objects.annotate(n=Length('name')).exclude(n=None)\ndef block(request):\n"
    text += "    return Item.objects.none().get(pk=request.GET['id'])\n"
    read = service(tmp_path, django(text))
    for id in ("GET /x/", "GET /y/"):
        reads = [e for e in trace(read, id).effects if e.kind is EffectKind.DATABASE_READ]
        assert reads, id
        assert not any(e.predicates_known for e in reads), id


def test_a_signature_is_no_sign_in(tmp_path: Path) -> None:
    text = "import stripe\nfrom fastapi import Request\n@app.post('/x')\nasync def f(request: Request):\n"
    text += "    sent = request.headers['stripe-signature']\n    try:\n"
    text += "        event = stripe.Webhook.construct_event(await request.body(), sent, 'k')\n"
    text += "    except ValueError:\n        raise HTTPException(status_code=400)\n    return event['id']\n"
    (endpoint,) = service(tmp_path, {"main.py": FASTAPI + text}).endpoints
    assert {guard.kind for guard in endpoint.guards} == {GuardKind.SIGNATURE}


@pytest.mark.parametrize(("paged", "limit"), [("PageNumberPagination", Known.SET), ("", Known.MISSING)])
def test_settings_that_stand_in_a_class(paged: str, limit: Known, tmp_path: Path) -> None:
    held = f"'DEFAULT_PAGINATION_CLASS': 'rest_framework.pagination.{paged}', 'PAGE_SIZE': 9" if paged else ""
    files = django(
        "from rest_framework import serializers, viewsets\nclass Shown(serializers.ModelSerializer):\n"
        "    class Meta:\n        model = Item\n        fields = ['name']\n"
        "class Items(viewsets.ReadOnlyModelViewSet):\n    queryset = Item.objects.all()\n"
        "    serializer_class = Shown\n"
    )
    files["shop/urls.py"] = (
        "from django.urls import include, path\nfrom rest_framework import routers\nfrom shop import views\n"
        "router = routers.DefaultRouter()\nrouter.register('items', views.Items)\n"
        "urlpatterns = [path('', include(router.urls))]\n"
    )
    files["shop/settings.py"] += f"class Core(Configuration):\n    REST_FRAMEWORK = {{{held}}}\n"
    read = service(tmp_path, files)
    listed = [
        e for e in trace(read, "GET /items/").effects if e.kind is EffectKind.DATABASE_READ and e.reaches_response
    ]
    assert {each.limit for each in listed} == {limit}
