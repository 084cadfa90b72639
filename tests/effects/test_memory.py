"""What is remembered of entry points never changes what is told of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.effects import Memo, analyse, remember
from nines.effects.remember import Share
from nines.model.service import Service
from nines.readers import python, sql

_FILES = {
    "app/__init__.py": "",
    "app/main.py": """
from fastapi import FastAPI
from app.items import router as items
from app.users import router as users
app = FastAPI()
app.include_router(items, prefix="/items")
app.include_router(users, prefix="/users")
""",
    "app/db.py": """
from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.orm import declarative_base, sessionmaker
Base = declarative_base()
Session = sessionmaker(bind=create_engine("postgresql://"))
class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    name = Column(String)
def get_session():
    session = Session()
    yield session
""",
    "app/store.py": """
import requests
from app.db import Item
def find(session, id):
    return session.query(Item).filter(Item.id == id).first()
def tell(name, depth=0):
    requests.post("https://example.com/told", json={"name": name})
    return again(name, depth)
def again(name, depth):
    if depth:
        return tell(name, depth)
    return name
""",
    "app/items.py": """
from fastapi import APIRouter, Depends
from app.db import get_session
from app import store
router = APIRouter()
@router.get("/{id}")
def show(id: int, session=Depends(get_session)):
    return store.find(session, id)
@router.put("/{id}")
def rename(id: int, name: str, session=Depends(get_session)):
    item = store.find(session, id)
    item.name = name
    session.commit()
    return store.tell(name)
""",
    "app/users.py": """
from fastapi import APIRouter
from app.store import again
router = APIRouter()
@router.post("/")
def add(name: str):
    return again(name, 1)
""",
}

_CHANGES = (
    ("", "# a line more\n"),
    ("", "\n" * 120),
    ("\n@router", "\n\n# apart\n\n@router"),
    ("\ndef ", "\n\n\ndef "),
    ("    id = Column", "    # the key\n    id = Column"),
    ("    item.name", "\n    # a comment\n    item.name"),
    ("session=Depends", "\n    session=Depends"),
    ("\n    session.commit()", "; session.commit()"),
    ("yield session", "print(1); yield session"),
    ('"""', '"""Another.'),
    ("    return", "    print(1)\n    return"),
    ("return again(name, depth)", "return again(name, 0)"),
    ("first()", "all()"),
    ('"https://example.com/told"', '"https://example.com/other"'),
    ("session.commit()", "session.flush()"),
    ("prefix=", "tags=[], prefix="),
    ('"/users"', '"/people"'),
    ('"items"', '"things"'),
    ("name = Column(String)", "name = Column(String, unique=True)"),
    ("def again(name, depth):", "def again(name, depth=0):"),
    ("from app.store import again", "from app.store import tell as again"),
    ("async def", "def"),
    ("def show", "async def show"),
)


def _analysed(folder: Path, memo: Memo | None = None, share: Share | None = None) -> Service:
    return analyse(python.read(folder, jobs=1), read_statement=sql.read, memo=memo, share=share)


def _half(count: int, work: Callable[[int], bytes]) -> dict[int, bytes]:
    """Does every other piece of work, as if the rest had been lost."""
    return {number: work(number) for number in range(0, count, 2)}


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(_FILES)), st.sampled_from(_CHANGES)), min_size=1, max_size=5),
    st.sampled_from([0, 1, 99]),
)
def test_after_any_changes_the_same_is_told_as_without_a_memory(
    changes: list[tuple[str, tuple[str, str]]], stale_min: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = dict(_FILES)
        _write(folder, files)
        memo = Memo(stamp=b"one")
        assert _analysed(folder, memo) == _analysed(folder)
        for file, (old, new) in changes:
            files[file] = files[file].replace(old, new, 1)
            _write(folder, {file: files[file]})
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(remember, "STALE_MIN", stale_min)
                assert _analysed(folder, memo, _half) == _analysed(folder)


def test_only_what_looked_at_a_change_is_told_anew(tmp_path: Path) -> None:
    _write(tmp_path, _FILES)
    memo = Memo(stamp=b"one")
    _analysed(tmp_path, memo)
    assert memo.reused == 0
    _analysed(tmp_path, memo)
    assert memo.reused == 3
    _write(tmp_path, {"app/store.py": _FILES["app/store.py"].replace("return name", "return name + name")})
    _analysed(tmp_path, memo)
    assert memo.reused == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "reused"),
    [
        ("app/items.py", "session.commit()", "session.flush()", 2),
        ("app/store.py", "return session", "# the first\n    return session", 1),
        ("app/store.py", "\nimport requests", "\n\n\nimport requests", 3),
        ("app/db.py", "class Item", "# the table\nclass Item", 3),
        ("app/main.py", "\nfrom fastapi", "# first\nfrom fastapi", 3),
        ("app/db.py", "name = Column(String)", "name = Column(String, unique=True)", 0),
    ],
)
def test_a_function_that_has_only_moved_is_not_told_anew(
    tmp_path: Path, file: str, old: str, new: str, reused: int
) -> None:
    _write(tmp_path, _FILES)
    memo = Memo(stamp=b"one")
    _analysed(tmp_path, memo)
    changed = _FILES[file].replace(old, new, 1)
    assert changed != _FILES[file]
    _write(tmp_path, {file: changed})
    assert _analysed(tmp_path, memo) == _analysed(tmp_path)
    assert memo.reused == reused


def test_another_stamp_and_spoilt_bytes_are_not_used(tmp_path: Path) -> None:
    _write(tmp_path, _FILES)
    memo = Memo(stamp=b"one")
    expected = _analysed(tmp_path, memo)
    for spoilt in (b"", b"\xff" * 40, memo.content[: len(memo.content) // 2], memo.content + b"x"):
        other = Memo(stamp=b"one", content=spoilt)
        assert _analysed(tmp_path, other) == expected
        assert other.reused == 0
    later = Memo(stamp=b"two", content=memo.content)
    assert _analysed(tmp_path, later) == expected
    assert later.reused == 0
