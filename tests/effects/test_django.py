"""Django and Django REST framework: routes, guards, and what the object mapper does."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.model.effect import Effect, EffectKind, Known, Rows
from nines.model.origin import OriginKind
from nines.model.service import EndpointKind, GuardKind, Service
from tests.effects.reading import service, trace

MODELS = """
from django.conf import settings
from django.db import models

class Shelf(models.Model):
    code = models.CharField(max_length=9, unique=True)

class BookQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(owner=user)

class Stamped(models.Model):
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

class Book(Stamped):
    title = models.CharField(max_length=100)
    stock = models.IntegerField()
    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE, related_name="books")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="owned")
    tags = models.ManyToManyField("Tag", related_name="books")
    objects = BookQuerySet.as_manager()

    class Meta:
        unique_together = (("title", "shelf"),)
        constraints = [models.UniqueConstraint(fields=["stock"], condition=models.Q(stock=0), name="empty")]

class Tag(models.Model):
    word = models.CharField(max_length=9)

class Sheet(models.Model):
    book = models.OneToOneField(Book, on_delete=models.CASCADE)
"""


def read(folder: Path, views: str, urls: str, **more: str) -> Service:
    files = {"shop/models.py": MODELS, "shop/views.py": views, "shop/urls.py": urls}
    return service(folder, files | {name.replace("__", "/") + ".py": text for name, text in more.items()})


def one_view(folder: Path, body: str, head: str = "") -> list[Effect]:
    views = f"{head}\nfrom shop.models import *\ndef view(request, pk):\n"
    views += "".join(f"    {line}\n" for line in body.strip().splitlines())
    urls = "from django.urls import path\nfrom shop import views\nurlpatterns = [path('v/<int:pk>/', views.view)]\n"
    found = read(folder, views, urls)
    return list(trace(found, found.endpoints[0].id).effects)


def test_tables_keys_and_constraints(tmp_path: Path) -> None:
    found = read(tmp_path, "from shop.models import Book\n", "")
    book = found.table("shop_book")
    assert book is not None
    assert [c.name for c in book.columns if c.is_indexed] == ["shelf_id", "owner_id", "id"]
    assert book.column("made_at") is not None
    assert set(book.unique) == {("id",), ("title", "shelf_id")}
    assert book.column("owner_id").references == "auth_user.id"  # type: ignore[union-attr]
    assert found.table("shop_stamped") is None


def test_paths_are_put_together_through_includes_routers_and_lists(tmp_path: Path) -> None:
    views = """
from django.views import View
from django.http import HttpResponse
from rest_framework import viewsets
from rest_framework.decorators import action
from shop.models import Book
def plain(request, number): return HttpResponse("")
class Page(View):
    def get(self, request, slug): return HttpResponse("")
    def post(self, request, slug): return HttpResponse("")
class Books(viewsets.ReadOnlyModelViewSet):
    queryset = Book.objects.all()
    lookup_field = "title"
    @action(detail=True, methods=["post"], url_path="sell")
    def sell_one(self, request, title=None): return HttpResponse("")
"""
    urls = """
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path, re_path
from rest_framework.routers import DefaultRouter
from shop import views
def filled(router):
    router.register("books", views.Books)
    return router
router = filled(DefaultRouter())
inner = [path("page/<slug:slug>/", views.Page.as_view())]
inner += [re_path(r"^old/(?P<number>[0-9]+)/$", views.plain)]
urlpatterns = [path("admin/", admin.site.urls), path("api/", include((router.urls, "api"), namespace="v1"))]
urlpatterns += i18n_patterns(path("in/", include(inner)))
if router:
    urlpatterns.append(path("more/", include("more.urls")))
