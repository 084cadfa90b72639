"""What a backend asks its environment for, as its code and its example file tell."""

from __future__ import annotations

from pathlib import Path

from nines.readers import environment, python
from nines.readers.environment import Environment

SETTINGS = """\
import os
from os import environ, getenv
from typing import ClassVar
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

os.environ["WRITTEN"] = "x"
os.environ.setdefault("DEFAULTED", "x")
A = os.environ["NEEDED"]
B = environ.get("OPTIONAL")
C = getenv("RATES_URL", "http://localhost:9000")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="shop_")
    known: ClassVar[int]
    region: str
    secret: str = Field(min_length=32)
    dsn: str = "postgresql://localhost/shop"
    limit: int = Field(default=3)
    tags: list[str] = Field(default_factory=list)


def later():
    return os.environ["LATER"]


if __name__ == "__main__":
    print(os.environ["PROGRAM"])
"""


def asked(folder: Path, files: dict[str, str]) -> Environment:
    for name, text in files.items():
        (folder / name).write_text(text)
    return environment.read(folder, python.read(folder))


def test_required_and_default(tmp_path: Path) -> None:
    found = {v.name: v for v in asked(tmp_path, {"settings.py": SETTINGS}).variables}
    assert {name for name, v in found.items() if v.is_declared} == {"NEEDED", "SHOP_REGION", "SHOP_SECRET"}
    defaults = {name: v.value for name, v in found.items() if v.is_default}
    assert defaults == {"RATES_URL": "http://localhost:9000", "SHOP_DSN": "postgresql://localhost/shop"}


def test_the_example_file_goes_first(tmp_path: Path) -> None:
    found = asked(tmp_path, {"settings.py": SETTINGS, ".env.example": "NEEDED=1\nexport shop_region='eu' # here\n"})
    assert (found.file, found.is_example) == (".env.example", True)
    for name in ("NEEDED", "SHOP_REGION"):
        variable = found.get(name)
        assert variable is not None
        assert not variable.is_declared


def test_quotes_and_comments_are_no_part_of_a_value(tmp_path: Path) -> None:
    text = 'A="a # b" # c\nB=\'x\'\nC=plain # said\nD="open\nE=${B}y\n'
    found = asked(tmp_path, {".env.example": text})
    assert {v.name: v.value for v in found.variables} == {"A": "a # b", "B": "x", "C": "plain", "D": '"open', "E": "xy"}
