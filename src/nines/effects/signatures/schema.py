"""The vocabulary in which a library is described; README.md beside this file says what each key means."""

from __future__ import annotations

from nines.effects.signatures.rules import ColumnRule, DeadlineRule, MountRule, RetryRule, RouteRule
from nines.model.effect import EffectKind
from nines.model.record import Record, StrictRecord


class CallSignature(StrictRecord):
    """What calling this function, method or class does."""

    same_as: str = ""
    parameters: tuple[str, ...] = ()
    returns: str = ""
    items: str = ""
    origin: str = ""
    sanitises: tuple[str, ...] = ()
    drops: bool = False
    passes: tuple[str, ...] = ()
    effect: EffectKind | None = None
    action: str = ""
    target: str = ""
    target_prefix: str = ""
    text: str = ""
    payload: tuple[str, ...] = ()
    deadline: DeadlineRule | None = None
    retry: RetryRule | None = None
    idempotency: str = ""
    """The argument that carries headers (or the key itself, with a leading "="); receiver's headers count too."""
    blocks: bool = False
    query: str = ""
    run: str = ""
    statement: str = ""
    bind: str = ""
    fetch: str = ""
    session: str = ""
    transaction: str = ""
    isolation: str = ""
    entity: str = ""
    keep: dict[str, str] = {}
    """Arguments that the receiver keeps: field name to "@argument" or a literal."""
    keeps_receiver: bool = False
    """The result is a part of the receiver and shares its connection and settings."""
    invokes: str = ""
    invokes_with: str = ""
    runs: str = "here"
    raises: bool = False
    decorates: str = ""
    decorated_type: str = ""
    guard: str = ""
    credential: bool = False
    route: RouteRule | None = None
    mount: MountRule | None = None
    column: ColumnRule | None = None
    mechanism: str = ""
    """A named piece of language or framework machinery: partial, dataclass, super, depends ..."""
    per_item: bool = False


class TypeSignature(StrictRecord):
    """What an object of this type is and holds."""

    bases: tuple[str, ...] = ()
    attributes: dict[str, str] = {}
    items: str = ""
    enter: str = ""
    origin: str = ""
    sanitises: tuple[str, ...] = ()
    is_harmless: bool = False
    connection: str = ""
    """"auto": a transaction opens by itself; "explicit": statements commit by themselves; "" no connection."""
    commits_alone: dict[str, str] = {}
    """What an "auto" connection may be told, so that each statement commits by itself: {autocommit = "True"}."""
    connection_name: str = ""
    unit_of_work: bool = False
    exit: str = ""
    """What leaving `with object` does: commit, close, scope ("commit" with an open transaction), or a call."""
    enter_begins: bool = False
    lazy: bool = False
    """A query that runs when it is looked at."""
    awaitable: bool = False
    """A lazy query that runs when it is awaited."""
    model: str = ""
    """A project class below this base is mapped to a table: declarative or active."""
    manager: str = ""
    model_table: str = ""
    """How the table is named without a declaration: snake, lower, app."""
    model_keyword: str = ""
    """The class keyword that makes it a table: `table=True`."""
    table_keys: dict[str, str] = {}
    """Where a mapped class says its name, args, abstract, unique, constraints, indexes: attribute or Inner.attribute."""  # noqa: E501
    key: str = ""
    """The implicit primary key's name."""
    data: bool = False
    """A record of fields validated from input (pydantic, dataclass-like)."""
    view: str = ""
    """A class-based view: "methods" for get/post ...; "actions" for list/create/retrieve ..."""
    view_passes: str = ""
    actions: dict[str, str] = {}
    """For views: inherited handler methods, "GET" or "GET detail" by name."""
    guards: dict[str, str] = {}
    """Class attributes that list guards, or "" with a kind: the class itself is a guard."""
    guard: str = ""
    guard_method: str = ""
    credential: bool = False
    seconds: tuple[str, ...] = ()
    """For a deadline object: constructor arguments that hold the whole wait, first wins."""
    seconds_default: float | str = "unknown"
    attempts: str = ""
    attempts_default: int | str = ""
    jitter: bool | None = None
    errors: str = ""
    router: str = ""
    """"root" for an application, "part" for a router."""
    interface: str = ""
    prefix: str = ""
    dependencies: str = ""
    framework: str = ""
    retry: RetryRule | None = None
    is_message: bool = False
    column_type: str = ""
    dependency: str = ""
    """The field that holds the function on which a parameter depends."""
    parameter: str = ""
    """A marker that says where a parameter travels: query, body, header, cookie, form, file, path."""
    is_shared: bool = False
    """What is set on one object of the type is read from any other: an application's state."""
    names_statements: str = ""
    """Every attribute is a statement from a file; the call that runs one."""
    is_passive: bool = False
    """A middleware that turns nobody away."""


class Blindness(StrictRecord):
    """Generic words; a call on a thing so named matters when it is not understood."""

    words: tuple[str, ...] = ()


class Described(Record):
    """What files declare and their whole holds alike: each file adds to it."""

    aliases: dict[str, str] = {}
    lookalikes: dict[str, str] = {}
    """Patterns of names that nobody describes, each with what they very likely extend: `fastapi_*Router`."""
    types: dict[str, TypeSignature] = {}
    calls: dict[str, CallSignature] = {}
    task_classes: dict[str, dict[str, str]] = {}
    """Classes that a worker finds by name: attributes that list functions, each with the call that describes them."""
    settings: dict[str, str] = {}
    """Names of settings variables that the machinery looks at: middleware, default_guards, atomic_requests ..."""


class SignatureFile(Described, forbid_unknown_fields=True):
    library: str = ""
    harmless: tuple[str, ...] = ()
    """Packages whose calls do nothing to the world unless a call here says otherwise."""
    url_tables: tuple[str, ...] = ()
    blind: Blindness = Blindness()
    plain: Blindness = Blindness()
    """Methods that only texts, numbers, dates, collections and loggers have: harmless also on what is not known."""
    credentials: Blindness = Blindness()
    """Words in the names of headers, cookies and parameters that carry a credential."""