"""
    more = "from django.urls import path\nfrom shop.views import plain\nurlpatterns = [path('<int:number>', plain)]\n"
    found = read(tmp_path, views, urls, more__urls=more)
    assert {endpoint.id for endpoint in found.endpoints} == {
        "GET /api/books/",
        "GET /api/books/{title}/",
        "POST /api/books/{title}/sell/",
        "GET /in/page/{slug}/",
        "POST /in/page/{slug}/",
        "GET /in/old/{number}/",
        "GET /more/{number}",
    }


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("class V(LoginRequiredMixin, View):\n    def get(self, request): ...\nview = V.as_view()", {"authentication"}),
        ("@login_required\ndef view(request): ...", {"authentication"}),
        ("@permission_required('a.b')\ndef view(request): ...", {"authentication", "authorisation"}),
        ("class V(View):\n    def get(self, request): ...\nview = login_required(V.as_view())", {"authentication"}),
        ("@method_decorator(login_required, name='dispatch')\nclass V(View):\n    def get(self, request): ...\n"
         "view = V.as_view()", {"authentication"}),
        ("class V(APIView):\n    permission_classes = [IsAdminUser]\n    def get(self, request): ...\n"
         "view = V.as_view()", {"authentication", "authorisation"}),
        ("class V(APIView):\n    permission_classes = [AllowAny]\n    def get(self, request): ...\n"
         "view = V.as_view()", set()),
        ("class V(APIView):\n    def get(self, request): ...\nview = V.as_view()", {"authentication"}),
        ("@api_view(['GET'])\n@permission_classes([AllowAny])\ndef view(request): ...", set()),
        ("@api_view(['GET'])\ndef view(request): ...", {"authentication"}),
        ("def view(request):\n    if not request.user.is_authenticated:\n        return HttpResponse('', status=401)",
         {"authentication"}),
        ("def view(request): ...", set()),
    ],
)  # fmt: skip
def test_guards(tmp_path: Path, text: str, kinds: set[str]) -> None:
    head = """
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.views import APIView
"""
    urls = "from django.urls import path\nfrom shop import views\nurlpatterns = [path('v/', views.view)]\n"
    settings = "REST_FRAMEWORK = {'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.IsAuthenticated']}\n"
    settings += "ROOT_URLCONF = 'shop.urls'\nMIDDLEWARE = ['django.contrib.auth.middleware.AuthenticationMiddleware']\n"
    found = read(tmp_path, head + text, urls, shop__settings=settings)
    (endpoint,) = found.endpoints
    assert {guard.kind for guard in endpoint.guards} == {GuardKind(kind) for kind in kinds}
    assert endpoint.guards_known


@pytest.mark.parametrize(
    ("body", "kind", "action", "limit"),
    [
        ("Book.objects.filter(stock=1)", None, "", None),
        ("list(Book.objects.filter(stock=1))", "read", "SELECT", Known.MISSING),
        ("list(Book.objects.all()[:10])", "read", "SELECT", Known.SET),
        ("Book.objects.get(pk=pk)", "read", "SELECT", Known.SET),
        ("Book.objects.order_by('-id').first()", "read", "SELECT", Known.SET),
        ("Book.objects.exists()", "read", "SELECT", Known.SET),
        ("len(Book.objects.values_list('id'))", "read", "SELECT", Known.MISSING),
        ("Book.objects.create(title='a')", "write", "INSERT", Known.UNKNOWN),
        ("Book.objects.filter(pk=pk).update(stock=1)", "write", "UPDATE", Known.UNKNOWN),
        ("Book.objects.filter(pk=pk).delete()", "write", "DELETE", Known.UNKNOWN),
        ("Book(title='a').save()", "write", "INSERT", Known.UNKNOWN),
        ("request.user.owned.filter(stock=1)[0]", "read", "SELECT", Known.SET),
    ],
)
def test_statements(tmp_path: Path, body: str, kind: str | None, action: str, limit: Known | None) -> None:
    effects = one_view(tmp_path, body)
    if kind is None:
        assert effects == []
        return
    (effect,) = effects
    assert effect.kind is (EffectKind.DATABASE_READ if kind == "read" else EffectKind.DATABASE_WRITE)
    assert (effect.target, effect.action, effect.limit) == ("shop_book", action, limit)
    assert effect.library == "django"


def test_a_changed_row_is_written_back_where_it_was_read(tmp_path: Path) -> None:
    read_, write = one_view(tmp_path, "book = Book.objects.get(pk=pk)\nbook.stock -= 1\nbook.save()")
    assert write.row_origins == (0,)
    assert [a.column for a in write.assignments] == ["stock"]
    assert read_.predicates[0].origins[0].sanitised[:2] == ("sql", "int")


def test_the_database_computes_with_f(tmp_path: Path) -> None:
    body = "from django.db.models import F\nBook.objects.filter(pk=pk).update(stock=F('stock') - 1)"
    (write,) = one_view(tmp_path, body)
    assert write.assignments[0].is_atomic


def test_own_query_sets_and_related_managers_know_the_caller(tmp_path: Path) -> None:
    first, second = one_view(tmp_path, "list(Book.objects.visible_to(request.user))\nlist(request.user.owned.all())")
    for effect in (first, second):
        assert [p.column for p in effect.predicates] == ["owner_id"]
        assert effect.has_predicate_from(OriginKind.PRINCIPAL)


def test_relations_are_lazy_until_they_are_asked_for(tmp_path: Path) -> None:
    lazily = one_view(tmp_path / "a", "[book.shelf.code for book in Book.objects.all()[:5]]")
    assert [(e.target, e.is_lazy, bool(e.loops)) for e in lazily] == [
        ("shop_book", False, False),
        ("shop_shelf", True, True),
    ]
    assert lazily[1].loops[0].effect == 0
    joined = one_view(tmp_path / "b", "[book.shelf.code for book in Book.objects.select_related('shelf')[:5]]")
    assert [e.target for e in joined] == ["shop_book"]
    fetched = one_view(tmp_path / "c", "[list(s.books.all()) for s in Shelf.objects.prefetch_related('books')[:5]]")
    assert [e.target for e in fetched] == ["shop_shelf"]
    back = one_view(tmp_path / "d", "Book.objects.get(pk=pk).sheet")
    assert (back[1].target, back[1].predicates[0].column) == ("shop_sheet", "book_id")


def test_get_or_create_is_safe_only_under_a_unique_constraint(tmp_path: Path) -> None:
    safe = one_view(tmp_path / "a", "Shelf.objects.get_or_create(code='a')")
    assert [(e.action, e.handles_conflict) for e in safe] == [("SELECT", False), ("INSERT", True)]
    open_ = one_view(tmp_path / "b", "Tag.objects.get_or_create(word='a', defaults={})")
    assert [(e.action, e.handles_conflict) for e in open_] == [("SELECT", False), ("INSERT", False)]
    assert open_[1].conditions[0].wants == "absent"


def test_links_are_rows_of_the_table_between(tmp_path: Path) -> None:
    effects = one_view(tmp_path, "book = Book.objects.get(pk=pk)\nbook.tags.add(1)\nbook.tags.clear()")
    assert [(e.action, e.target) for e in effects[1:]] == [("INSERT", "shop_book_tags"), ("DELETE", "shop_book_tags")]


def test_transactions_and_what_waits_for_them(tmp_path: Path) -> None:
    body = """
