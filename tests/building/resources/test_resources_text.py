"""What is written is what its owner will read: laid out, clean and typed, for every blueprint."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, reject, settings

from nines import building
from nines.building import resources
from nines.building.project.tooling import RULES
from nines.model.blueprint import Blueprint, Event, FieldKind
from nines.model.design import Design
from nines.model.errors import UsageError
from nines.planning import plan
from nines.readers import blueprint as blueprint_reader
from tests.building.resources.running import ROOT
from tests.dossier.designs import EXAMPLES, example
from tests.planning.blueprints import blueprints

CLINIC = "clinic"
"""With what the examples do not have: lists, encrypted keys, decimals, operations that are the owner's own."""
UNLIKE = ("booking", "collisions", "fulfilment", "helpdesk", "newsletter", "oddities", "scans")
"""Of other kinds: slots and their bookings, names that everything else wants too, tenants of people who sign in
here, letters, whatever may be missing, writes that share their commits."""


def _design(name: str) -> Design:
    return example(name) if name in EXAMPLES else plan(blueprint_reader.read(Path(__file__).with_name(f"{name}.yaml")))


def _lay_out(design: Design, folder: Path, *, only_resources: bool = False) -> None:
    files = resources.write(design) if only_resources else building.write(design)
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")


def _run(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", *words]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]


@pytest.mark.parametrize("name", [*EXAMPLES, CLINIC, *UNLIKE])
def test_the_python_of_a_service_is_laid_out_and_clean(name: str, tmp_path: Path) -> None:
    _lay_out(_design(name), tmp_path)
    _run(tmp_path, "ruff", "format", "--check", "--quiet", "src")
    _run(tmp_path, "ruff", "check", "--quiet", "--no-cache", "src")


@pytest.mark.parametrize("name", ["payments", "shop", "notifications", "login", CLINIC, *UNLIKE])
def test_the_python_of_a_service_is_typed(name: str, tmp_path: Path) -> None:
    _lay_out(_design(name), tmp_path)
    settings_file = tmp_path / "pyproject.toml"
    text = settings_file.read_text(encoding="utf-8")
    settings_file.write_text(
        text.replace('mypy_path = "src"', f'mypy_path = "src:{ROOT}/runtime/src"'), encoding="utf-8"
    )
    cache = Path(tempfile.gettempdir()) / "nines-mypy-of-built-services"
    _run(tmp_path, "mypy", "--cache-dir", str(cache), "src")


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(blueprints())
def test_the_python_of_any_blueprint_is_laid_out_and_clean(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    with tempfile.TemporaryDirectory(prefix="nines-") as name:
        folder = Path(name)
        try:
            _lay_out(design, folder, only_resources=True)
        except UsageError:
            reject()
        width = ("--line-length", "120", "--isolated")
        _run(folder, "ruff", "format", "--check", "--quiet", *width, "src")
        # As a service's own settings have it; and which imports are its own is not told here.
        rules = ("--select", ",".join(RULES), "--ignore", "S105,I,C901")
        _run(folder, "ruff", "check", "--quiet", "--no-cache", *rules, *width, "src")


def test_an_operation_over_modules_tells_of_its_end_where_somebody_wants_to_know() -> None:
    blueprint = example("shop").blueprint
    assert blueprint is not None
    told = Event(name="order.placed", version=2)
    events = msgspec.structs.replace(blueprint.events, types=(*blueprint.events.types, told))
    operations = tuple(
        msgspec.structs.replace(each, emits=("order.placed",)) if each.saga else each for each in blueprint.operations
    )
    changed = msgspec.structs.replace(blueprint, events=events, operations=operations)
    texts = {name: _sagas(plan(each)) for name, each in (("plain", blueprint), ("told", changed))}
    assert "finished=" not in texts["plain"]
    assert "finished=partial(place_order_finished, service)" in texts["told"]
    assert '"order.placed"' in texts["told"]
    assert "version=2" in texts["told"]


def test_what_cannot_wait_in_a_row_is_refused() -> None:
    """What is decided before others are asked is kept with the reservation: no place for secrets."""
    blueprint = _design(CLINIC).blueprint
    assert blueprint is not None
    operations = tuple(
        msgspec.structs.replace(each, calls=("insurer.enrol",)) if each.name == "updatePatient" else each
        for each in blueprint.operations
    )
    with pytest.raises(UsageError, match="encrypted fields"):
        building.write(plan(msgspec.structs.replace(blueprint, operations=operations)))


@pytest.mark.parametrize("name", [*EXAMPLES, CLINIC, *UNLIKE])
def test_what_a_list_is_narrowed_by_never_decides_whose_rows_it_shows(name: str) -> None:
    """A filter that has to be converted once took the place of the question for a role."""
    conditions = [
        line.strip()
        for file in building.write(_design(name))
        if "/_generated/" in file.path
        for line in file.text.splitlines()
        if re.match(r"\s+(?:if|elif) .*(?:is not None|call\.has)", line)
    ]
    assert not [each for each in conditions if " if " in each.removeprefix("el").removeprefix("if ")]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"do": "read", "calls": ("insurer.ask",)}, "read and asks"),
        ({"id": "int64"}, "is counted"),
        ({"isolation": "schema"}, "a schema for each practice_id"),
    ],
    ids=["a read that asks others", "a counted identifier", "tenants in schemas of their own"],
)
def test_what_no_writer_knows_is_refused_and_not_left_out(changed: dict[str, Any], says: str) -> None:
    blueprint = _design(CLINIC).blueprint
    assert blueprint is not None
    if "calls" in changed:
        operations = tuple(
            msgspec.structs.replace(each, calls=changed["calls"]) if each.name == "getVisit" else each
            for each in blueprint.operations
        )
        blueprint = msgspec.structs.replace(blueprint, operations=operations)
    elif "isolation" in changed:
        assert blueprint.tenancy is not None
        blueprint = msgspec.structs.replace(blueprint, tenancy=msgspec.structs.replace(blueprint.tenancy, **changed))
    else:
        kept = tuple(
            msgspec.structs.replace(each, identifier=msgspec.structs.replace(each.identifier, kind=FieldKind.INT64))
            if each.name == "Doctor"
            else each
            for each in blueprint.resources
        )
        blueprint = msgspec.structs.replace(blueprint, resources=kept)
    with pytest.raises(UsageError, match=says):
        building.write(plan(blueprint))


