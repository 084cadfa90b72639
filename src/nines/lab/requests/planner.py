"""Valid requests for any operation, after creating whatever they refer to."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias
from urllib.parse import urlencode

import msgspec

from nines.lab.requests import encode, paths
from nines.lab.requests.graph import Graph, is_id_like
from nines.lab.requests.invent import Inventor, Path, fresh_marker
from nines.lab.requests.listing import PAGES_MAX, Listing, page_of
from nines.lab.requests.mutants import mutants_of
from nines.lab.requests.shapes import kind, properties, required, settled
from nines.lab.requests.supply import DEPTH_MAX, Send, Supplier, Wanted
from nines.model.contract import Contract, ContractParameter, Operation, Schema
from nines.model.experiment import Call, Mutant
from nines.model.history import Exchange, Outcome, Seen

Note: TypeAlias = Callable[[str], None]

FIND_MAX = 500
"""How many objects are read back one by one."""
PARENTS_MAX = 20
"""How many different lists are walked for one reading."""
_KEY_HEADERS = ("idempotency-key", "x-idempotency-key", "idempotencykey")
_UNSENT = ("authorization", "content-type", "accept", "cookie", "host", "user-agent")


def _may_rename(operation: Operation, parameter: str) -> bool:
    """Whether an update may change the very name by which it finds its object: a slug made of the title."""
    if operation.method not in ("PUT", "PATCH") or is_id_like(parameter):
        return False
    declared = next((p.schema for p in operation.parameters if p.name == parameter and p.location == "path"), {})
    rules = settled(declared)
    return kind(rules) in ("string", "") and rules.get("format") != "uuid" and "enum" not in rules


class Planner:
    """Plans requests against one running service; everything that it creates for later use is in its stock.

    `send` adds the identity's credentials and never raises for what the service does. `note` takes why something
    could not be built. `admin` and `helpers` are identities that do what has to be done first and is forbidden to the
    one who asks. A planner is as short-lived as the service's data: make a new one for a fresh database."""

    def __init__(
        self,
        contract: Contract,
        *,
        send: Send,
        note: Note,
        seed: int,
        today: date,
        values: Mapping[str, Any] | None = None,
        admin: str = "",
        helpers: tuple[str, ...] = (),
    ) -> None:
        self.contract = contract
        self.graph = Graph(contract)
        self._send = send
        self._note = note
        self._rng = random.Random(seed)  # noqa: S311 - repeatable on purpose, not a secret.
        self._seed = seed
        self._today = today
        self._values = dict(values or {})
        self._said: set[str] = set()
        self._supplier = Supplier(
            self.graph, send=send, build=self._build, say=self._say, helpers=(*filter(None, (admin,)), *helpers)
        )

    def creators(self) -> tuple[Operation, ...]:
        return self.graph.creators

    def reader_of(self, operation: Operation) -> Operation | None:
        return self.graph.reader_of(operation)

    def lister_of(self, operation: Operation) -> Operation | None:
        return self.graph.lister_of(operation)

    def mutants(self, call: Call, limit: int) -> tuple[Mutant, ...]:
        operation = self.contract.operation(call.operation)
        return mutants_of(operation, call, limit, self._seed) if operation else ()

    async def prepare(self, operation: Operation, identity: str, *, like: Call | None = None) -> Call | None:
        """A valid request with fresh unique values; `like` repeats one with another idempotency key."""
        if like is not None:
            return self.again(like, identity)
        await self._supplier.rehearse(operation, identity)
        call = await self._build(operation, identity, None, 0)
        if call is not None:
            await self._supplier.make_ready(call)
        return call

    def again(self, call: Call, identity: str) -> Call:
        """The same request under a new idempotency key."""
        key = str(uuid.UUID(int=self._rng.getrandbits(128), version=4)) if call.key else ""
        headers = tuple((n, key if n.lower() in _KEY_HEADERS else value) for n, value in call.headers)
        return msgspec.structs.replace(call, identity=identity, headers=headers, key=key)

    async def prepare_read(self, created: Exchange, identity: str) -> Call | None:
        creator = self.contract.operation(created.operation)
        reader = self.graph.reader_of(creator) if creator else None
        if creator is None or reader is None:
            self._say(f"{created.operation}: no operation reads back what it creates")
            return None
        return await self._build(reader, identity, created, 0)

    async def prepare_on(self, operation: Operation, created: Exchange, identity: str) -> Call | None:
        """A request of `operation` on the object that `created` made; None when no value can be found for it."""
        await self._supplier.rehearse(operation, created.identity)
        call = await self._build(operation, identity, created, 0)
        if call is not None:
            await self._supplier.make_ready(call)
        return call

    async def find(
        self, creator: Operation, markers: Sequence[str], identity: str, exchanges: Sequence[Exchange]
    ) -> tuple[Seen, ...] | None:
        """How often each marker exists, by reading single objects and lists back; None when there is no way.

        `exchanges` are those in which the markers were sent, for the identifiers in their answers."""
        by_marker = {each.marker: each for each in exchanges if each.marker}
        reader = self.graph.reader_of(creator)
        listed = await self._listed(creator, identity, [by_marker[m] for m in markers if m in by_marker])
        if listed is None and reader is None:
            return None
        counts = {marker: listed.count(marker) if listed is not None else 0 for marker in markers}
        for marker in [m for m in markers if counts[m] == 0 and m in by_marker][:FIND_MAX]:
            created = by_marker[marker]
            if created.outcome is Outcome.OK and reader is not None:
                call = await self.prepare_read(created, identity)
                answer = await self._send(msgspec.structs.replace(call, phase="find")) if call else None
                counts[marker] = int(answer is not None and answer.status == 200 and marker in answer.body)
        return tuple(Seen(marker=marker, count=count) for marker, count in counts.items())

    async def _listed(self, creator: Operation, identity: str, exchanges: Sequence[Exchange]) -> Listing | None:
        """Every page of the lists in which what `creator` made should stand: one for each parent."""
        lister = self.graph.lister_of(creator)
        if lister is None:
            return None
        found = Listing()
        parents = {each.path: each for each in exchanges}
        for created in list(parents.values())[:PARENTS_MAX]:
            call = await self._build(lister, identity, created, 0)
            for page in range(PAGES_MAX if call is not None else 0):
                target = page_of(lister, call.path, page, self._values) if call is not None else None
                if call is None or target is None:
                    break
                answer = await self._send(msgspec.structs.replace(call, path=target, phase="find"))
                if answer.outcome is not Outcome.OK or not found.add(answer):
                    break
        return found

    # --- one request ---------------------------------------------------------------------------------

    async def _build(self, operation: Operation, identity: str, created: Exchange | None, depth: int) -> Call | None:
        marker = fresh_marker(self._rng)
        inventor = self._inventor(operation, marker, {})
        values = await self._path_values(operation, identity, created, depth, inventor)
        if values is None:
            return None
        given = await self._references(operation, identity, created, depth)
        if given is None:
            return None
        inventor = self._inventor(operation, marker, given)
        path = paths.fill(operation.path, values)
        query = self._query(operation, inventor, given)
        headers, key = await self._headers(operation, identity, path, inventor)
        body = b""
        if operation.body is not None and operation.method not in ("GET", "HEAD"):
            hint = next(iter(operation.body.examples), None)
            value = inventor.value(operation.body.schema, hint=hint)
            body, media = encode.encoded(operation.body, value)
            headers.append(("content-type", media))
        return Call(
            operation=operation.id,
            method=operation.method,
            path=path + ("?" + urlencode(query) if query else ""),
            headers=tuple(headers),
            body=body,
            identity=identity,
            marker=marker if inventor.is_marked else "",
            key=key,
        )

    def _inventor(self, operation: Operation, marker: str, given: Mapping[Path, Any]) -> Inventor:
        return Inventor(
            self._rng, marker=marker, today=self._today, operation=operation.id, overrides=self._values, given=given
        )

    async def _path_values(
        self, operation: Operation, identity: str, created: Exchange | None, depth: int, inventor: Inventor
    ) -> dict[str, Any] | None:
        """A value for each path parameter; those left of the created object come from its own path."""
        creator = self.contract.operation(created.operation) if created else None
        bound = self._bound_parameter(operation, creator)
        values: dict[str, Any] = {}
        if created is not None and creator is not None:
            values.update(paths.values_in(creator.path, created.path) or {})
        # From the right: the path of what is found there already names what stands to its left.
        declared = {p.name: p for p in operation.parameters if p.location == "path"}
        for wanted in reversed(paths.names_in(operation.path)):
            # A document may forget to declare what its own path names.
            parameter = declared.get(wanted) or ContractParameter(name=wanted, location="path", is_required=True)
            name = parameter.name
            if created is not None and creator is not None and name == bound:
                values[name] = await self._supplier.id_of(created, creator, name, parameter.schema)
            elif name not in values:
                value, inherited = await self._path_value(operation, parameter, identity, depth, inventor)
                values = {**inherited, **values, name: value}
            if values[name] in (None, ""):
                self._say(f"{operation.id}: no value was found for the path parameter {name}")
                return None
        return values

    def _bound_parameter(self, operation: Operation, creator: Operation | None) -> str:
        """The path parameter that names what `creator` makes."""
        if creator is None:
            return ""
        for name in reversed(operation.path_parameters):
            if name not in creator.path_parameters and self.graph.maker_of_path(operation, name) == creator:
                return name
        own = [name for name in operation.path_parameters if name not in creator.path_parameters]
        return own[-1] if own and self.graph.reader_of(creator) == operation else ""

    async def _path_value(
        self, operation: Operation, parameter: ContractParameter, identity: str, depth: int, inventor: Inventor
    ) -> tuple[Any, dict[str, str]]:
        """A value, and what the path of the object behind it says about other parameters."""
        name = parameter.name
        told = [key for key in (f"{operation.id}.{name}", name) if key in self._values]
        if told:
            return self._values[told[0]], {}
        if "enum" in settled(parameter.schema) or "const" in settled(parameter.schema):
            return inventor.value(parameter.schema, name), {}
        maker = self.graph.maker_of_path(operation, name)
        maker = None if maker == operation else maker
        lister = self.graph.lister_of_path(operation, name)
        # What is deleted or brought into another state must not be what other requests still refer to.
        is_own = operation.method == "DELETE" or self._supplier.needs_steps(operation) or _may_rename(operation, name)
        is_consumed = is_own and paths.names_in(operation.path)[-1] == name
        wanted = Wanted(
            name=name,
            schema=parameter.schema,
            maker=maker,
            lister=lister,
            is_consumed=is_consumed,
            may_be_self=operation.is_safe,
        )
        found, made = await self._supplier.supplied(wanted, identity, depth)
        if found is None and maker is None and not is_id_like(name):
            return inventor.value(parameter.schema, name, hint=parameter.example), {}
        inherited = paths.values_in(maker.path, made.path) if maker is not None and made is not None else None
        return (found if found is not None else parameter.example), inherited or {}

    # --- parts of one request ------------------------------------------------------------------------

    async def _references(
        self, operation: Operation, identity: str, created: Exchange | None, depth: int
    ) -> dict[Path, Any] | None:
        """Values for the fields and query parameters that refer to other objects; None when one cannot be had."""
        given: dict[Path, Any] = {}
        wanted = [(path, name, schema) for path, name, schema in self._referring(operation)]
        creator = self.contract.operation(created.operation) if created else None
        is_used = False
        for path, name, schema in wanted:
            if any(key in self._values for key in (f"{operation.id}.{name}", name)):
                continue
            maker = self.graph.maker_of_name(name)
            if maker == operation:
                continue
            if created is not None and creator is not None and maker == creator and not is_used:
                given[path] = await self._supplier.id_of(created, creator, name, schema)
                is_used = True
                continue
            lister = self.graph.lister_of_name(name)
            need = Wanted(name=name, schema=schema, maker=maker, lister=lister)
            value, _ = await self._supplier.supplied(need, identity, depth)
            if value is None and (maker is not None or lister is not None):
                self._say(f"{operation.id}: nothing was found that {name} could refer to")
                return None
            if value is not None:
                given[path] = value
        return given

    def _referring(self, operation: Operation) -> list[tuple[Path, str, Schema]]:
        found: list[tuple[Path, str, Schema]] = [
            (("?" + p.name,), p.name, settled(p.schema))
            for p in operation.parameters
            if p.location == "query" and p.is_required and self.graph.refers(p.name, p.schema)
        ]
        if operation.body is not None:
            self._walk(settled(operation.body.schema), (), found)
        return found

    def _walk(self, schema: Schema, path: Path, found: list[tuple[Path, str, Schema]]) -> None:
        """Required references only: an optional one is left out of the request instead."""
        if len(path) > DEPTH_MAX * 2:
            return
        inner = properties(schema)
        for name in required(schema):
            rules = settled(inner.get(name))
            if name in inner and self.graph.refers(name, rules):
                where = (*path, name, "[]") if kind(rules) == "array" else (*path, name)
                found.append((where, name, settled(rules.get("items")) if kind(rules) == "array" else rules))
            elif kind(rules) == "object":
                self._walk(rules, (*path, name), found)
            elif kind(rules) == "array":
                self._walk(settled(rules.get("items")), (*path, name, "[]"), found)

    def _query(self, operation: Operation, inventor: Inventor, given: Mapping[Path, Any]) -> list[tuple[str, str]]:
        values: dict[str, Any] = {}
        for parameter in operation.parameters:
            told = any(key in self._values for key in (f"{operation.id}.{parameter.name}",))
            if parameter.location == "query" and (parameter.is_required or told):
                path = ("?" + parameter.name,)
                hint = parameter.example
                values[parameter.name] = (
                    given[path] if path in given else inventor.value(parameter.schema, parameter.name, hint=hint)
                )
        return encode.query_pairs(values)

    async def _headers(
        self, operation: Operation, identity: str, path: str, inventor: Inventor
    ) -> tuple[list[tuple[str, str]], str]:
        headers: list[tuple[str, str]] = []
        cookies: list[str] = []
        key = ""
        for parameter in operation.parameters:
            name = parameter.name.lower()
            if parameter.location == "cookie" and parameter.is_required:
                cookies.append(f"{parameter.name}={paths.plain(inventor.value(parameter.schema, parameter.name))}")
            if parameter.location != "header" or name in _UNSENT:
                continue
            if name in _KEY_HEADERS:
                key = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
                headers.append((parameter.name, key))
            elif name == "if-match" and parameter.is_required:
                headers.append((parameter.name, await self._etag(operation, identity, path)))
            elif parameter.is_required:
                value = inventor.value(parameter.schema, parameter.name, hint=parameter.example)
                headers.append((parameter.name, paths.plain(value)))
        if cookies:
            headers.append(("cookie", "; ".join(cookies)))
        return headers, key

    async def _etag(self, operation: Operation, identity: str, path: str) -> str:
        """The current entity tag of the object, "*" where the service gives none (RFC 9110, 13.1.1)."""
        reader = self.contract.at("GET", operation.path)
        if reader is None:
            return "*"
        call = Call(operation=reader.id, method="GET", path=path, identity=identity, phase="setup")
        return (await self._send(call)).header("etag") or "*"

    def _say(self, text: str) -> None:
        """Notes a reason once."""
        if text not in self._said:
            self._said.add(text)
            self._note(text)