with transaction.atomic():
    Book.objects.create(title='a')
    transaction.on_commit(lambda: Shelf.objects.create(code='b'))
"""
    effects = one_view(tmp_path, body, "from django.db import transaction")
    assert [(e.kind, e.transaction) for e in effects] == [
        (EffectKind.BEGIN, 0),
        (EffectKind.DATABASE_WRITE, 0),
        (EffectKind.COMMIT, 0),
        (EffectKind.DATABASE_WRITE, None),
    ]


def test_every_request_in_a_transaction(tmp_path: Path) -> None:
    urls = "from django.urls import path\nfrom shop import views\nurlpatterns = [path('v/', views.view)]\n"
    settings = "ROOT_URLCONF = 'shop.urls'\nDATABASES = {'default': {'ATOMIC_REQUESTS': True}}\n"
    views = "from shop.models import Tag\ndef view(request):\n    Tag.objects.count()\n"
    found = read(tmp_path, views, urls, shop__settings=settings)
    effects = trace(found, "GET /v/").effects
    assert [e.kind for e in effects] == [EffectKind.BEGIN, EffectKind.DATABASE_READ, EffectKind.COMMIT]


def test_the_method_of_the_request_decides(tmp_path: Path) -> None:
    body = """
if request.method == 'POST':
    Tag.objects.create(word=request.POST['word'])
else:
    Tag.objects.count()
"""
    views = "from shop.models import *\ndef view(request):\n" + "".join(f"    {x}\n" for x in body.strip().splitlines())
    urls = "from django.urls import path\nfrom shop import views\nurlpatterns = [path('v/', views.view)]\n"
    found = read(tmp_path, views, urls)
    assert [e.action for e in trace(found, "GET /v/").effects] == ["SELECT"]
    (write,) = trace(found, "POST /v/").effects
    origin = write.assignments[0].origins[0]
    assert (origin.kind, origin.name, origin.location) == (OriginKind.CALLER, "word", "form")


VIEWSET = """
from rest_framework import serializers, viewsets
from rest_framework.pagination import PageNumberPagination
from shop.models import Book, Shelf

