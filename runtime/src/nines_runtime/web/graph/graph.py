"""One graph over the operations of a service: POST /graphql, after GraphQL over HTTP.

    graph = Graph(SCHEMA, operations, links=(...), loads=(...))
    application = Application("notes", Operations(operations, graph.operations), lifespan)

Every field of Query and Mutation is the operation whose id it has, carried out behind that operation's own guards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import isawaitable
from typing import Any, Generic

import msgspec
from graphql import ExecutionResult, execute

from nines_runtime.web.answer import Answer
from nines_runtime.web.call import Call
from nines_runtime.web.caller import Caller
from nines_runtime.web.graph import binding, cost
from nines_runtime.web.graph.binding import Resolver
from nines_runtime.web.graph.bounds import Bounds, refused
from nines_runtime.web.graph.documents import Document, Documents, Invalid
from nines_runtime.web.graph.failures import of_document, of_execution, told
from nines_runtime.web.graph.links import Children, Link, Load
from nines_runtime.web.graph.running import Run, is_to_come
from nines_runtime.web.inside import Inside
from nines_runtime.web.operations import BODY_BYTES_MAX, Limit, Operation, Operations, Service
from nines_runtime.web.problem import Problem
from nines_runtime.web.reading import json_reader

ID, PATH = "graphql", "/graphql"
JSON, RESPONSE = "application/json", "application/graphql-response+json"
NAME_LENGTH_MAX = 128
_NO_STORE = ((b"cache-control", b"no-store"), (b"vary", b"accept"))
_encode = msgspec.json.Encoder().encode
_read = json_reader(Any)


class Graph(Generic[Service]):
    def __init__(
        self,
        schema: str,
        operations: Iterable[Operation] = (),
        *,
        links: Sequence[Link | Children] = (),
        loads: Sequence[Load] = (),
        resolvers: Mapping[str, Mapping[str, Resolver]] | None = None,
        bounds: Bounds | None = None,
        introspection: bool | Callable[[Caller], bool] = False,
        path: str = PATH,
        limit: Limit | tuple[Limit, ...] | None = None,
        body_bytes_max: int = BODY_BYTES_MAX,
    ) -> None:
        """`schema` is its definition; `loads` read objects by their identifiers, those of links among them. `resolvers`
        are functions for fields that no operation carries out, by type and field. `introspection` says who may read
        the schema from here. `limit` counts documents; their operations are counted by their own limits too."""
        own = {each.id: each for each in operations}
        loaded = {each.load.type: each.load for each in links if isinstance(each, Link)}
        known = {**loaded, **{each.type: each for each in loads}}
        self.bounds = bounds or Bounds()
        self.schema = binding.bound(schema, own, links, tuple(known.values()), resolvers or {})
        self._documents = Documents(self.schema, self.bounds)
        self._introspection = introspection
        self._operation = Operation(
            id=ID,
            method="POST",
            path=path,
            handler=self._handle,
            is_public=True,
            is_compound=True,
            limit=limit,
            media_type=JSON,
            body_bytes_max=body_bytes_max,
            deadline_s=max((each.deadline_s for each in own.values()), default=5.0),
        )

    @property
    def operations(self) -> Operations[Service]:
        """The one operation by which the graph is asked."""
        found: Operations[Service] = Operations()
        found.add(self._operation)
        return found

    async def _handle(self, inside: Inside[Service], call: Call) -> Answer:
        text, variables, name = _asked(call.body)
        media_type = RESPONSE if RESPONSE in call.headers.get("accept", "") else JSON
        is_told = self._introspection if isinstance(self._introspection, bool) else self._introspection(call.caller)
        try:
            document = self._documents.take(text, is_hinted=is_told)
            if name and name != document.name:
                raise refused(f"It has no operation {name[:NAME_LENGTH_MAX]}.")
            if document.is_introspective and not is_told:
                raise Problem("forbidden", "The schema is not told here.")
            cost.check(document.prices, variables, self.bounds)
        except Problem as problem:
            inside.refused(problem.kind.code)
            errors = list(_of_request(problem, call.request_id))
            # As the older media type has it, only what is no request at all has another status.
            return _answer({"errors": errors}, media_type, problem.kind.status if media_type == RESPONSE else 200)
        return await self._carry_out(inside, call, document, variables, media_type)

    async def _carry_out(
        self, inside: Inside[Service], call: Call, document: Document, variables: dict[str, Any], media_type: str
    ) -> Answer:
        run = Run(inside, call)
        try:
            found = execute(
                self.schema, document.node, context_value=run, variable_values=variables, is_awaitable=is_to_come
            )
            result: ExecutionResult = await found if isawaitable(found) else found
        finally:
            run.close()
        body: dict[str, Any] = {}
        errors = list(of_execution(result.errors or (), call.request_id, inside.failed))
        if errors:
            inside.refused(errors[0]["extensions"]["code"])
            body["errors"] = errors
        # Without data nothing was carried out: the variables do not fit.
        is_begun = result.data is not None or any("path" in each for each in errors)
        if is_begun:
            body["data"] = result.data
        status = 200 if is_begun or media_type == JSON else Problem("invalid-request").kind.status
        return _answer(body, media_type, status)


def _asked(body: bytes) -> tuple[str, dict[str, Any], str]:
    """Document, variables and the name of the operation; raises Problem for what is no request of a graph."""
    given = _read(body)
    if not isinstance(given, dict):
        raise Problem("malformed-request", "The body must be an object; documents come one at a time.")
    text, variables, name = given.get("query"), given.get("variables"), given.get("operationName")
    wrong = [
        each
        for each, is_right in (
            ("query", isinstance(text, str)),
            ("variables", variables is None or isinstance(variables, dict)),
            ("operationName", name is None or isinstance(name, str)),
            ("extensions", isinstance(given.get("extensions", {}), dict | None)),
        )
        if not is_right
    ]
    if wrong:
        detail = "Must be a string." if wrong[0] in ("query", "operationName") else "Must be an object."
        raise Problem("malformed-request", f"{wrong[0]}: {detail}")
    return str(text), variables or {}, name or ""


def _of_request(problem: Problem, request_id: str) -> Iterable[dict[str, Any]]:
    if isinstance(problem, Invalid):
        return (of_document(message, error, problem, request_id) for message, error in problem.found)
    return (told(problem, request_id),)


def _answer(body: dict[str, Any], media_type: str, status: int) -> Answer:
    return Answer(status=status, body=_encode(body), media_type=f"{media_type}; charset=utf-8", headers=_NO_STORE)
