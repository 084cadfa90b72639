"""Source files as modules of facts, and what could not be read."""

from __future__ import annotations

from nines.model.code.expressions import Node
from nines.model.code.statements import Statement
from nines.model.record import Record


class Allowance(Node):
    """A comment `nines: allow RULE -- why`, which silences RULE on its line, or on the next when it stands alone."""

    rules: tuple[str, ...]
    reason: str
    line: int
    covers: int
    """The line that it speaks of; 0 for the whole file (a comment before the first statement)."""


class Module(Node):
    """One source file."""

    name: str
    """Dotted, as it is imported: "app.api.users"."""
    file: str
    """Relative to the project's root, with forward slashes."""
    is_package: bool
    body: tuple[Statement, ...]
    lines: int
    allowances: tuple[Allowance, ...] = ()
    language: str = "python"
    prefix: str = ""
    """What was put before the name that its neighbours import, so that names are unique where two services of one
    repository both have an `app.main`: an absolute import in this module means `prefix + name` before `name`."""


class Unread(Record):
    """A file that could not be read, and why, in words for people."""

    file: str
    reason: str
    line: int = 0
    hint: str = ""


class NamedStatement(Record):
    """A statement that stands under a name in a file of SQL, as aiosql and its kin load them."""

    name: str
    """As it is called from Python, hyphens made underscores."""
    kind: str
    """What the name ends with: "" for rows, ^ for one row, $ for one value, ! and *! for writes, <! for one written."""
    text: str
    file: str
    line: int


class Program(Record):
    """Every module of a project, and what could not be read."""

    root: str
    modules: tuple[Module, ...] = ()
    unread: tuple[Unread, ...] = ()
    lines: int = 0
    parsed: int = 0
    """How many files were parsed anew; the rest came from the cache."""
    statements: tuple[NamedStatement, ...] = ()
    """Of projects that load their statements from files by name."""