class ShelfSerializer(serializers.ModelSerializer):
    class Meta:
        model = Shelf
        fields = ["id", "code"]

class BookSerializer(serializers.ModelSerializer):
    shelf = ShelfSerializer(read_only=True)
    twins = serializers.SerializerMethodField()

    class Meta:
        model = Book
        fields = ["id", "title", "stock", "shelf", "twins"]

    def get_twins(self, book):
        return Book.objects.filter(title=book.title).count()

class Pages(PageNumberPagination):
    page_size = 20

class Books(viewsets.ModelViewSet):
    serializer_class = BookSerializer
    pagination_class = Pages

    def get_queryset(self):
        return Book.objects.filter(owner=self.request.user)

    def perform_create(self, serializer):
        serializer.save(owner=self.request.user)
"""
ROUTED = """
from rest_framework.routers import DefaultRouter
from shop import views
router = DefaultRouter()
router.register("books", views.Books, basename="book")
urlpatterns = router.urls
"""


def test_a_view_set_does_what_its_mixins_and_hooks_say(tmp_path: Path) -> None:
    found = read(tmp_path, VIEWSET, ROUTED)
    listed = trace(found, "GET /books/").effects
    assert [(e.target, e.rows, bool(e.loops), e.is_lazy) for e in listed] == [
        ("shop_book", Rows.ONE, False, False),
        ("shop_book", Rows.MANY, False, False),
        ("shop_shelf", Rows.ONE, True, True),
        ("shop_book", Rows.ONE, True, False),
    ]
    assert listed[1].limit is Known.SET
    created = trace(found, "POST /books/").effects[0]
    assert created.action == "INSERT"
    assert {a.column: a.origins[0].kind for a in created.assignments} == {
        "owner_id": OriginKind.PRINCIPAL,
        "stock": OriginKind.CALLER,
        "title": OriginKind.CALLER,
    }
    changed = trace(found, "PUT /books/{pk}/").effects
    assert [e.action for e in changed[:2]] == ["SELECT", "UPDATE"]
    assert changed[1].row_origins == (0,)
    assert {p.column for p in changed[0].predicates} == {"id", "owner_id"}
    deleted = trace(found, "DELETE /books/{pk}/").effects
    assert [e.action for e in deleted] == ["SELECT", "DELETE"]
    for endpoint, each in found.judged():
        assert endpoint.place.file == "shop/views.py"
        assert all(e.place is not None and e.place.file.startswith("shop/") for e in each.effects)


def test_commands_and_asynchronous_views(tmp_path: Path) -> None:
    views = "from shop.models import Tag\nasync def view(request):\n"
    views += "    await Tag.objects.acount()\n    Tag.objects.count()\n"
    urls = "from django.urls import path\nfrom shop import views\nurlpatterns = [path('v/', views.view)]\n"
    command = "from django.core.management.base import BaseCommand\nfrom shop.models import Tag\n"
    command += (
        "class Command(BaseCommand):\n    def handle(self, *args, **options):\n        Tag.objects.all().delete()\n"
    )
    found = read(tmp_path, views, urls, shop__management__commands__wipe=command)
    first, second = trace(found, "GET /v/").effects
    assert (first.on_event_loop, first.blocks_thread) == (True, False)
    assert (second.on_event_loop, second.blocks_thread) == (True, True)
    endpoint = found.endpoint("command wipe")
    assert endpoint is not None
    assert endpoint.kind is EndpointKind.COMMAND
    assert [e.action for e in trace(found, "command wipe").effects] == ["DELETE"]


def test_text_in_raw_statements(tmp_path: Path) -> None:
    body = "list(Tag.objects.raw(f\"SELECT * FROM shop_tag WHERE word = '{request.GET['w']}'\"))\n"
    body += "list(Tag.objects.extra(where=[request.GET['w']]))"
    raw, extra = one_view(tmp_path, body)
    assert raw.text_origins[0].name == "w"
    assert extra.text_origins[0].name == "w"
