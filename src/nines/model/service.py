"""The backend under examination: its entry points with their traces, its schema, its contract."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from nines.model.contract import Contract, Operation, path_shape
from nines.model.place import Place
from nines.model.record import Record
from nines.model.schema import Table
from nines.model.trace import Blind, Trace, Witness


class EndpointKind(StrEnum):
    """What starts the work."""

    HTTP = "http"
    TASK = "task"
    CONSUMER = "consumer"
    COMMAND = "command"
    SCHEDULE = "schedule"
    SOCKET = "socket"


class GuardKind(StrEnum):
    """What a guard establishes before the work is done."""

    AUTHENTICATION = "authentication"
    AUTHORISATION = "authorisation"
    """A role, a permission, an ownership test."""
    SIGNATURE = "signature"
    """A webhook's signature."""
    RATE_LIMIT = "rate_limit"


class Guard(Record):
    """Something that turns callers away: a dependency, a decorator, a permission class, a middleware."""

    kind: GuardKind
    name: str
    place: Place | None = None


class EndpointParameter(Record):
    name: str
    location: str
    """path, query, body, header, cookie, form, file, message."""
    type: str = ""
    place: Place | None = None


class Endpoint(Record):
    """One way into the backend."""

    id: str
    """"GET /items/{item_id}" for HTTP, else "task app.tasks.send_mail", "command app.cli.import_users"."""
    kind: EndpointKind
    function: str
    """The qualified name of the handler."""
    place: Place
    method: str = ""
    path: str = ""
    framework: str = ""
    is_async: bool = False
    parameters: tuple[EndpointParameter, ...] = ()
    guards: tuple[Guard, ...] = ()
    guards_known: bool = True
    """False when a decorator, dependency or middleware was not understood: then missing guards accuse nobody."""
    summary: str = ""

    @property
    def is_authenticated(self) -> bool:
        return any(guard.kind in (GuardKind.AUTHENTICATION, GuardKind.SIGNATURE) for guard in self.guards)

    @property
    def is_guarded(self) -> bool:
        """Whether anything but the rate turns a caller away."""
        return any(guard.kind is not GuardKind.RATE_LIMIT for guard in self.guards)

    @property
    def is_safe(self) -> bool:
        """Defined not to change anything (RFC 9110, 9.2.1)."""
        return self.method in ("GET", "HEAD", "OPTIONS")

    def serves(self, method: str, path: str) -> bool:
        """Whether this endpoint answers the operation, also where a server adds a prefix to the path."""
        if self.kind is not EndpointKind.HTTP or self.method != method.upper():
            return False
        mine, theirs = path_shape(self.path), path_shape(path)
        return mine == theirs or (bool(mine) and theirs.endswith("/" + mine))


class Application(Record):
    """An application object that a server can run."""

    module: str
    """Dotted, importable from `directory`."""
    name: str
    """The variable, or the factory when `is_factory`."""
    interface: str
    """asgi or wsgi."""
    framework: str
    place: Place
    directory: str = "."
    """Relative to the project's root: what must be the working directory or on the import path."""
    is_factory: bool = False
    settings_module: str = ""
    """Django's DJANGO_SETTINGS_MODULE."""


class Service(Record):
    """Everything that rules may judge."""

    name: str
    root: str = "."
    endpoints: tuple[Endpoint, ...] = ()
    traces: tuple[Trace, ...] = ()
    tables: tuple[Table, ...] = ()
    contract: Contract | None = None
    blind: tuple[Blind, ...] = ()
    """What was not understood outside any trace."""

    def endpoint(self, id: str) -> Endpoint | None:
        return next((endpoint for endpoint in self.endpoints if endpoint.id == id), None)

    def serving(self, operation: Operation) -> Endpoint | None:
        """The endpoint behind an operation; an exact path wins over one that lacks a prefix."""
        candidates = [e for e in self.endpoints if e.serves(operation.method, operation.path)]
        return max(candidates, key=lambda endpoint: len(endpoint.path), default=None)

    def table(self, name: str) -> Table | None:
        return next((table for table in self.tables if table.name == name.lower()), None)

    def judged(self) -> Iterator[tuple[Endpoint, Trace]]:
        """Every trace with its endpoint, predicted and observed alike."""
        by_id = {endpoint.id: endpoint for endpoint in self.endpoints}
        for trace in self.traces:
            endpoint = by_id.get(trace.endpoint)
            if endpoint is not None:
                yield endpoint, trace

    def trace(self, endpoint: str, witness: Witness = Witness.PREDICTED) -> Trace | None:
        return next((t for t in self.traces if t.endpoint == endpoint and t.witness is witness), None)
