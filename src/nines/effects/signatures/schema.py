"""The vocabulary in which a library is described; README.md beside this file says what each key means."""

from __future__ import annotations

from functools import lru_cache

from nines.effects.limits import ALIAS_HOPS_MAX, BASES_MAX
from nines.model.effect import EffectKind
from nines.model.record import Record, StrictRecord


class DeadlineRule(StrictRecord):
    argument: str = ""
    receiver: str = ""
    default: float | str = "unknown"
    """Seconds, "none" (waits for ever) or "unknown"."""
    unit_s: float = 1.0


class RetryRule(StrictRecord):
    attempts: str = ""
    """The argument that bounds the attempts: a number, or an object whose type has `attempts`."""
    attempts_default: int | str = "unknown"
    """A number, "forever" or "unknown"."""
    attempts_plus: int = 0
    """1 when the argument counts repetitions, not attempts."""
    errors: str = ""
    wait: str = ""
    jitter_default: bool | None = None
    needs: str = ""
    """There is no policy at all without this argument."""
    methods: str = ""
    methods_default: tuple[str, ...] = ()


class RouteRule(StrictRecord):
    kind: str = "http"
    path: str = ""
    methods: tuple[str, ...] = ()
    methods_argument: str = ""
    methods_default: tuple[str, ...] = ()
    handler: str = ""
    """"" for what is decorated, else "@argument"."""
    name: str = ""
    """The argument that names a task or command."""
    dependencies: str = ""
    framework: str = ""
    injects: bool = False
    """Parameters are filled from the request by name and type (FastAPI)."""
    passes: str = ""
    """The type of the first argument that the framework passes, such as a request."""
    runs_sync: str = "here"
    """Where a function that is not async runs: "here" or "thread"."""
    parameters: str = "path"
    """Where parameters that are not injected come from: path, message, argument."""
    response: str = ""
    status: str = ""
    retry: RetryRule | None = None
    guard: str = ""
    has_more_paths: bool = False
    """Further positional arguments are paths too."""


class MountRule(StrictRecord):
    child: str
    """The argument that is put under the receiver; "self" when the receiver is put under `parent`."""
    prefix: str = ""
    dependencies: str = ""
    child_prefix_wins: bool = False
    parent: str = ""
    prefix_default: str = ""
    """The child's field that is its prefix, after a slash, where it declares none."""


class ColumnRule(StrictRecord):
    """How a call or field declares a column, a key, a relation or a constraint."""

    kind: str = "column"
    """column, foreign_key, many_to_many, relation, unique, index, check, mixin."""
    type: str = ""
    type_argument: str = ""
    name_argument: str = ""
    primary: str = ""
    unique: str = ""
    index: str = ""
    index_default: bool = False
    unique_default: bool = False
    null: str = ""
    null_default: bool | None = None
    references: str = ""
    suffix: str = ""
    """Appended to the attribute's name: Django's foreign keys are columns named x_id."""
    reverse: str = ""
    """The argument that names the relation at the other side."""
    reverse_default: str = ""
    eager: str = ""
    eager_values: tuple[str, ...] = ()
    secondary: str = ""
    many: str = ""
    default: str = ""


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


class SignatureFile(StrictRecord):
    library: str = ""
    harmless: tuple[str, ...] = ()
    """Packages whose calls do nothing to the world unless a call here says otherwise."""
    aliases: dict[str, str] = {}
    types: dict[str, TypeSignature] = {}
    calls: dict[str, CallSignature] = {}
    url_tables: tuple[str, ...] = ()
    task_classes: dict[str, dict[str, str]] = {}
    """Classes that a worker finds by name: attributes that list functions, each with the call that describes them."""
    settings: dict[str, str] = {}
    """Names of settings variables that the machinery looks at: middleware, default_guards, atomic_requests ..."""
    blind: Blindness = Blindness()
    plain: Blindness = Blindness()
    """Methods that only texts, numbers, dates, collections and loggers have: harmless also on what is not known."""
    credentials: Blindness = Blindness()
    """Words in the names of headers, cookies and parameters that carry a credential."""


class Signatures(Record):
    """Every signature, by qualified name."""

    types: dict[str, TypeSignature] = {}
    calls: dict[str, CallSignature] = {}
    aliases: dict[str, str] = {}
    libraries: dict[str, str] = {}
    """For each call: the library that its file speaks of."""
    harmless: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    url_tables: frozenset[str] = frozenset()
    settings: dict[str, str] = {}
    task_classes: dict[str, dict[str, str]] = {}
    words: tuple[str, ...] = ()
    credential_words: tuple[str, ...] = ()
    plain_methods: frozenset[str] = frozenset()

    def canonical(self, name: str) -> str:
        """The name under which a library's thing is described, through its re-exports."""
        for _ in range(ALIAS_HOPS_MAX):
            if name in self.aliases:
                name = self.aliases[name]
                continue
            head, dot, tail = name.rpartition(".")
            while dot and head not in self.aliases:
                head, dot, more = head.rpartition(".")
                tail = f"{more}.{tail}"
            if not dot:
                return name
            name = f"{self.aliases[head]}.{tail}"
        return name

    def bases(self, type: str) -> tuple[str, ...]:
        """The type and everything that it inherits from, nearest first."""
        return _bases(self, type)

    def type(self, name: str) -> TypeSignature | None:
        return self.types.get(name)

    def method(self, type: str, name: str) -> str:
        """The qualified name under which a type's method is described, "" when it is not."""
        for base in _bases(self, type):
            qualified = f"{base}.{name}"
            if qualified in self.calls:
                return qualified
        return ""

    def attribute(self, type: str, name: str) -> str:
        for base in _bases(self, type):
            signature = self.types.get(base)
            if signature and name in signature.attributes:
                return signature.attributes[name]
        return ""

    def trait(self, type: str, trait: str) -> object:
        """The first truthy value of a type's property along its bases."""
        for base in _bases(self, type):
            signature = self.types.get(base)
            value = getattr(signature, trait) if signature else None
            if value:
                return value
        return None

    def is_harmless(self, name: str) -> bool:
        parts = name.split(".")
        return any(".".join(parts[:length]) in self.harmless for length in range(len(parts), 0, -1))

    def __hash__(self) -> int:
        return id(self)


@lru_cache(maxsize=20_000)
def _bases(signatures: Signatures, type: str) -> tuple[str, ...]:
    found: dict[str, None] = {type: None}
    pending = [type]
    while pending and len(found) < BASES_MAX:
        signature = signatures.types.get(pending.pop(0))
        for base in signature.bases if signature else ():
            if base not in found:
                found[base] = None
                pending.append(base)
    return tuple(found)
