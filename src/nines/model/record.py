"""The base of every noun: frozen, keyword-only, compared by value, serialisable as JSON and MessagePack."""

from __future__ import annotations

from typing import Any, dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class RecordMeta(msgspec.StructMeta):
    """Makes every subclass frozen and keyword-only; msgspec inherits the first and not the second."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        options = {"frozen": True, "kw_only": True, "omit_defaults": True} | options
        return super().__new__(cls, name, bases, namespace, **options)


class Record(msgspec.Struct, metaclass=RecordMeta):
    """An immutable value; `msgspec.structs.replace` makes a changed copy."""


class StrictRecord(Record, forbid_unknown_fields=True):
    """A record read from a person's file: an unknown key is an error, for a misspelt setting must not be ignored."""


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class NodeMeta(msgspec.StructMeta):
    """Makes every subclass frozen, array-encoded and tagged with its name."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        options = {"frozen": True, "array_like": True, "gc": False, "tag": True} | options
        return super().__new__(cls, name, bases, namespace, **options)
