"""People who use the built login service: accounts in its tables, and the requests that somebody sends."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec

from benchmarks.serving import Served, send
from nines.lab.launch.post import Post
from nines.lab.launch.postgres import Cluster
from nines.lab.load.request import Request, request_of
from nines.model.experiment import Call
from nines_runtime.data.identifiers import new_id
from nines_runtime.security.passwords import Passwords

PASSWORD = "a horse, a battery and a staple"
_MAKE = """\
WITH made AS (
    INSERT INTO accounts (id, email, status)
    SELECT id, email, 'active' FROM unnest($1::uuid[], $2::text[]) AS t(id, email)
    RETURNING id
)
INSERT INTO account_credentials (account_id, password_hash) SELECT id, $3 FROM made"""
_CODE = re.compile(r"\b(\d{6})\b")


class Person:
    """Somebody with an account; tokens only while they are signed in."""

    __slots__ = ("access", "challenge", "email", "id", "name", "password", "refresh", "version")

    def __init__(self, email: str, id: str = "") -> None:
        self.email, self.id, self.password = email, id, PASSWORD
        self.access = self.refresh = self.challenge = self.name = ""
        self.version = 1
        """Of the account, as If-Match names it."""

    def take(self, body: bytes) -> None:
        """The tokens of an answer."""
        found = msgspec.json.decode(body)
        self.access, self.refresh = found["access_token"], found["refresh_token"]
        claims = self.access.split(".")[1]
        self.id = msgspec.json.decode(base64.urlsafe_b64decode(claims + "=="))["sub"]


async def make_people(cluster: Cluster, database: str, count: int) -> list[Person]:
    """Accounts that are verified already, all with the same password, whose hash is made once."""
    passwords = Passwords()
    kept = await passwords.hash(PASSWORD)
    passwords.close()
    people = [Person(f"p{number}-{uuid4().hex[:8]}@example.com") for number in range(count)]
    ids = [new_id() for _ in people]
    await cluster.execute(database, _MAKE, ids, [person.email for person in people], kept)
    return people


def asking(method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Request:
    """A request; what creates gets a key of its own."""
    given: list[tuple[str, str]] = [("authorization", f"Bearer {token}")] if token else []
    media = "application/merge-patch+json" if method == "PATCH" else "application/json"
    given += [("content-type", media)] if body is not None else []
    given += [("idempotency-key", uuid4().hex)] if method == "POST" and path == "/v1/accounts" else []
    given += [(name.replace("_", "-"), value) for name, value in headers.items()]
    content = msgspec.json.encode(body) if body is not None else b""
    call = Call(operation=f"{method} {path}", method=method, path=path, headers=tuple(given), body=content)
    return request_of(call, host="127.0.0.1")


def signing_in(person: Person) -> Request:
    return asking("POST", "/v1/sessions", {"email": person.email, "password": person.password})


def refreshing(person: Person) -> Request:
    return asking("POST", "/v1/tokens", {"refresh_token": person.refresh})


def registering(email: str) -> Request:
    return asking("POST", "/v1/accounts", {"email": email, "password": PASSWORD})


def renaming(person: Person, name: str) -> Request:
    return asking(
        "PATCH", f"/v1/accounts/{person.id}", {"display_name": name}, person.access, if_match=f'"{person.version}"'
    )


async def sign_in(service: Served, person: Person) -> bool:
    status, body = await send(service.port, signing_in(person))
    if status == 201:
        person.take(body)
    return status == 201


async def sign_all_in(service: Served, people: list[Person], at_once: int = 4) -> None:
    """Everybody, a few at a time, for a password takes 24 ms of a processor."""
    left = iter(people)

    async def some() -> None:
        for person in left:
            if not await sign_in(service, person):
                raise SystemExit(f"{person.email} could not sign in")

    await asyncio.gather(*(some() for _ in range(at_once)))


def code_for(post: Post, email: str) -> str:
    """Of the newest letter to somebody, "" where none came yet."""
    letters = post.to(email)
    found = _CODE.search(letters[0].text) if letters else None
    return found[1] if found else ""


def surroundings(post: Post, **more: str) -> Mapping[str, str]:
    """Where letters go, and limits that one caller does not meet."""
    return {"SMTP_URL": f"smtp://{post.host}:{post.port}", "LIMIT_FACTOR": "1000000", **more}
