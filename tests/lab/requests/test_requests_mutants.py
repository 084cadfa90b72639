"""Wrong variants: many, bounded, repeatable, and told apart by the contract."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from nines.model.contract import Contract
from nines.model.experiment import Mutant
from tests.lab.requests.documents import BANK, NAME, SHOWN, operation, parameter, thing
from tests.lab.requests.fakes import Store, planner

RICH = Contract(
    operations=(
        operation(
            "POST",
            "/things",
            body=thing(
                name={"type": "string", "minLength": 1, "maxLength": 20},
                amount={"type": "integer", "minimum": 1},
                kind={"enum": ["a", "b"]},
                lines={"type": "array", "items": thing(quantity={"type": "integer"})},
                when={"type": "string", "format": "date-time"},
            )
            | {"additionalProperties": False},
            shows=SHOWN,
            extra=(parameter("limit", "query", {"type": "integer", "minimum": 1}),),
        ),
    )
)


def mutants(contract: Contract, id: str, limit: int = 1_000) -> tuple[Mutant, ...]:
    made = planner(contract, Store())
    found = contract.operation(id)
    assert found is not None
    call = asyncio.run(made.prepare(found, "owner"))
    assert call is not None
    return made.mutants(call, limit)


def test_the_contract_decides_what_is_invalid() -> None:
    found = {mutant.variant: mutant for mutant in mutants(RICH, "POST /things")}
    assert found["body.name: left out"].is_invalid
    assert found["body.name: null"].is_invalid
    assert found["body.name: empty text"].is_invalid
    assert found["body.name: one character too long"].is_invalid
    assert not found["body.name: a NUL character"].is_invalid
    assert not found["body.amount: a number beyond 64 bits"].is_invalid
    assert found["body.amount: a negative number"].is_invalid
    assert found["body.amount: text instead of a number"].is_invalid
    assert found["body.kind: not one of the alternatives"].is_invalid
    assert found["body.lines.0.quantity: text instead of a number"].is_invalid
    assert found["body.when: a day that does not exist"].is_invalid
    assert found["body.nines_unknown_field: unknown field"].is_invalid
    assert found["body: broken JSON"].is_invalid
    assert found["query.limit: zero"].is_invalid
    assert not found["query.limit: a number beyond 64 bits"].is_invalid


def test_only_one_thing_is_changed() -> None:
    base: dict[str, Any] = {}
    for mutant in mutants(RICH, "POST /things"):
        if mutant.variant == "body.amount: zero":
            base = json.loads(mutant.call.body)
    for mutant in mutants(RICH, "POST /things"):
        if mutant.variant.startswith("body.name: a NUL"):
            body = json.loads(mutant.call.body)
            assert body["name"] == "nines\0"
            assert {k: v for k, v in body.items() if k not in ("name", "amount")} == {
                k: v for k, v in base.items() if k not in ("name", "amount")
            }


def test_the_limit_is_kept_and_every_part_has_its_turn() -> None:
    few = mutants(RICH, "POST /things", 12)
    assert len(few) == 12
    assert {mutant.variant.partition(":")[0].partition(".")[0] for mutant in few} >= {"body", "query"}
    assert [m.variant for m in few] == [m.variant for m in mutants(RICH, "POST /things", 12)]


def test_identifiers_are_made_absent_and_malformed() -> None:
    found = {mutant.variant: mutant for mutant in mutants(BANK, "GET /accounts/{account_id}")}
    assert (
        found["path.account_id: well-formed but absent"].call.path == "/accounts/00000000-0000-4000-8000-00000000dead"
    )
    assert not found["path.account_id: well-formed but absent"].is_invalid
    assert found["path.account_id: malformed"].is_invalid
    assert found["path.account_id: a NUL character"].call.path == "/accounts/nines%00"


def test_every_request_can_be_written() -> None:
    for mutant in mutants(RICH, "POST /things"):
        assert isinstance(mutant.call.body, bytes)
        mutant.call.path.encode("ascii")
        for name, value in mutant.call.headers:
            f"{name}: {value}".encode("latin-1")
            assert "\n" not in value


def test_items_of_a_list_are_left_out_by_themselves() -> None:
    tags = Contract(
        operations=(operation("POST", "/a", body=thing(tags={"type": "array", "items": NAME, "minItems": 1})),)
    )
    found = {mutant.variant: mutant.call.body for mutant in mutants(tags, "POST /a")}
    assert found["body.tags.0: left out"] == b'{"tags":[]}'
    assert found["body.tags.0: null"] == b'{"tags":[null]}'


def test_forms_are_made_wrong_too() -> None:
    form = Contract(
        operations=(operation("POST", "/a", body=thing(title=NAME), media="application/x-www-form-urlencoded"),)
    )
    variants = {mutant.variant for mutant in mutants(form, "POST /a")}
    assert "body.title: left out" in variants
    assert "body.title: empty text" in variants
    assert not any("JSON" in variant for variant in variants)
