"""The circumstances of effects: transactions, branches, loops, threads, deadlines, retries, paths."""

from __future__ import annotations

from pathlib import Path

from nines.model.effect import EffectKind, Known
from nines.model.origin import OriginKind
from tests.effects.reading import service, trace

MODELS = """
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

SessionLocal = sessionmaker(create_engine("postgresql://localhost/x"))

class Base(DeclarativeBase):
    pass

class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    books: Mapped[list["Book"]] = relationship()

class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    copies: Mapped[int]

def get_session():
    with SessionLocal() as session:
        yield session
"""

MAIN = """
import requests
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import select
from sqlalchemy.orm import Session
from app.models import Author, Book, get_session

app = FastAPI()

def charge(amount):
    requests.post("https://pay.example/charges", json={"amount": amount})

@app.post("/books/{book_id}/buy")
def buy(book_id: int, session: Session = Depends(get_session)):
    book = session.get(Book, book_id)
    if book is None:
        raise HTTPException(status_code=404)
    charge(5)
    book.copies -= 1
    session.commit()

@app.get("/authors")
async def authors(session: Session = Depends(get_session)):
    return [len(author.books) for author in session.scalars(select(Author).limit(10)).all()]
"""

FILES = {"app/__init__.py": "", "app/models.py": MODELS, "app/main.py": MAIN}


def test_a_call_between_the_read_and_the_commit_is_in_the_transaction(tmp_path: Path) -> None:
    bought = trace(service(tmp_path, FILES), "POST /books/{book_id}/buy")
    kinds = [effect.kind for effect in bought.effects]
    assert kinds == [
        EffectKind.BEGIN,
        EffectKind.DATABASE_READ,
        EffectKind.REMOTE_CALL,
        EffectKind.DATABASE_WRITE,
        EffectKind.COMMIT,
    ]
    assert {effect.transaction for effect in bought.effects} == {0}
    assert not bought.transactions[0].is_explicit


def test_an_early_exit_is_a_condition_of_what_follows(tmp_path: Path) -> None:
    bought = trace(service(tmp_path, FILES), "POST /books/{book_id}/buy")
    call = bought.effects[2]
    assert [(c.wants, c.effects) for c in call.conditions] == [("present", (1,))]
    assert call.path[-1].function == "app.main.charge"
    assert call.deadline.known is Known.MISSING


def test_a_row_that_is_written_back_names_its_read(tmp_path: Path) -> None:
    write = trace(service(tmp_path, FILES), "POST /books/{book_id}/buy").effects[3]
    assert (write.target, write.action, write.row_origins) == ("books", "UPDATE", (1,))
    assert [a.column for a in write.assignments] == ["copies"]
    assert not write.assignments[0].is_atomic


def test_the_key_comes_from_the_caller(tmp_path: Path) -> None:
    read = trace(service(tmp_path, FILES), "POST /books/{book_id}/buy").effects[1]
    assert read.predicates_known
    assert read.has_predicate_from(OriginKind.CALLER)
    assert read.limit is Known.SET


def test_a_relation_in_a_loop_is_lazy_and_blocks_the_event_loop(tmp_path: Path) -> None:
    listed = trace(service(tmp_path, FILES), "GET /authors")
    reads = [effect for _, effect in listed.reads()]
    assert [(read.target, read.is_lazy) for read in reads] == [("authors", False), ("books", True)]
    assert [loop.effect for loop in reads[1].loops] == [1]
    assert reads[0].blocks_thread
    assert reads[0].on_event_loop


def test_tables_are_declared(tmp_path: Path) -> None:
    found = service(tmp_path, FILES)
    authors, books = found.table("authors"), found.table("books")
    assert authors is not None
    assert books is not None
    assert ("email",) in authors.unique
    column = books.column("author_id")
    assert column is not None
    assert column.references == "authors.id"
    assert [r.target for r in authors.relationships] == ["books"]
