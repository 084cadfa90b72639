"""Who may call, on what, how often, and what events tell: what each change of it does to those who rely on it."""

from __future__ import annotations

from typing import Any

import pytest

from nines.checkers.contracts import compare, compare_events
from nines.model.change import Impact


def _contract(*, tenant: str = "", **guards: Any) -> dict[str, Any]:
    said = {f"x-{name.replace('_', '-')}": value for name, value in guards.items()}
    operation = {"responses": {"200": {"description": "Read."}}, **said}
    whole = {"x-tenant": tenant} if tenant else {}
    return {"openapi": "3.1.1", **whole, "paths": {"/v1/notes": {"get": operation}}}


def _told(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Impact]]:
    return [(each.rule, each.impact) for each in compare(before, after)]


@pytest.mark.parametrize(
    ("had", "has", "rules"),
    [
        ({"writer": ["own"]}, {"writer": ["own"]}, []),
        ({"writer": ["own"]}, {"writer": ["any"]}, []),
        ({"writer": ["own"], "reader": ["any"]}, {"writer": ["own"]}, ["caller-refused"]),
        ({"writer": ["any"]}, {"writer": ["own"]}, ["reach-narrowed"]),
        ({"writer": ["own", "tenant's"]}, {"writer": ["own"]}, ["reach-narrowed"]),
        ({"writer": ["own"]}, {"anybody signed in": ["any"]}, []),
        ({"anybody signed in": ["any"]}, {"writer": ["any"]}, ["caller-refused"]),
        ({}, {"writer": ["own"]}, []),
    ],
)
def test_whoever_was_let_in_is_let_in(had: dict[str, Any], has: dict[str, Any], rules: list[str]) -> None:
    found = _told(_contract(callers=had), _contract(callers=has))
    assert found == [(rule, Impact.BREAKING) for rule in rules]


def test_a_contract_that_says_nothing_of_its_callers_accuses_nobody() -> None:
    after = _contract(
        tenant="shop_id", callers={"writer": ["own"]}, limit={"requests": 1, "seconds": 60, "per": "subject"}
    )
    assert _told(_contract(), after) == []


def test_a_second_factor_a_tenant_and_fewer_calls_are_told() -> None:
    callers = {"writer": ["own"]}
    before = _contract(callers=callers, limit={"requests": 100, "seconds": 60, "per": "subject"})
    assert _told(before, _contract(callers=callers, second_factor=["writer"])) == [
        ("second-factor-required", Impact.BREAKING)
    ]
    assert _told(before, _contract(callers=callers, tenant="shop_id")) == [("tenant-required", Impact.BREAKING)]
    fewer = _contract(callers=callers, limit={"requests": 100, "seconds": 3_600, "per": "subject"})
    assert _told(before, fewer) == [("limit-lowered", Impact.RISKY)]
    assert _told(fewer, before) == []


def _events(version: int = 1, address: str = "notes.written", **members: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["type", *members],
        "properties": {"type": {"const": f"notes.written.v{version}"}, **{k: {"type": v} for k, v in members.items()}},
    }
    return {
        "asyncapi": "3.0.0",
        "channels": {
            "Written": {"address": address, "messages": {"Written": {"$ref": "#/components/messages/Written"}}}
        },
        "components": {
            "messages": {"Written": {"payload": {"$ref": "#/components/schemas/Written"}}},
            "schemas": {"Written": schema},
        },
    }


@pytest.mark.parametrize(
    ("before", "after", "rules"),
    [
        (_events(id="string"), _events(id="string"), set()),
        (_events(id="string"), _events(id="string", at="string"), set()),
        (_events(id="string", at="string"), _events(id="string"), {"answer-member-removed"}),
        (_events(id="string"), _events(id="integer"), {"answer-type-widened"}),
        (_events(id="string"), _events(2, id="string"), {"event-removed"}),
        (_events(id="string"), _events(address="others", id="string"), {"event-moved"}),
        (_events(id="string"), {}, {"event-removed"}),
    ],
)
def test_subscribers_are_told_what_they_would_miss(
    before: dict[str, Any], after: dict[str, Any], rules: set[str]
) -> None:
    found = compare_events(before, after)
    assert {each.rule for each in found if each.is_breaking} == rules
    assert all(each.operation == "event notes.written.v1" for each in found if each.is_breaking)


def test_a_wider_number_breaks_nobody_who_sends_it_and_may_break_who_reads_it() -> None:
    def contract(format_: str) -> dict[str, Any]:
        schema = {"type": "object", "properties": {"weight": {"type": "integer", "format": format_}}}
        content = {"content": {"application/json": {"schema": schema}}}
        operation = {"requestBody": content, "responses": {"201": {"description": "Made.", **content}}}
        return {"openapi": "3.1.1", "paths": {"/v1/tools": {"post": operation}}}

    narrow, wide = contract("int32"), contract("int64")
    assert _told(narrow, wide) == [("answer-form-changed", Impact.RISKY)]
    assert _told(wide, narrow) == [("request-form-changed", Impact.BREAKING)]


def test_a_key_that_becomes_unique_may_refuse_what_was_taken() -> None:
    def contract(*problems: str) -> dict[str, Any]:
        examples = {name: {"value": {"type": f"/problems/{name}"}} for name in problems}
        refused = {"description": "No.", "content": {"application/problem+json": {"examples": examples}}}
        operation = {"x-callers": {"writer": ["own"]}, "responses": {"409": refused}}
        return {"openapi": "3.1.1", "paths": {"/v1/tools": {"post": operation}}}

    before, after = contract("in-flight"), contract("in-flight", "already-exists")
    assert _told(before, after) == [("unique-key-added", Impact.RISKY)]
    assert _told(after, before) == []


TOKENS = {
    "issuer": "https://one.example", "audience": "notes", "algorithms": ["EdDSA", "ES256"], "types": ["at+jwt", "JWT"],
    "roles_claim": "roles",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"issuer": "https://other.example"}, "tokens have to be issued by https://other.example"),
        ({"audience": "others"}, "tokens have to be meant for others, and no longer notes"),
        ({"roles_claim": "realm_access.roles"}, "tokens have to tell of roles in realm_access.roles"),
        ({"algorithms": ["ES256"]}, "tokens signed with EdDSA are no longer believed"),
        ({"types": ["at+jwt"]}, "tokens called JWT are no longer believed"),
        ({"algorithms": ["EdDSA", "ES256", "RS256"]}, ""),
        ({"issuer": ""}, ""),
    ],
)
def test_whoever_holds_a_token_that_is_no_longer_believed_is_told(change: dict[str, Any], says: str) -> None:
    found = list(compare({**_contract(), "x-tokens": TOKENS}, {**_contract(), "x-tokens": {**TOKENS, **change}}))
    assert [(each.rule, each.impact) for each in found] == ([("token-refused", Impact.BREAKING)] if says else [])
    assert all(each.says.startswith(says) for each in found)
    assert _told(_contract(), {**_contract(), "x-tokens": TOKENS}) == []
