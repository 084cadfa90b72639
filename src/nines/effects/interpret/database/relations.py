"""Relations between mapped classes, and the classes at their other sides."""

from __future__ import annotations

from nines.effects.interpret.database.declarations import Declaration, flag
from nines.effects.interpret.naming.annotations import annotated
from nines.effects.interpret.naming.models import model_base, user_model
from nines.effects.interpret.state.world import World
from nines.effects.link import AssignBinding, ClassInfo
from nines.effects.mapped import Relation
from nines.effects.values import ClassThing, ContainerThing, InstanceThing, Value
from nines.effects.values import field as held_field
from nines.model import code
from nines.model.origin import OriginKind


def relate(world: World, said: Declaration, column: str = "") -> None:
    """Adds a relation to another mapped class; `column` is its key, where it stands at this side."""
    value, rule, table = said.value, said.rule, said.table
    target, many = target_of(world, said.owner, held_field(value, rule.references), said.binding)
    uselist = flag(value, rule.many)
    many = rule.kind == "many_to_many" or (rule.kind != "foreign_key" and (many if uselist is None else uselist))
    lazy = held_field(value, rule.eager)
    eager = lazy is not None and lazy.constant in rule.eager_values
    table.relations[said.name] = Relation(said.name, target, many, eager, column, said.place)
    reverse = held_field(value, rule.reverse)
    reverse_name = reverse.constant if reverse is not None else None
    if isinstance(reverse_name, str) and reverse_name.endswith("+"):
        return
    if reverse_name is None and rule.reverse_default:
        reverse_name = rule.reverse_default.replace("{model}", table.info.name.lower())
    if isinstance(reverse_name, str) and target is not None:
        reverse_name = reverse_name.replace("%(class)s", table.info.name.lower())
        back = Relation(reverse_name, table.info, not rule.unique_default, False, column, said.place, is_back=True)
        world.reverse.setdefault(target, {}).setdefault(reverse_name, back)


def target_of(
    world: World, owner: ClassInfo, value: Value | None, binding: AssignBinding
) -> tuple[ClassInfo | None, bool]:
    """The class at the other side, and whether the annotation says that there are many."""
    many = False
    if binding.annotation is not None:
        inner = annotated(world, owner.module, binding.annotation)
        many = isinstance(inner.thing, ContainerThing)
        found = mapped_target(world, inner)
        if found is not None:
            return found, many
    if value is None:
        text = _quoted(binding.annotation)
        return (_named_class(world, owner, text), "list" in str(binding.annotation).lower()) if text else (None, many)
    thing = value.thing
    user = world.signatures.settings.get("user", "")
    if user and any(source.name == user and source.kind is OriginKind.SETTING for source in value.sources):
        return user_model(world), many
    if isinstance(thing, ClassThing):
        return thing.info, many or binding.annotation is None
    if isinstance(value.constant, str):
        return _named_class(world, owner, value.constant), many or binding.annotation is None
    return None, many


def _quoted(annotation: code.Expression | None) -> str:
    if isinstance(annotation, code.Constant) and isinstance(annotation.value, str):
        return annotation.value.strip("\"'")
    if isinstance(annotation, code.Subscript):
        return _quoted(annotation.key)
    return ""


def mapped_target(world: World, value: Value) -> ClassInfo | None:
    for each in value.alternatives():
        thing = each.thing
        if isinstance(thing, ContainerThing) and thing.items is not None:
            thing = thing.items.thing
        if isinstance(thing, InstanceThing) and model_base(world, thing.info):
            return thing.info
    return None


def _named_class(world: World, owner: ClassInfo, name: str) -> ClassInfo | None:
    """A mapped class by the name that another one uses for it."""
    if name == "self":
        return owner
    short = name.rpartition(".")[2]
    for found in world.linked.lookup(owner.module, short):
        if isinstance(found, ClassInfo):
            return found
    label = name.rpartition(".")[0]
    candidates = [c for c in world.linked.named(short) if model_base(world, c)]
    if len(candidates) > 1 and label:
        candidates = [c for c in candidates if label.lower() in c.module.name.lower().split(".")] or candidates
    return candidates[0] if candidates else None
