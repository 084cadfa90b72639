"""One document while it is carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeGuard

import msgspec
from graphql.pyutils import is_awaitable

from nines_runtime.web.answer import Answer
from nines_runtime.web.call import Call
from nines_runtime.web.graph.links import Children, Found, Load
from nines_runtime.web.graph.loading import Fetch, Loader
from nines_runtime.web.inside import Asked, Inside

PARALLEL_MAX = 4
"""Operations and statements of one document at once: nobody's document takes all connections."""
VERSION = "$version"
"""Under which member an object keeps its version; no body has a member of this name."""
_PLAIN = frozenset({str, int, float, bool, dict, list, type(None)})
_decode = msgspec.json.Decoder().decode


class Run:
    """What resolvers get as their context."""

    def __init__(self, inside: Inside[Any], call: Call) -> None:
        self.inside = inside
        self.call = call
        self._turns = asyncio.Semaphore(PARALLEL_MAX)
        self._loaders: dict[tuple[str, str, int], Loader] = {}

    @property
    def service(self) -> Any:
        return self.inside.service

    async def carry_out(self, operation: str, asked: Asked, *, is_change: bool = False) -> Any:
        """What the operation answers, as members; True where it answers nothing."""
        try:
            async with self._turns:
                answer = await self.inside.carry_out(operation, asked)
        finally:
            if is_change:
                for loader in self._loaders.values():
                    loader.forget()
        return shown(answer)

    def load(self, load: Load, key: str) -> asyncio.Future[Any]:
        """One object by its identifier, read together with the others of its level; None: there is none to see."""
        name = ("load", load.type, 0)
        found = self._loaders.get(name)
        if found is None:
            found = self._loaders[name] = Loader(self._objects(load))
        return found.load(key)

    def children(self, children: Children, parent: str, first: int) -> asyncio.Future[Any]:
        """The objects that refer to this one."""
        name = (children.type, children.field, first)
        found = self._loaders.get(name)
        if found is None:
            found = self._loaders[name] = Loader(self._lists(children, first), missing=())
        return found.load(parent)

    def close(self) -> None:
        for loader in self._loaders.values():
            loader.close()

    def _objects(self, load: Load) -> Fetch:
        async def fetch(keys: list[str]) -> Mapping[str, Any]:
            async with self._turns:
                found = await self.inside.read(load.operation, lambda call: load.fetch(self.service, call, keys))
            return {members["id"]: members for members in map(_members, found)}

        return fetch

    def _lists(self, children: Children, first: int) -> Fetch:
        async def fetch(keys: list[str]) -> Mapping[str, Any]:
            def send(call: Call) -> Any:
                return children.fetch(self.service, call, keys, first)

            async with self._turns:
                found = await self.inside.read(children.operation, send)
            lists: dict[str, list[Any]] = {}
            for members in map(_members, found):
                lists.setdefault(members[children.member], []).append(members)
            return lists

        return fetch


def is_to_come(value: Any) -> TypeGuard[Awaitable[Any]]:
    """Whether a resolver's value has to be waited for; asked of every field, and most are plain."""
    return value.__class__ not in _PLAIN and is_awaitable(value)


def shown(answer: Answer) -> Any:
    """The members of an answer; its ETag becomes the version."""
    if not answer.body:
        return True
    found = _decode(answer.body)
    etag = answer.header(b"etag")
    if etag is not None and isinstance(found, dict):
        plain = etag.strip(b'W/"')
        found[VERSION] = int(plain) if plain.isdigit() else None
    return found


def _members(found: Found) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(found.value)
    members[VERSION] = found.version
    return members
