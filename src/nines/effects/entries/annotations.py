"""What the annotation of a parameter says: its type, and the markers that travel with it."""

from __future__ import annotations

from nines.effects.interpret.naming.annotations import annotated
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.link import AssignBinding, ModuleInfo
from nines.effects.values import UNKNOWN, ObjectThing, Value
from nines.model import code

_HOPS_MAX = 5
"""Names that stand for names that stand for an annotation."""


def annotation_parts(
    world: World, module: ModuleInfo, expression: code.Expression | None, hops: int = 0
) -> tuple[Value, list[Value], str]:
    """The type that an annotation names, the markers that travel with it, and the type as text."""
    if expression is None or hops > _HOPS_MAX:
        return UNKNOWN, [], ""
    frame = Frame(world, module)
    if isinstance(expression, code.Name | code.Attribute):
        found = _alias(world, module, expression)
        if found is not None:
            return annotation_parts(world, found[0], found[1], hops + 1)
    if isinstance(expression, code.Subscript):
        outer = evaluate(frame, expression.value).thing
        signature = world.signatures.calls.get(getattr(outer, "name", ""))
        verb = signature.mechanism if signature is not None else ""
        items = expression.key.items if isinstance(expression.key, code.Sequence) else ()
        if verb == "injected":
            inner, markers, text = annotation_parts(world, module, expression.key, hops + 1)
            return inner, [*markers, Value(ObjectThing("nines.injected"))], text
        if verb == "first_argument" and len(items) > 1:
            inner, markers, text = annotation_parts(world, module, items[0], hops + 1)
            return inner, [*markers, *(evaluate(frame, item) for item in items[1:])], text
    return annotated(world, module, expression), [], _type_text(expression)


def _alias(world: World, module: ModuleInfo, node: code.Expression) -> tuple[ModuleInfo, code.Expression] | None:
    """A name that stands for `Annotated[...]`."""
    if not isinstance(node, code.Name):
        return None
    for found in world.linked.lookup(module, node.id):
        if isinstance(found, AssignBinding) and isinstance(found.value, code.Subscript):
            return world.linked.owners.get(id(found), module), found.value
    return None


def _type_text(node: code.Expression) -> str:
    if isinstance(node, code.Name):
        return node.id
    if isinstance(node, code.Attribute):
        return f"{_type_text(node.value)}.{node.name}"
    if isinstance(node, code.Binary):
        return f"{_type_text(node.left)} | {_type_text(node.right)}"
    if isinstance(node, code.Subscript):
        return f"{_type_text(node.value)}[{_type_text(node.key)}]"
    if isinstance(node, code.Sequence):
        return ", ".join(_type_text(item) for item in node.items)
    return "None" if isinstance(node, code.Constant) and node.value is None else ""
