"""What a signature says at length: deadlines, retries, routes, mounts, columns."""

from __future__ import annotations

from nines.model.record import StrictRecord


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
    fills: tuple[str, ...] = ()
    """Parameters of these names come from the request, from the part that they are named after; every other one is
    the framework's own and is what its annotation says."""
    open: str = ""
    """The argument that lets anybody in; a route without it is guarded by authentication."""
    authorises: str = ""
    """The argument that names who may call it."""
    limits: str = ""
    """The argument that says how often."""
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
    """column, foreign_key, many_to_many, relation, unique, index, check, mixin; none: another name of one."""
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
