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
    addresses = {"RATES_URL": "http://localhost:9000", "SHOP_DSN": "postgresql://localhost/shop"}
    assert defaults == {**addresses, "SHOP_LIMIT": "3"}
    assert {name for name, v in found.items() if not v.is_declared and not v.value} >= {
        "OPTIONAL",
        "LATER",
        "SHOP_TAGS",
    }


NESTED = """\
from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Pool(BaseModel):
    size: int = 5


class Database(BaseModel):
    hostname: str
    port: int = 5432
    pool: Pool = Pool()


class Base(BaseSettings):
    model_config = {"env_nested_delimiter": "__", "env_prefix": "shop_"}


class AppSettings(Base):
    database: Database
    spare: Database = Field(default_factory=Database)
    url: str = Field(validation_alias="PUBLIC_URL")


class Old(BaseSettings):
    class Config:
        env_prefix = "old_"

    debug: bool = True
"""


def test_parts_of_settings_prefixes_and_names_of_their_own(tmp_path: Path) -> None:
    found = {v.name: v for v in asked(tmp_path, {"settings.py": NESTED}).variables}
    assert {name for name, v in found.items() if v.is_declared} == {"SHOP_DATABASE__HOSTNAME", "PUBLIC_URL"}
    values = {name: v.value for name, v in found.items() if v.is_default}
    assert values["SHOP_DATABASE__PORT"] == values["SHOP_SPARE__PORT"] == "5432"
    assert values["SHOP_DATABASE__POOL__SIZE"] == "5"
    assert values["OLD_DEBUG"] == "True"
    assert found["SHOP_SPARE__HOSTNAME"].value == ""


OBJECTS = """\
import environ
from decouple import config

env = environ.Env(DEBUG=(bool, False), LEVEL=(str, "info"))
DEBUG = env("DEBUG")
LEVEL = env.str("LEVEL")
KEY = env("SECRET_KEY")
HOSTS = env.list("ALLOWED_HOSTS", default=["a"])
WORKERS = env.int("WORKERS", 2)
DATABASES = {"default": env.db(default="sqlite:///x")}
TOKEN = config("TOKEN")
TIMES = config("TIMES", cast=int, default=3)
FLAG = config("FLAG", bool, True)
NOT_ASKED = config("not a name")
if FLAG:
    MAIL = env("MAIL_HOST")
"""


def test_objects_that_are_asked_by_name(tmp_path: Path) -> None:
    found = {v.name: v for v in asked(tmp_path, {"settings.py": OBJECTS}).variables}
    assert {name for name, v in found.items() if v.is_declared} == {"SECRET_KEY", "TOKEN"}
    assert {name: v.value for name, v in found.items() if v.is_default} == {
        "DEBUG": "False",
        "LEVEL": "info",
        "WORKERS": "2",
        "DATABASE_URL": "sqlite:///x",
        "TIMES": "3",
        "FLAG": "True",
    }
    assert {"ALLOWED_HOSTS", "MAIL_HOST"} <= found.keys()
    assert "not a name" not in found


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


def test_the_usual_address_of_a_database_that_is_not_named(tmp_path: Path) -> None:
    text = "import dj_database_url\nDATABASES = {'default': dj_database_url.config(default='sqlite:///x')}\n"
    found = asked(tmp_path, {"settings.py": text}).get("DATABASE_URL")
    assert found is not None
    assert (found.value, found.is_default) == ("sqlite:///x", True)
