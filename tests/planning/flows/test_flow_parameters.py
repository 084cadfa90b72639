"""What each argument of a statement stands for."""

from __future__ import annotations

from hypothesis import given, settings

from nines.model.blueprint import Blueprint
from nines.model.design import PlannedQuery
from nines.planning import plan
from tests.dossier.designs import example
from tests.planning.blueprints import blueprints


@settings(max_examples=30, deadline=None)
@given(blueprints())
def test_every_argument_is_told_what_it_stands_for(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    assert all(len(each.parameters) == len(each.arguments) for each in design.queries)
    assert all(all(each.parameters) and each.base for each in design.queries)


def _query(id: str) -> PlannedQuery:
    found = example("payments").query(id)
    assert found is not None
    return found


def test_what_others_tell_is_kept_with_the_move() -> None:
    settled = _query("settle-payment-as-captured")
    assert settled.parameters == ("to_status", "gateway_ref", "id", "pending_id")
    assert "gateway_ref = coalesce($2::text, gateway_ref)" in settled.text
    assert "gateway_ref" not in _query("release-payment").parameters
    assert _query("finish-payment-in-authorize-payments").parameters[1] == "gateway_ref"
    assert "gateway_ref" not in _query("give-up-payment-in-authorize-payments").parameters


def test_a_role_that_may_as_well_is_told_by_its_name() -> None:
    assert _query("reserve-payment").parameters[4:8] == ("id", "caller.tenant", "caller.subject", "has:merchant")


def test_a_page_is_asked_for_by_filters_and_what_comes_before_it() -> None:
    found = _query("list-payments-by-owner-and-status")
    assert found.parameters[2:] == (
        "filter:status",
        "from:created_at",
        "before:created_at",
        "after:created_at",
        "after:id",
        "limit",
    )


def test_the_job_that_settles_answers_the_key_unless_it_was_answered() -> None:
    finish = _query("finish-idempotency-key")
    assert "finishCapturePayment" in finish.used_by
    assert finish.text.endswith("AND status_code IS NULL")


def test_columns_tell_the_member_that_they_keep() -> None:
    table = example("payments").table("payments")
    assert table is not None
    members = {column.name: column.member for column in table.columns if column.member}
    assert members["amount_minor"] == "amount.amount_minor"
    assert members["account_id"] == "account_id"
    assert "version" not in members


def test_what_comes_too_early_counts_no_attempt() -> None:
    design = example("shop")
    postpone = design.query("postpone-payment")
    assert postpone is not None
    assert postpone.used_by == ("capturePayments",)
    assert postpone.parameters == ("wait", "id", "attempts")
    assert "attempts = attempts - 1" in postpone.text
    assert not [each for each in example("payments").queries if each.id.startswith("postpone-")]
