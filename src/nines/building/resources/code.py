"""The module of one resource while it is put together: lines at a depth, imports, and what several operations need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nines.building import names, python
from nines.building.resources import sql, values
from nines.building.resources.facts import Thing
from nines.model.design import Design, PlannedEndpoint, PlannedQuery

_TAKEN = frozenset(
    {
        *("Answer", "Call", "Claim", "Connection", "Deadline", "Declined", "GiveUp", "Key", "Limit"),
        *("Operations", "Origin", "Problem", "Queue", "Reserved", "Schedule", "Service", "Task", "TooEarly"),
        *("Unanswered", "Any", "Decimal", "Mapping", "Path", "UUID"),
    }
)
"""What the modules of operations and jobs have under these names already."""


class Code:
    """Lines of Python."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.package = names.package(design)
        self.imports = python.Imports(self.package)
        self.lines: list[str] = []
        self.depth = 0
        self.is_returned = False
        """Whether the function that is being written has given its answer already."""

    def line(self, text: str = "") -> None:
        self.lines.append(f"{python.INDENT * self.depth}{text}" if text else "")

    def put(self, part: python.Part, *, before: str = "", after: str = "") -> None:
        self.lines += python.laid(part, before=before, after=after, depth=self.depth)

    def doc(self, text: str) -> None:
        said = text[:1].upper() + text[1:]
        self.lines += python.docstring(said if said.endswith((".", "!", "?")) else f"{said}.", depth=self.depth)

    def comment(self, text: str) -> None:
        self.lines += python.comment(text, depth=self.depth)

    @contextmanager
    def block(self, head: str | python.Group, *, before: str = "", after: str = ":") -> Iterator[None]:
        if isinstance(head, str):
            self.line(head)
        else:
            self.put(head, before=before, after=after)
        self.depth += 1
        yield
        self.depth -= 1

    def gap(self) -> None:
        """Between two functions."""
        self.lines += ["", ""]

    def runtime(self, *found: str) -> None:
        self.imports.add("nines_runtime", *found)

    def generated(self, module: str, *found: str) -> None:
        """Of the generated package: `generated("sql")`, or `generated("shapes", "Payment")`."""
        if found:
            self.imports.add(f"{self.package}._generated.{module}", *found)
        else:
            self.imports.add(f"{self.package}._generated", module)

    def shape(self, name: str) -> str:
        """Imports a Struct; one that is called like something of the runtime gets another name here."""
        own = names.class_of(name)
        called = f"{own}Shape" if own in _TAKEN else own
        self.generated("shapes", f"{own} as {called}" if called != own else own)
        return called

    def statement(self, query: PlannedQuery) -> str:
        self.generated("sql")
        return f"sql.{sql.constant(query)}"

    def send(
        self, how: str, query: PlannedQuery, given: Mapping[str, str], deadline: str = "call.deadline"
    ) -> python.Group:
        """The call that sends a statement; `given` holds a value for each of its parameters. `deadline` is what it
        keeps outside of a transaction."""
        missing = [name for name in query.parameters if name not in given and not name.startswith("has:")]
        if missing:
            raise AssertionError(f"{query.id} needs {', '.join(missing)}")
        values_of = (given[name] if name in given else has(name) for name in query.parameters)
        first = (deadline,) if how.endswith(("database.fetchrow", "database.fetch", "database.execute")) else ()
        return python.call(how, *first, self.statement(query), *values_of)

    def text(self, says: str) -> str:
        return python.module(says, self.imports, self.lines)


def has(parameter: str) -> str:
    """Whether the caller has one of the roles that a parameter names."""
    roles = ", ".join(python.quoted(role) for role in parameter.removeprefix("has:").split(","))
    return f"call.has({roles})"


class Module(Code):
    """That of one resource."""

    def __init__(self, thing: Thing) -> None:
        super().__init__(thing.design)
        self.thing = thing
        self.needs_reasons = False
        """Whether an operation asks why no row was changed."""
        self.asking = 0
        """How many of its operations ask others."""
        self.shared: dict[str, list[str]] = {}
        """Functions that several operations call, by their names; they stand at the end."""
        self.runtime("Answer", "Call", "Operations")
        self.generated("service", "Service")

    @property
    def id(self) -> str:
        """The variable of its identifier."""
        return f"{names.column(self.thing.resource.name)}_id"

    def query(self, user: str, base: str) -> PlannedQuery:
        found = self.thing.query(user, base)
        if found is None:
            raise AssertionError(f"{user} sends no {base}")
        return found

    def row_of(self, row: str) -> str:
        """The row as the owner's functions see it."""
        cipher = ", service.cipher" if values.keeps_sealed(self.thing) else ""
        return f"{self.shape(self.thing.kept)}.of({row}{cipher})"

    def caller(self) -> dict[str, str]:
        """What stands for the caller in a statement."""
        return {"caller.tenant": self.tenant(), "caller.subject": self.subject(), "if_version": "call.version"}

    def tenant(self) -> str:
        column = self.thing.table.column(self.thing.tenant or "id")
        return "call.tenant_id" if column is not None and column.type == "uuid" else "call.tenant"

    def subject(self) -> str:
        """Whose row it is: an identifier where people sign in here, else the subject of the token."""
        prefix = values.caller_prefix(self.thing)
        column = self.thing.table.column("owner_id")
        is_own = column is None or column.type != "uuid"
        if is_own and self.thing.resource.kind != "account":
            return "call.subject"
        self.runtime("identifier_of")
        return f"identifier_of(call.subject, {python.quoted(prefix)})" if prefix else "identifier_of(call.subject)"

    def find_id(self, endpoint: PlannedEndpoint) -> str:
        """The expression of the identifier in the path."""
        name = next(each.name for each in endpoint.parameters if each.location == "path")
        prefix = f", {python.quoted(self.thing.prefix)}" if self.thing.prefix else ""
        return f"call.identifier({python.quoted(name)}{prefix})"

    @contextmanager
    def function(self, name: str) -> Iterator[None]:
        """What is written inside is a function of its own; where several write the same, it is written once."""
        lines, depth = self.lines, self.depth
        self.lines, self.depth = [], 0
        yield
        self.shared.setdefault(name, self.lines)
        self.lines, self.depth = lines, depth

    def existing(self, row: python.Group) -> None:
        """Reads a row that must be there for the caller."""
        self.put(row, before="row = await ")
        self.line(f"row = call.existing(row, {python.quoted(self.thing.spoken)})")

    def changeable(self, row: python.Group, states: tuple[str, ...] = ()) -> None:
        """Reads a row that is to be changed: of the version that the caller has read, and in one of the states."""
        self.put(row, before="found = await ")
        given = ("found", python.quoted(self.thing.spoken), *map(python.quoted, states))
        self.put(python.call("call.changeable", *given), before="before = ")


class Shared(Module):
    """Writes about a resource into a module that is not its own."""

    def __init__(self, code: Code, thing: Thing) -> None:
        self.design, self.package, self.imports = code.design, code.package, code.imports
        self.thing, self.needs_reasons, self.shared, self._code = thing, False, {}, code

    @property
    def lines(self) -> list[str]:
        return self._code.lines

    @lines.setter
    def lines(self, value: list[str]) -> None:
        self._code.lines = value

    @property
    def depth(self) -> int:
        return self._code.depth

    @depth.setter
    def depth(self, value: int) -> None:
        self._code.depth = value
