"""What the declaration of a mapped class says of its columns' types."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.effects.reading import service

_HEAD = """
from datetime import datetime
from decimal import Decimal
from typing import Optional
from uuid import UUID
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, synonym
from somewhere import OwnType
class Base(DeclarativeBase): pass
class Thing(Base):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(primary_key=True)
"""


@pytest.mark.parametrize(
    ("declaration", "type"),
    [
        ("x: Mapped[datetime]", "timestamp"),
        ("x: Mapped[UUID | None] = mapped_column(OwnType)", "uuid"),
        ("x: Mapped[Optional[Decimal]] = mapped_column()", "numeric"),
        ("x: Mapped['bytes'] = mapped_column(OwnType)", "bytea"),
        ("x: Mapped[int] = mapped_column(String)", "text"),
        ("x: Mapped[OwnType] = mapped_column(OwnType)", ""),
    ],
)
def test_the_declared_type_comes_before_the_annotation(declaration: str, type: str, tmp_path: Path) -> None:
    found = service(tmp_path, {"app.py": f"{_HEAD}    {declaration}\n"})
    column = found.tables[0].column("x")
    assert column is not None
    assert column.type == type


def test_another_name_for_a_column_is_no_column(tmp_path: Path) -> None:
    text = '    @declared_attr\n    def other(cls) -> Mapped[int]:\n        return synonym("id")\n'
    table = service(tmp_path, {"app.py": _HEAD + text}).tables[0]
    assert [column.name for column in table.columns] == ["id"]
    assert table.is_complete
