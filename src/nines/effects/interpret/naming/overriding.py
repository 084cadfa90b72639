"""Which methods answer for one that is only declared: an abstract class, a protocol."""

from __future__ import annotations

from nines.effects.interpret.state.world import World
from nines.effects.limits import CANDIDATES_MAX
from nines.effects.link import ClassInfo, FunctionInfo
from nines.model import code

_PROTOCOLS = ("typing.Protocol", "typing_extensions.Protocol")


def implementations(world: World, info: ClassInfo, method: FunctionInfo) -> list[FunctionInfo]:
    """The methods that can stand behind one that is only declared; none when there are too many to tell."""
    if not is_declared_only(world, method):
        return []
    others = [m for m in world.linked.by_method.get(method.short, ()) if m.cls is not None and m is not method]
    made = [m for m in others if not is_declared_only(world, m)]
    below = [m for m in made if m.cls is not None and info in world.linked.ancestry(m.cls)[0]]
    if not below and _is_protocol(world, info):
        declared = {name for name in info.methods if not name.startswith("__")}
        below = [m for m in made if m.cls is not None and declared <= _method_names(world, m.cls)]
        below = below if len(below) == 1 else []
    return below if len(below) <= CANDIDATES_MAX else []


def is_declared_only(world: World, method: FunctionInfo) -> bool:
    """Whether the body is left to others."""
    names = [getattr(decorator, "name", "") or getattr(decorator, "id", "") for decorator in method.node.decorators]
    is_abstract = "abstractmethod" in names or (method.cls is not None and _is_protocol(world, method.cls))
    raises = False
    for statement in method.body:
        if isinstance(statement, code.Raise) and _raises_not_implemented(statement):
            raises = True
        elif not isinstance(statement, code.Evaluate) or not isinstance(statement.value, code.Constant | code.Opaque):
            return False
    return is_abstract or raises


def _raises_not_implemented(statement: code.Raise) -> bool:
    error = statement.error.function if isinstance(statement.error, code.Call) else statement.error
    return isinstance(error, code.Name) and error.id == "NotImplementedError"


def _is_protocol(world: World, info: ClassInfo) -> bool:
    return any(base in _PROTOCOLS for base in world.linked.ancestry(info)[1])


def _method_names(world: World, info: ClassInfo) -> set[str]:
    return {name for owner in world.linked.ancestry(info)[0] for name in owner.methods}
