"""What the chapter on security says, for the examples, for any blueprint, and for code that was read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from nines import planning
from nines.dossier.chapters import security
from nines.model.blueprint import Blueprint, Promises
from nines.model.design import Design
from nines.model.effect import Deadline, Effect, EffectKind, Known
from nines.model.place import Place
from nines.model.service import Endpoint, EndpointKind, Guard, GuardKind, Service
from nines.model.trace import Trace, Witness
from nines.readers import blueprint as reader
from tests.planning.blueprints import blueprints

EXAMPLES = sorted(Path("examples/blueprints").glob("*.yaml"))
SLOWLY = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def page(design: Design) -> str:
    return next(iter(security.write(design))).text


def rows(text: str, first: str) -> dict[str, list[str]]:
    """The rows of the table whose head begins with the column, by their first cell."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    found = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        found[cells[0].strip("` ")] = [cell.strip() for cell in cells[1:]]
    return found


def design_of(name: str) -> Design:
    return planning.plan(reader.read(Path(f"examples/blueprints/{name}.yaml")))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_operation_threat_and_secret_of_the_examples_is_on_the_page(path: Path) -> None:
    design = planning.plan(reader.read(path))
    text = page(design)
    assert text == page(planning.plan(reader.read(path)))
    assert set(rows(text, "operation")) == {endpoint.id for endpoint in design.endpoints}
    for threat in design.threats:
        assert threat.id in text
    for secret in design.secrets:
        assert f"`{secret.name}`" in text
    for code, _title in ((each.code, each.title) for each in design.answers):
        assert f"| {code} " in text
    assert "None" not in text


def test_the_matrix_says_on_whose_objects() -> None:
    found = rows(page(design_of("payments")), "operation")
    assert found["getPayment"][1:4] == ["401", "own", "any"]
    assert found["createPayment"][1:] == ["401", "yes", "403", "403"]
    found = rows(page(design_of("login")), "operation")
    assert found["signIn"][1:] == ["yes", "yes", "yes"]
    assert found["getAccount"][1:] == ["401", "own", "any"]


def test_an_operation_that_no_role_can_carry_out_is_named() -> None:
    text = Path("examples/blueprints/login.yaml").read_text(encoding="utf-8")
    assert "list: role:support" in text
    changed = text.replace("list: role:support", "list: role:auditor").replace(
        "roles:\n", "roles:\n  auditor: {says: Looks.}\n", 1
    )
    said = page(planning.plan(reader.parse(changed)))
    assert "do not fit together:** `listAccounts`" in said
    assert "do not fit together" not in page(design_of("payments"))


def test_personal_data_is_listed_with_its_end_and_the_places_where_it_also_stands() -> None:
    found = rows(page(design_of("payments")), "column")
    assert set(found) == {"accounts.label", "payments.note"}
    purpose, kept, ends, erased, elsewhere = found["payments.note"]
    assert (purpose, kept, ends, erased) == (
        "not said",
        "clear text on an encrypted volume",
        "7 y after its last change",
        "nothing",
    )
    assert "idempotency_keys.body" in elsewhere
    assert "gateway" in elsewhere
    assert rows(page(design_of("notifications")), "column")["pushes.device_token"][1] == "ciphertext"


def test_the_file_for_tools_has_the_threats_of_the_page() -> None:
    design = design_of("shop")
    document = json.loads(next(d for d in security.write(design) if d.path.endswith(".json")).text)
    assert [each["id"] for each in document["threats"]] == [each.id for each in design.threats]
    assert len(document["owasp"]) == 10


@SLOWLY
@given(blueprints())
def test_any_blueprint_has_a_page_that_is_written_the_same_twice(blueprint: Blueprint) -> None:
    design = planning.plan(blueprint)
    first, second = (tuple(security.write(design)) for _ in range(2))
    assert first == second
    for document in first:
        assert document.text.endswith("\n")
        assert not document.text.endswith("\n\n")


def recovered() -> Design:
    place = Place(file="app.py", line=3)
    endpoints = [
        Endpoint(
            id=f"{method} /orders/{{order_id}}",
            kind=EndpointKind.HTTP,
            function=f"app.{method}",
            place=place,
            method=method,
            path="/orders/{order_id}",
            guards=guards,
        )
        for method, guards in (
            ("GET", (Guard(kind=GuardKind.AUTHENTICATION, name="app.who", place=place),)),
            ("DELETE", ()),
        )
    ]
    call = Effect(
        kind=EffectKind.REMOTE_CALL,
        target="https://pay.example/v1/refunds",
        action="POST",
        library="httpx",
        deadline=Deadline(known=Known.MISSING),
    )
    traces = (Trace(endpoint=endpoints[1].id, witness=Witness.PREDICTED, effects=(call,)),)
    return planning.recover(
        Service(name="shop", endpoints=tuple(endpoints), traces=traces), budgets=Promises(), where="shop"
    )


def test_of_code_only_what_was_read_is_called_mitigated() -> None:
    design = recovered()
    text = page(design)
    assert "This was read from the code of `shop`" in text
    spoofing = [each for each in design.threats if each.element == "process:shop" and each.stride.value == "spoofing"]
    assert "DELETE /orders/{order_id}" in spoofing[0].mitigation
    assert spoofing[0].is_open
    late = [each for each in design.threats if "deadline" in each.mitigation and each.is_open]
    assert any("DELETE /orders/{order_id}" in each.mitigation for each in late)
    assert all(each.is_open for each in design.threats if each.mitigation.startswith("Not known."))
    assert "Which secrets the service needs was not read." in text
    assert rows(text, "operation")["GET /orders/{order_id}"] == ["401", "yes"]
    assert rows(text, "operation")["DELETE /orders/{order_id}"] == ["yes", "yes"]
