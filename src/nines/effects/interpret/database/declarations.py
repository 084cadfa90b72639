"""What a declaring call says: its rule, flags and texts."""

from __future__ import annotations

from dataclasses import dataclass

from nines.effects.interpret.state.world import World
from nines.effects.link import AssignBinding, ClassInfo
from nines.effects.mapped import Mapped
from nines.effects.signatures import ColumnRule
from nines.effects.values import Value
from nines.effects.values import field as held_field
from nines.model import code
from nines.model.place import Place


@dataclass(frozen=True, slots=True)
class Declaration:
    """An attribute of a mapped class that a call declares, and what the call's signature means."""

    table: Mapped
    owner: ClassInfo
    name: str
    value: Value
    rule: ColumnRule
    binding: AssignBinding
    place: Place


def rule_of(world: World, type: str) -> ColumnRule | None:
    signature = world.signatures.calls.get(type)
    return signature.column if signature else None


def is_optional(annotation: code.Expression | None) -> bool:
    text = str(annotation)
    return "Optional" in text or "Constant(value=None)" in text


def flag(value: Value, name: str) -> bool | None:
    held = held_field(value, name) if name else None
    return held.constant if held is not None and isinstance(held.constant, bool) else None


def text_of(value: Value, name: str) -> str:
    held = held_field(value, name) if name else None
    return held.constant if held is not None and isinstance(held.constant, str) else ""
