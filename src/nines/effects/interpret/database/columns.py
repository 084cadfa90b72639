"""What the attributes of a mapped class declare: columns and keys."""

from __future__ import annotations

from nines.effects.interpret.database.declarations import Declaration, flag, is_optional, rule_of, text_of
from nines.effects.interpret.database.relations import mapped_target, relate, target_of
from nines.effects.interpret.naming.annotations import annotated
from nines.effects.interpret.naming.resolve import class_binding_value
from nines.effects.interpret.state.entrances import evaluate, table_of
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.link import AssignBinding, ClassInfo
from nines.effects.mapped import Mapped, MappedColumn
from nines.effects.values import ContainerThing, InstanceThing, LibraryThing, ObjectThing, Value
from nines.effects.values import field as held_field
from nines.model import code
from nines.model.place import Place

_SCALARS = {
    "int": "integer",
    "str": "text",
    "bool": "boolean",
    "float": "double precision",
    "bytes": "bytea",
    "datetime": "timestamp",
    "date": "date",
    "time": "time",
    "timedelta": "interval",
    "Decimal": "numeric",
    "UUID": "uuid",
}


def declared_by_functions(world: World, owner: ClassInfo) -> dict[str, AssignBinding]:
    """What functions of a mixin return for each class that is made with it: columns, relations, constraints."""
    found: dict[str, AssignBinding] = {}
    for name, method in owner.methods.items():
        if any(_makes_attribute(world, owner, decorator) for decorator in method.node.decorators):
            returned = next((s for s in reversed(method.body) if isinstance(s, code.Return)), None)
            value = returned.value if returned is not None else None
            found[name] = AssignBinding(value, method.node.returns, method.node.line)
    return found


def _makes_attribute(world: World, owner: ClassInfo, decorator: code.Expression) -> bool:
    if not isinstance(decorator, code.Name | code.Attribute):
        return False
    thing = evaluate(Frame(world, owner.module), decorator).thing
    signature = world.signatures.calls.get(thing.name) if isinstance(thing, LibraryThing) else None
    return signature is not None and signature.decorates == "attribute"


def add_attribute(world: World, table: Mapped, owner: ClassInfo, name: str, binding: AssignBinding) -> bool:
    """Adds what an attribute declares, in the place of what a base says under the same name; whether it is a part of
    the table, or surely none."""
    table.columns.pop(name, None)
    table.relations.pop(name, None)
    value = class_binding_value(world, owner, binding) if binding.value is not None else Value()
    place = Place(file=owner.module.file, line=binding.line)
    thing = value.thing
    rule = rule_of(world, thing.type) if isinstance(thing, ObjectThing) else None
    if rule is not None and isinstance(thing, ObjectThing):
        declare(world, Declaration(table, owner, name, value, rule, binding, place))
    elif binding.annotation is not None and name[:1] != "_" and _annotation_declares(world, table, owner, binding):
        inner = annotated(world, owner.module, binding.annotation)
        if not isinstance(inner.thing, InstanceThing | ContainerThing) or mapped_target(world, inner) is None:
            nullable = is_optional(binding.annotation)
            kind = _annotation_type(world, inner, binding.annotation)
            table.columns[name] = MappedColumn(name, name, kind, nullable, place=place)
    return not value.is_vague or name in table.columns


def _annotation_declares(world: World, table: Mapped, owner: ClassInfo, binding: AssignBinding) -> bool:
    """Whether an annotation alone is a column: always where fields are (SQLModel), else only inside a mapping type."""
    if world.signatures.trait(table.base, "data"):
        return True
    annotation = binding.annotation
    if isinstance(annotation, code.Subscript):
        frame = Frame(world, owner.module)
        outer = evaluate(frame, annotation.value).thing
        signature = world.signatures.calls.get(outer.name) if isinstance(outer, LibraryThing) else None
        # The type of a column that a base merely announces (`if TYPE_CHECKING:`) is declared by whoever assigns it.
        return signature is not None and signature.column is not None and signature.mechanism == "first_argument"
    return False


