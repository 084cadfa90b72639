"""What turns callers away before a view of a url table: mixins, decorators, permission classes, middleware."""

from __future__ import annotations

from nines.effects.entries.gathered import Gathered, add_guards
from nines.effects.entries.peeling import Peeled
from nines.effects.entries.requests import filled_request
from nines.effects.interpret.machinery.frameworks.permissions import entries_of, named_permission
from nines.effects.interpret.naming.resolve import binding_value
from nines.effects.interpret.state.entrances import attribute, call, evaluate
from nines.effects.interpret.state.frame import Frame, WorkLimit
from nines.effects.interpret.state.world import OutOfBudget, World
from nines.effects.link import AssignBinding, ClassInfo, FunctionInfo
from nines.effects.values import FunctionThing, InstanceThing, Value, deep_sources
from nines.model import code
from nines.model.origin import OriginKind
from nines.model.place import Place
from nines.model.trace import UNREAD_BASE

_KINDS = {"authentication": "authentication", "permission": "authentication authorisation"}
_SAFE = ("GET", "HEAD", "OPTIONS")
_READ_LIBRARIES = ("django", "rest_framework", "flask", "typing", "abc", "builtins", "object", "Exception")
"""Of their bases, those that guard are described."""
_SIGNED_IN = "django.contrib.auth.middleware.LoginRequiredMiddleware"


def class_guards(world: World, frame: Frame, info: ClassInfo, gathered: Gathered) -> None:
    """Mixins and class decorators."""
    classes, libraries, whole = world.linked.ancestry(info)
    unread = [base for base in libraries if not _is_read(world, base)]
    gathered.guards_known = gathered.guards_known and whole and not unread
    for base in unread:
        frame.blind(UNREAD_BASE, base, info.node.line)
    for owner in classes:
        told = owner.attributes.get("nines_guard")
        if told is not None and isinstance(told.value, code.Constant):
            add_guards(gathered, _KINDS[str(told.value.value)], owner.qualified, info.place)
        for decorator in owner.node.decorators:
            _decorator(world, decorator, owner, gathered)
    for name in ("dispatch", "get", "post"):
        method = world.linked.find_method(info, name)
        for decorator in method.node.decorators if method is not None else ():
            _decorator(world, decorator, info, gathered, is_method=True)


def _is_read(world: World, base: str) -> bool:
    """Whether it is known what a library's base does before a view; any other may turn callers away."""
    return base.partition(".")[0] in _READ_LIBRARIES or base in world.signatures.types


def _decorator(
    world: World, node: code.Expression, owner: ClassInfo, gathered: Gathered, *, is_method: bool = False
) -> None:
    """A decorator, or the one inside `method_decorator(...)`."""
    frame = Frame(world, owner.module)
    with frame.capture():
        value = evaluate(frame, node)
    for each in (*value.alternatives(), *entries_of(value)):
        thing = each.thing
        name = getattr(thing, "name", "") or getattr(thing, "signature", "")
        signature = world.signatures.calls.get(name)
        if signature is not None and signature.guard:
            add_guards(gathered, signature.guard, name, owner.place)
        elif isinstance(thing, FunctionThing) and not is_method:
            _project_decorator(thing.info, gathered)


def _project_decorator(info: FunctionInfo, gathered: Gathered) -> None:
    """A decorator of the project whose text speaks of the caller may well turn some away."""
    raw = info.packed
    if any(word in raw for word in (b"is_authenticated", b"has_perm", b"is_staff", b"PermissionDenied", b"login")):
        add_guards(gathered, "authentication", info.qualified, info.place)


def decorated_guards(view: Peeled, gathered: Gathered, place: Place) -> None:
    for kinds, name in view.guards:
        add_guards(gathered, kinds, name, place)


def permission_guards(  # noqa: PLR0917
    world: World,
    frame: Frame,
    view: Value,
    entries: list[Value],
    method: str,
    gathered: Gathered,
    request: Value | None = None,
) -> None:
    """Permission classes, the library's by their signature and the project's by calling them."""
    for entry in entries:
        name, info = named_permission(frame, entry)
        if info is not None:
            _project_permission(world, frame, info, view, request or filled_request(world, method), gathered, method)
            continue
        _library_permission(world, name, method, gathered)


