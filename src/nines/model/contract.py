"""What a service promises to its callers: the operations of its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from nines.model.record import Record

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema with every reference resolved; recursion is cut and marked by "x-nines-recursive"."""


class ContractParameter(Record):
    name: str
    location: str
    """path, query, header or cookie."""
    is_required: bool = False
    schema: Schema = {}
    example: Any = None


class Body(Record):
    media_type: str
    schema: Schema = {}
    is_required: bool = True
    examples: tuple[Any, ...] = ()


class Answer(Record):
    """A documented response; `status` is "200", "4XX" or "default"."""

    status: str
    media_type: str = ""
    schema: Schema = {}
    headers: tuple[str, ...] = ()


class Link(Record):
    """`parameter` of the operation `target` takes the value at `pointer` (a JSON pointer) of this answer."""

    target: str
    parameter: str
    pointer: str


class Document(Record):
    """How an operation of a graph (GraphQL) is asked.

    Its method and path only say what it does to which object; what is sent is a POST of `text` to `endpoint`, with
    variables from the path, the query, headers and the body of the request that they would be."""

    endpoint: str
    text: str
    template: str
    """The operation's path with its braces."""
    places: tuple[tuple[str, str], ...] = ()
    """A parameter of path, query or headers, and the dotted name of its variable: ("id", "input.id")."""
    kinds: tuple[tuple[str, str], ...] = ()
    """The JSON type of a parameter that is no text: integer, number, boolean, array."""


class Operation(Record):
    """One method on one path."""

    id: str
    """The operationId, or "METHOD /path" where there is none or it is not unique."""
    method: str
    """Upper case."""
    path: str
    """With the server's base path and braces: /api/v1/items/{item_id}."""
    summary: str = ""
    tags: tuple[str, ...] = ()
    parameters: tuple[ContractParameter, ...] = ()
    body: Body | None = None
    """The body nines sends: JSON before a form before multipart."""
    answers: tuple[Answer, ...] = ()
    security: tuple[tuple[str, ...], ...] = ()
    """Alternatives of scheme names; an empty alternative means that anonymous is allowed; () means no security."""
    links: tuple[Link, ...] = ()
    is_deprecated: bool = False
    document: Document | None = None
    """Where it is one of a graph."""

    @property
    def is_secured(self) -> bool:
        return bool(self.security) and all(self.security)

    @property
    def is_safe(self) -> bool:
        """Defined not to change anything (RFC 9110, 9.2.1)."""
        return self.method in ("GET", "HEAD", "OPTIONS", "TRACE")

    @property
    def path_parameters(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parameters if p.location == "path")

    def answer(self, status: int) -> Answer | None:
        """What the contract says about this status: exact, then the range, then the default."""
        for wanted in (str(status), f"{status // 100}XX", "default"):
            for answer in self.answers:
                if answer.status.upper() == wanted.upper():
                    return answer
        return None


class SecurityScheme(Record):
    name: str
    kind: str
    """apiKey, http, oauth2, openIdConnect, mutualTLS."""
    scheme: str = ""
    """For http: bearer, basic ..."""
    location: str = ""
    parameter: str = ""
    token_url: str = ""


class Contract(Record):
    """An OpenAPI document, resolved."""

    title: str = ""
    version: str = ""
    openapi: str = ""
    source: str = ""
    """The file or URL that it was read from."""
    operations: tuple[Operation, ...] = ()
    security_schemes: tuple[SecurityScheme, ...] = ()
    problems: tuple[str, ...] = ()
    """What is invalid in the document; the operations that could be read are there all the same."""

    def operation(self, id: str) -> Operation | None:
        return next((operation for operation in self.operations if operation.id == id), None)

    def at(self, method: str, path: str) -> Operation | None:
        """The operation with this method and template path, whatever its parameters are called."""
        shape = path_shape(path)
        for operation in self.operations:
            if operation.method == method.upper() and path_shape(operation.path) == shape:
                return operation
        return None

    def mutations(self) -> Iterator[Operation]:
        return (operation for operation in self.operations if not operation.is_safe)


def path_shape(path: str) -> str:
    """A template path with its parameters made anonymous and its outer slashes trimmed: "items/{}"."""
    parts = [part for part in path.split("/") if part]
    return "/".join("{}" if any(c in part for c in "{<:") else part for part in parts)
