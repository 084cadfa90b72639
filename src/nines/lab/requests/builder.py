"""Building one valid request: values for its path, query, headers and body, and for what it refers to."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from nines.lab.requests import encode, paths
from nines.lab.requests.conflicts import Study
from nines.lab.requests.graph import Graph, asks_password, is_id_like
from nines.lab.requests.headers import Headers
from nines.lab.requests.invent import Inventor, fresh_marker
from nines.lab.requests.probing import ONCE, Composed, kind_of
from nines.lab.requests.references import referring
from nines.lab.requests.shapes import kind, required, settled, words
from nines.lab.requests.supply import Send, Supplier, Wanted
from nines.lab.requests.variety import PARENT, Draw, Path, Variety
from nines.model.contract import Contract, ContractParameter, Operation
from nines.model.experiment import Call
from nines.model.history import Exchange


class Builder:
    """Builds requests against one running service, creating through `supplier` whatever they refer to.

    `values` are the owner's own, by name or by OPERATION.NAME; `say` takes why something could not be built."""

    def __init__(
        self,
        contract: Contract,
        graph: Graph,
        *,
        send: Send,
        say: Callable[[str], None],
        rng: random.Random,
        today: date,
        values: Mapping[str, Any],
        helpers: tuple[str, ...],
        variety: Variety,
        subject: Callable[[str], str] | None = None,
    ) -> None:
        self.contract = contract
        self.graph = graph
        self._send = send
        self._say = say
        self._rng = rng
        self._today = today
        self._values = values
        self._variety = variety
        self._headers = Headers(contract, send, rng)
        self._anew: dict[tuple[str, str, Path], tuple[int, Any]] = {}
        self.supplier = Supplier(graph, send=send, build=self.build, say=say, helpers=helpers, subject=subject)
        self.study = Study(
            graph,
            variety,
            compose=self.compose,
            send=send,
            ready=self.supplier.make_ready,
            say=say,
            references=lambda operation: [
                path for path, _, _ in referring(self.graph, operation) if path[0][:1] != "?"
            ],
            fixed=self._is_told,
        )
        self.supplier.study = self.study

    async def build(self, operation: Operation, identity: str, created: Exchange | None, depth: int) -> Call | None:
        """The request, on the object that `created` made if there is one; None when some value cannot be had."""
        composed = await self.compose(operation, identity, created, depth=depth)
        return composed.call if composed is not None else None

    async def compose(
        self,
        operation: Operation,
        identity: str,
        created: Exchange | None,
        *,
        depth: int = 0,
        given: Mapping[Path, Any] | None = None,
        anew: Mapping[Path, int] | None = None,
    ) -> Composed | None:
        """The request and the value of its body, with what was learnt to differ from the last one's.

        `given` are values that it has instead of those, and `anew` references of which another one is made."""
        draw = self._variety.draw(operation.id, kind_of(operation)) if given is None else None
        if draw is not None:
            if self._is_used_up(operation, created, draw):
                return None
            given, anew = draw.values, draw.anew
        anew = anew or {}
        marker = fresh_marker(self._rng)
        inventor = self._inventor(operation, marker, {})
        values = self._remembered(operation, identity, PARENT, anew)
        if values is None:
            is_anew = PARENT in anew
            values = await self._path_values(operation, identity, created, depth, inventor, is_anew=is_anew)
            self._remember(operation, identity, PARENT, anew, values)
        if values is None:
            return None
        referred = await self._references(operation, identity, created, depth, known=given or {}, anew=anew)
        if referred is None:
            return None
        given = {**(given or {}), **referred}
        return await self._composed(
            operation, identity, created, paths.fill(operation.path, values), marker=marker, given=given
        )

    async def _composed(
        self,
        operation: Operation,
        identity: str,
        created: Exchange | None,
        path: str,
        *,
        marker: str,
        given: Mapping[Path, Any],
    ) -> Composed:
        """The request once everything that it refers to is known."""
        inventor = self._inventor(operation, marker, given)
        query = self._query(operation, inventor, given)
        headers, key = await self._headers.of(operation, identity, path, inventor, created)
        body, value = b"", None
        if operation.body is not None and operation.method not in ("GET", "HEAD"):
            hint = next(iter(operation.body.examples), None)
            value = inventor.value(operation.body.schema, hint=hint)
            body, media = encode.encoded(operation.body, value)
            headers.append(("content-type", media))
        call = Call(
            operation=operation.id,
            method=operation.method,
            path=path + ("?" + urlencode(query) if query else ""),
            headers=tuple(headers),
            body=body,
            identity=identity,
            marker=marker if inventor.is_marked else "",
            key=key,
            document=operation.document,
        )
        composed = Composed(call=call, kind=kind_of(operation), value=value, renewed=frozenset(inventor.renewed))
        self.study.keep(operation, composed)
        return composed

    def _is_used_up(self, operation: Operation, created: Exchange | None, draw: Draw) -> bool:
        """Whether every combination of values was used, and no parent can be made that would help."""
        if created is not None and created.operation == operation.id:
            # It is to be made below the same parent as that one.
            return draw.is_used_up or PARENT in draw.anew
        if draw.is_used_up:
            self._say(f"{operation.id}: every value that it may have is taken, so no more could be made")
        return draw.is_used_up

    def _remembered(self, operation: Operation, identity: str, path: Path, anew: Mapping[Path, int]) -> Any:
        """What was made anew for this identity since all values were used up the last time."""
        known = self._anew.get((operation.id, identity, path))
        return known[1] if known is not None and known[0] == anew.get(path) else None

    def _remember(self, operation: Operation, identity: str, path: Path, anew: Mapping[Path, int], value: Any) -> None:
        if path in anew and anew[path] != ONCE:
            self._anew[operation.id, identity, path] = (anew[path], value)

    def is_single(self, operation: Operation) -> bool:
        """Whether each request of it needs values or parents of its own."""
        return bool(self._variety.keys(operation.id))

    def _is_told(self, operation: Operation, name: str) -> bool:
        """Whether the owner's settings say what it is."""
        return f"{operation.id}.{name}" in self._values or name in self._values

    def _inventor(self, operation: Operation, marker: str, given: Mapping[Path, Any]) -> Inventor:
        return Inventor(
            self._rng,
            marker=marker,
            today=self._today,
            operation=operation.id,
            overrides=self._values,
            given=given,
            fresh=self._variety.fresh,
        )

    async def _path_values(
        self,
        operation: Operation,
        identity: str,
        created: Exchange | None,
        depth: int,
        inventor: Inventor,
        *,
        is_anew: bool = False,
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
                values[name] = await self.supplier.id_of(created, creator, name, parameter.schema)
            elif name not in values:
                value, inherited = await self._path_value(
                    operation, parameter, identity, depth, inventor, is_anew=is_anew
                )
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
        self,
        operation: Operation,
        parameter: ContractParameter,
        identity: str,
        depth: int,
        inventor: Inventor,
        *,
        is_anew: bool,
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
        is_own = operation.method == "DELETE" or self.supplier.needs_steps(operation) or _may_rename(operation, name)
        is_consumed = is_anew or (is_own and paths.names_in(operation.path)[-1] == name)
        wanted = Wanted(
            name=name,
            schema=parameter.schema,
            maker=maker,
            lister=lister,
            is_consumed=is_consumed,
            is_acted_on=not operation.is_safe and not operation.path.endswith("}"),
            may_be_self=operation.is_safe or _is_harmless(operation),
        )
        found, made = await self.supplier.supplied(wanted, identity, depth)
        if found is None and maker is None and not is_id_like(name):
            return inventor.value(parameter.schema, name, hint=parameter.example), {}
        inherited = paths.values_in(maker.path, made.path) if maker is not None and made is not None else None
        return (found if found is not None else parameter.example), inherited or {}

    # --- parts of one request ------------------------------------------------------------------------

    async def _references(
        self,
        operation: Operation,
        identity: str,
        created: Exchange | None,
        depth: int,
        *,
        known: Mapping[Path, Any],
        anew: Mapping[Path, int],
    ) -> dict[Path, Any] | None:
        """Values for the fields and query parameters that refer to other objects; None when one cannot be had.

        Those that are known are left out; those that are to be made anew are made once for each number."""
        given: dict[Path, Any] = {}
        wanted = [(path, name, schema) for path, name, schema in referring(self.graph, operation)]
        creator = self.contract.operation(created.operation) if created else None
        is_used = False
        for path, name, schema in wanted:
            if path in known or self._is_told(operation, name):
                continue
            remembered = self._remembered(operation, identity, path, anew)
            if remembered is not None:
                given[path] = remembered
                continue
            maker = self.graph.maker_of_name(name)
            if maker == operation:
                continue
            if created is not None and creator is not None and maker == creator and not is_used:
                given[path] = await self.supplier.id_of(created, creator, name, schema)
                is_used = True
                continue
            lister = self.graph.lister_of_name(name)
            need = Wanted(name=name, schema=schema, maker=maker, lister=lister, is_consumed=path in anew)
            value, _ = await self.supplier.supplied(need, identity, depth)
            if value is None and (maker is not None or lister is not None):
                self._say(f"{operation.id}: nothing was found that {name} could refer to")
                return None
            if value is not None:
                given[path] = value
                self._remember(operation, identity, path, anew, value)
        return given

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


def _is_harmless(operation: Operation) -> bool:
    """Whether an update leaves alone by what somebody signs in, so that it may be one's own account."""
    if operation.method not in ("PUT", "PATCH") or not operation.path.endswith("}") or operation.body is None:
        return False
    named = {word for name in required(settled(operation.body.schema)) for word in words(name)}
    return not asks_password(operation) and not named & {"email", "mail", "username", "login"}


def _may_rename(operation: Operation, parameter: str) -> bool:
    """Whether an update may change the very name by which it finds its object: a slug made of the title."""
    if operation.method not in ("PUT", "PATCH") or is_id_like(parameter):
        return False
    declared = next((p.schema for p in operation.parameters if p.name == parameter and p.location == "path"), {})
    rules = settled(declared)
    return kind(rules) in ("string", "") and rules.get("format") != "uuid" and "enum" not in rules