def _library_permission(world: World, name: str, method: str, gathered: Gathered) -> None:
    signature = world.signatures.types.get(name)
    if signature is not None and signature.guard:
        if signature.guard_method != "unsafe" or method not in _SAFE:
            add_guards(gathered, signature.guard, name, None)
    elif signature is None or not signature.is_passive:
        gathered.guards_known = False


def _project_permission(  # noqa: PLR0917
    world: World, frame: Frame, info: ClassInfo, view: Value, request: Value, gathered: Gathered, method: str
) -> None:
    for base in world.linked.ancestry(info)[1]:
        if base != "rest_framework.permissions.BasePermission":
            _library_permission(world, base, method, gathered)
    if world.linked.find_method(info, "has_object_permission") is not None:
        add_guards(gathered, "authorisation", info.qualified, info.place)
    asks = world.linked.find_method(info, "has_permission")
    if asks is None:
        return
    outer, frame.facts = frame.facts, set()
    bound = attribute(frame, Value(InstanceThing(info)), "has_permission", info.node.line)
    value = call(frame, bound, [request, view], {}, info.node.line)
    frame.raised = False
    knows = "credential" in frame.facts or any(s.kind is OriginKind.PRINCIPAL for s in deep_sources(value))
    if knows or frame.facts & {"decides", "authentication"}:
        add_guards(gathered, "authentication authorisation", info.qualified, info.place)
    elif not (value.has_constant and value.constant is True):
        add_guards(gathered, "authorisation", info.qualified, info.place)
        gathered.guards_known = False
    frame.facts = outer


def middleware_guards(world: World) -> Gathered:
    """Guards that middleware puts before every view."""
    gathered = Gathered()
    for entry in _middleware_entries(world):
        if entry.constant == _SIGNED_IN:
            add_guards(gathered, "authentication", _SIGNED_IN, None)
        if not isinstance(entry.constant, str):
            continue
        for found in world.linked.dotted(entry.constant):
            if isinstance(found, ClassInfo):
                _middleware(world, found, gathered)
    return gathered


def _middleware_entries(world: World) -> list[Value]:
    """What the lists of middleware hold, however the settings put them together."""
    name = world.signatures.settings.get("middleware", "")
    found: dict[object, Value] = {}
    for module in world.linked.modules.values():
        if not name or name not in module.bindings or "test" in module.name:
            continue
        for key, bindings in module.bindings.items():
            for binding in bindings if name in key else ():
                if isinstance(binding, AssignBinding):
                    for entry in entries_of(binding_value(world, binding, module)):
                        found.setdefault(entry.constant, entry)
        for binding in module.augments.get(name, ()):
            for entry in entries_of(binding_value(world, binding, module)):
                found.setdefault(entry.constant, entry)
    return list(found.values())


def _middleware(world: World, info: ClassInfo, gathered: Gathered) -> None:
    """A middleware of the project: one that asks who is signed in, and refuses, guards every view."""
    for name in ("process_request", "process_view", "__call__"):
        method = world.linked.find_method(info, name)
        if method is None:
            continue
        facts = _middleware_facts(world, info, method, gathered)
        with world.as_nobody():
            turns_strangers_away = "refuses" in _middleware_facts(world, info, method, gathered)
        if turns_strangers_away and facts & {"credential", "authentication", "decides"}:
            kinds = "authentication authorisation" if "decides" in facts else "authentication"
            add_guards(gathered, kinds, info.qualified, info.place)
        elif any(word in method.packed for word in (b"LOGIN_URL", b"redirect_to_login", b"login_url")):
            gathered.guards_known = False


def _middleware_facts(world: World, info: ClassInfo, method: FunctionInfo, gathered: Gathered) -> set[str]:
    frame = Frame(world, info.module)
    frame.facts = set()
    world.start_entry()
    try:
        bound = attribute(frame, Value(InstanceThing(info)), method.short, info.node.line)
        spare = [Value()] * (len(method.node.parameters) - 2)
        call(frame, bound, [filled_request(world, "GET"), *spare], {}, info.node.line)
    except (OutOfBudget, WorkLimit, RecursionError):
        gathered.guards_known = False
    return frame.facts
