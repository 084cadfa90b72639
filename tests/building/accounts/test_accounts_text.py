"""The generated text, as whoever reviews it reads it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from nines import building, planning
from nines.building import accounts
from nines.model.blueprint import OF_ACCOUNTS, Action, Blueprint, Field, FieldKind
from nines.model.design import Design
from nines.readers import blueprint as reader
from tests.building.accounts.serving import BLUEPRINT, Login
from tests.planning.blueprints import blueprints

MINE = ("signing", "signing_shapes", "letters", "identity")


def _texts(design: Design) -> dict[str, str]:
    return {file.path: file.text for file in building.write(design)}


def _blueprint() -> Blueprint:
    return reader.read(BLUEPRINT)


def _without(*actions: Action) -> Blueprint:
    whole = _blueprint()
    return replace(whole, operations=tuple(each for each in whole.operations if each.do not in actions))


def test_every_operation_of_accounts_is_one_function_with_a_sentence() -> None:
    design = planning.plan(_blueprint())
    tree = ast.parse(_texts(design)["src/login/_generated/signing.py"])
    functions = [each for each in tree.body if isinstance(each, ast.AsyncFunctionDef) and each.decorator_list]
    # Beside those of the contract: the keys, and where they are.
    assert len(functions) == len([each for each in design.endpoints if each.action in OF_ACCOUNTS]) + 2
    assert all(ast.get_docstring(each) for each in functions)


@pytest.mark.parametrize(
    "missing",
    [
        (Action.REQUEST_SIGN_IN, Action.SIGN_IN_BY_CODE),
        (Action.REQUEST_RESET, Action.RESET_PASSWORD),
        (Action.SIGN_OUT, Action.SIGN_OUT_EVERYWHERE, Action.SEND_CODE),
        (Action.REGISTER, Action.VERIFY_CODE, Action.SEND_CODE),
    ],
    ids=str,
)
def test_what_is_not_asked_for_is_not_written(missing: tuple[Action, ...], tmp_path: Path) -> None:
    texts = _texts(planning.plan(_without(*missing)))
    for name in MINE:
        path = tmp_path / f"{name}.py"
        path.write_text(texts[f"src/login/_generated/{name}.py"], encoding="utf-8")
    # Undefined or unused names would be what is left of what is not there.
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,E", "--line-length", "120", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_where_people_sign_in_elsewhere_nothing_of_it_is_written() -> None:
    texts = _texts(planning.plan(reader.read(BLUEPRINT.with_name("payments.yaml"))))
    assert not [path for path in texts if "signing" in path or "letters" in path or "people" in path]


@pytest.mark.lab
def test_the_service_is_clean_by_its_own_rules(login: Login) -> None:
    folder = login.folder / "service"
    for words in (
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy", "--cache-dir", str(login.folder / "mypy")],
    ):
        checked = subprocess.run(
            [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False,
            env=login.environment(MYPYPATH=str(Path(__file__).parents[3] / "runtime" / "src")),
        )  # fmt: skip
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_of_any_blueprint_nothing_undefined_and_nothing_unused_is_written(tmp_path: Path) -> None:
    written: list[Path] = []

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
    @given(blueprints())
    def write(blueprint: Blueprint) -> None:
        for file in accounts.write(planning.plan(blueprint)):
            path = tmp_path / str(len(written)) / Path(file.path).name
            path.parent.mkdir()
            path.write_text(file.text, encoding="utf-8")
            written.append(path)

    write()
    assert len(written) > 10
    for words in (["check", "--select", "F,E"], ["format", "--check"]):
        checked = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "120", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("field", "unique", "given_others"),
    [
        (Field(name="full_name", kind=FieldKind.STRING, length_max=80), (), '{"full_name": "Ada Lovelace"}'),
        (Field(name="born_on", kind=FieldKind.DATE), (), '{"born_on": "2030-01-02"}'),
        (Field(name="nick", kind=FieldKind.STRING, length_max=20), (("nick",),), '{"nick": ""}'),
        (Field(name="secret", kind=FieldKind.STRING, length_max=20, is_encrypted=True), (), ""),
    ],
    ids=["a text", "a day", "a text of nobody else", "what the console cannot write"],
)
def test_the_console_gives_a_new_account_whatever_else_it_needs(
    field: Field, unique: tuple[tuple[str, ...], ...], given_others: str
) -> None:
    blueprint = _blueprint()
    kept = tuple(
        replace(each, fields=(*each.fields, field), unique=(*each.unique, *unique)) if each.name == "Account" else each
        for each in blueprint.resources
    )
    console = _texts(planning.plan(replace(blueprint, resources=kept))).get("src/login/people.py", "")
    assert (f"others={given_others}," in console) if given_others else not console
    assert ("VALUES ($1, $2, 'active', $4::text::date)" in console) == (field.kind is FieldKind.DATE)