def test_a_function_of_the_owner_hears_what_others_answer_about_nothing_that_is_kept() -> None:
    files = {file.path: file.text for file in building.write(_design("fulfilment"))}
    others = files["src/fulfilment/_generated/others.py"]
    assert "told = await service.rates.quote(call.deadline, body, " in others
    assert "await quote.quote(tx, call, body, told)" in others
    assert "told: dict[str, Any]" in files["src/fulfilment/operations/quote.py"]
    assert '"/quote", body, verb="quote"' in files["src/fulfilment/gateways/rates.py"]
    # Without the one that only recommends the operation goes on; without the other it does not.
    assert others.count("except Unanswered:") == 1
    assert "Without recommender it goes on" in others


def test_a_broken_invariant_is_told_alone() -> None:
    files = {file.path: file.text for file in building.write(_design("booking"))}
    told = re.findall(r'"invariant-broken",\s*"(.*) would', files["src/clinic_bookings/_generated/constraints.py"])
    assert sorted(told) == ["starts_at < ends_at", "taken <= capacity"]


def test_a_first_page_has_a_request_where_nothing_can_be_made() -> None:
    files = {file.path: file.text for file in building.write(_design("booking"))}
    assert "/v1/practitioners" in files["README.md"]


def test_mail_about_rows_leaves_by_what_carries_mail() -> None:
    files = {file.path: file for file in building.write(_design("newsletter"))}
    gateway = files["src/newsletter/gateways/mail.py"]
    assert gateway.is_owned
    assert "def mail(settings: GeneratedSettings" in gateway.text
    assert "mail_gateway.mail(settings, calls)" in files["src/newsletter/_generated/application.py"].text


def _sagas(design: Design) -> str:
    return next(file.text for file in resources.write(design) if file.path.endswith("_generated/sagas.py"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_second_build_changes_no_byte(name: str) -> None:
    assert building.write(example(name)) == building.write(example(name))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_statement_of_the_design_is_sent_as_it_was_planned(name: str) -> None:
    """Only where its lines are broken may differ."""
    design = example(name)
    text = next(file.text for file in building.write(design) if file.path.endswith("_generated/sql.py"))
    scope: dict[str, str] = {}
    exec(compile(text, "sql.py", "exec"), scope)
    written = {" ".join(value.split()) for key, value in scope.items() if key.isupper()}
    assert {" ".join(query.text.split()) for query in design.queries} <= written


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_the_owner_gets_is_never_generated(name: str) -> None:
    for file in building.write(example(name)):
        assert not (file.is_owned and "/_generated/" in file.path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_operation_has_a_function_with_its_guards(name: str) -> None:
    design = example(name)
    texts = "\n".join(file.text for file in building.write(design) if "/_generated/" in file.path)
    for endpoint in design.endpoints:
        found = re.search(rf'@operations\.{endpoint.method.lower()}\([^@]*?id="{endpoint.id}"[^@]*?\nasync def ', texts)
        assert found is not None, endpoint.id
        assert f'"{endpoint.path}"' in found[0]
        assert ("is_public=True" in found[0]) == endpoint.is_public
        assert ("needs_if_match=True" in found[0]) == endpoint.needs_if_match
        assert ("key=" in found[0]) == (endpoint.idempotency is not None)
        assert all(f'"{role}"' in found[0] for role in endpoint.roles if not endpoint.is_public)