def _annotation_type(world: World, value: Value, annotation: code.Expression) -> str:
    """The type of a column that only its annotation tells."""
    thing = value.thing
    found = world.signatures.trait(thing.type, "column_type") if isinstance(thing, ObjectThing) else None
    return found if isinstance(found, str) else _scalar_type(annotation)


def _scalar_type(annotation: code.Expression) -> str:
    """What Python's own scalars are in SQL, inside whatever says that they are mapped or optional."""
    if isinstance(annotation, code.Constant) and isinstance(annotation.value, str):
        return _SCALARS.get(annotation.value.rpartition(".")[2], "")
    if isinstance(annotation, code.Subscript):
        inside = annotation.key
        parts = inside.items if isinstance(inside, code.Sequence) else (inside,)
        return next((found for part in parts if (found := _scalar_type(part))), "")
    if isinstance(annotation, code.Binary):
        return _scalar_type(annotation.left) or _scalar_type(annotation.right)
    name = annotation.id if isinstance(annotation, code.Name) else getattr(annotation, "name", "")
    return _SCALARS.get(name, "")


def declare(world: World, said: Declaration) -> None:
    """Adds what one declaring call says: a column, a key, a relation."""
    value, rule = said.value, said.rule
    if rule.kind == "none":
        return
    if rule.kind in ("relation", "many_to_many"):
        relate(world, said)
        return
    own_name = text_of(value, rule.name_argument)
    column = MappedColumn(said.name, own_name or said.name + rule.suffix, place=said.place)
    annotation = said.binding.annotation
    column.type = rule.type or _column_type(world, value) or (_scalar_type(annotation) if annotation else "")
    column.is_primary = flag(value, rule.primary) is True
    column.is_unique = rule.unique_default or flag(value, rule.unique) is True
    indexed = flag(value, rule.index)
    column.is_indexed = rule.index_default if indexed is None else indexed
    null = flag(value, rule.null)
    column.is_nullable = null if null is not None else rule.null_default
    if column.is_nullable is None and said.binding.annotation is not None:
        column.is_nullable = is_optional(said.binding.annotation)
    _refer(world, said, column)
    _add_nested(world, value, column)
    column.attribute = said.name + rule.suffix
    said.table.columns[column.attribute] = column
    if rule.kind == "foreign_key" or rule.suffix:
        relate(world, said, column.name)


def _refer(world: World, said: Declaration, column: MappedColumn) -> None:
    """A foreign key, given as text or as a class."""
    rule, table = said.rule, said.table
    own = held_field(said.value, rule.references) if rule.references else None
    if own is not None and isinstance(own.constant, str) and rule.kind == "column":
        column.references = own.constant.lower()
    elif rule.kind == "foreign_key" and own is not None:
        target = target_of(world, said.owner, own, AssignBinding(None, None, 0))[0]
        if target is table.info:
            column.references = f"{table.name}.id"
        elif target is not None:
            other = table_of(world, target)
            column.references = f"{other.name}.{other.key or 'id'}" if other else ""


def _add_nested(world: World, value: Value, column: MappedColumn) -> None:
    """What declarations inside the call say: a foreign key, a column's own flags."""
    thing = value.thing
    for _, held in thing.fields if isinstance(thing, ObjectThing) else ():
        inner = held.thing
        nested = rule_of(world, inner.type) if isinstance(inner, ObjectThing) else None
        if nested is None:
            continue
        if nested.kind == "foreign_key":
            text = held_field(held, nested.references)
            if text is not None and isinstance(text.constant, str):
                column.references = text.constant.lower()
        elif nested.kind == "column":
            column.is_primary = column.is_primary or flag(held, nested.primary) is True
            column.is_unique = column.is_unique or flag(held, nested.unique) is True
            column.is_indexed = column.is_indexed or flag(held, nested.index) is True


def _column_type(world: World, value: Value) -> str:
    thing = value.thing
    if not isinstance(thing, ObjectThing):
        return ""
    for _, held in thing.fields:
        inner = held.thing
        name = inner.type if isinstance(inner, ObjectThing) else inner.name if isinstance(inner, LibraryThing) else ""
        found = world.signatures.trait(name, "column_type") if name else None
        if isinstance(found, str):
            return found
    return ""
