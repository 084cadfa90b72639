"""Files get the names under which the project imports them."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from nines.readers.python.names import name_all


def _names(files: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {file: named.name for file, named in name_all(files).items()}


def test_packages_are_named_from_the_first_folder_that_is_none() -> None:
    files = dict.fromkeys(
        ("src/shop/__init__.py", "src/shop/api/__init__.py", "src/shop/api/carts.py", "manage.py"), ()
    )
    assert _names(files) == {
        "src/shop/__init__.py": "shop",
        "src/shop/api/__init__.py": "shop.api",
        "src/shop/api/carts.py": "shop.api.carts",
        "manage.py": "manage",
    }


def test_folders_without_init_are_packages_when_the_project_imports_them_so() -> None:
    files = {
        "backend/app/main.py": ("app.api.items", "fastapi.FastAPI"),
        "backend/app/api/items.py": ("app.db.session",),
        "backend/app/db.py": (),
    }
    assert _names(files) == {
        "backend/app/main.py": "app.main",
        "backend/app/api/items.py": "app.api.items",
        "backend/app/db.py": "app.db",
    }


def test_src_itself_can_be_the_package() -> None:
    assert _names({"src/api.py": (), "src/main.py": ("src.api.router",)}) == {
        "src/api.py": "src.api",
        "src/main.py": "src.main",
    }


def test_relative_imports_make_packages() -> None:
    assert _names({"shop/main.py": (".",), "shop/models.py": ()}) == {
        "shop/main.py": "shop.main",
        "shop/models.py": "shop.models",
    }


def test_an_installed_library_of_the_same_name_moves_nothing() -> None:
    files = {
        "app/__init__.py": (),
        "app/graphql/__init__.py": ("graphql.GraphQLError",),
        "app/graphql/error.py": ("graphql.error.GraphQLError", "graphql.language.ast.Node", "graphql.execution.run"),
        "app/celery.py": ("celery.Celery",),
        "app/tasks.py": ("celery.shared_task", "app.celery.app"),
        "app/logging.py": ("logging.getLogger",),
    }
    names = _names(files)
    assert names["app/celery.py"] == "app.celery"
    assert names["app/graphql/error.py"] == "app.graphql.error"
    assert names["app/logging.py"] == "app.logging"


def test_a_root_that_is_a_package_itself_follows_its_imports() -> None:
    files = {
        "backend/__init__.py": (),
        "backend/app/__init__.py": (),
        "backend/app/main.py": ("app.db.session", "app.models.User"),
        "backend/app/db.py": ("app.settings.url",),
        "backend/app/models.py": (),
        "backend/app/settings.py": (),
    }
    assert _names(files)["backend/app/main.py"] == "app.main"


def test_two_services_with_the_same_names_stay_apart() -> None:
    files = {
        "services/a/app/__init__.py": (),
        "services/a/app/main.py": ("app.db.x",),
        "services/a/app/db.py": (),
        "services/b/app/__init__.py": (),
        "services/b/app/main.py": (),
    }
    named = name_all(files)
    assert named["services/a/app/main.py"].name == "app.main"
    assert named["services/a/app/main.py"].prefix == ""
    assert named["services/b/app/main.py"].name == "services.b.app.main"
    assert named["services/b/app/main.py"].prefix == "services.b."


def test_services_whose_files_import_their_neighbours_are_started_where_they_are() -> None:
    files = {
        "src/contacts/__init__.py": (),
        "src/contacts/contacts.py": ("db.Contacts", "flask.Flask"),
        "src/contacts/db.py": (),
        "src/users/__init__.py": (),
        "src/users/users.py": ("db.Users",),
        "src/users/db.py": (),
        "src/users/keys.py": (),
        "shared/__init__.py": (),
        "shared/redis.py": (),
        "shared/cache.py": ("redis.Redis",),
        "src/users/main.py": ("shared.cache.get",),
    }
    named = name_all(files)
    assert named["src/users/db.py"].name == "db"
    assert named["src/users/users.py"].name == "users"
    assert named["src/contacts/db.py"].name == "src.contacts.db"
    assert named["src/contacts/contacts.py"].prefix == "src.contacts."
    assert named["shared/redis.py"].name == "shared.redis"


def test_a_module_beside_a_package_of_its_name_gives_way() -> None:
    names = _names({"app/__init__.py": (), "app/users.py": (), "app/users/__init__.py": ()})
    assert names["app/users/__init__.py"] == "app.users"
    assert names["app/users.py"] != "app.users"


_PARTS = st.sampled_from(["a", "b", "app", "x"])
_FILES = st.builds(
    lambda parts, last: "/".join([*parts, last]),
    st.lists(_PARTS, max_size=4),
    st.sampled_from(["__init__.py", "a.py", "b.py"]),
)
_IMPORTS = st.one_of(st.lists(_PARTS, min_size=1, max_size=4).map(".".join), st.sampled_from([".", "..", "..."]))


@given(
    st.dictionaries(_FILES, st.lists(_IMPORTS, max_size=4).map(tuple), max_size=12), st.randoms(use_true_random=False)
)
def test_names_are_unique_and_do_not_depend_on_the_order(files: dict[str, tuple[str, ...]], chance: object) -> None:
    named = name_all(files)
    assert set(named) == set(files)
    assert len({found.name for found in named.values()}) == len(files)
    assert name_all(dict(sorted(files.items(), reverse=True))) == named
