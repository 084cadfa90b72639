"""What the chapter says follows from the design."""

from __future__ import annotations

import pytest

from nines.dossier.chapters import architecture
from nines.dossier.chapters.architecture import boundaries, sequences, states, talking, views
from nines.dossier.chapters.architecture.deployables import calls_between, deployables, references_across
from nines.dossier.diagrams import Block, BlockKind, Message, mermaid
from nines.dossier.diagrams.nouns import Item, messages
from nines.model.design import Branch, Design, Flow, FlowStep, PlannedEndpoint, StepKind
from tests.dossier import designs


def blocks(items: tuple[Item, ...], kind: BlockKind) -> list[Block]:
    found = [item for item in items if isinstance(item, Block)]
    inner = [each for block in found for section in block.sections for each in blocks(section.items, kind)]
    return [block for block in found if block.kind is kind] + inner


def page(design: Design) -> str:
    return next(each.text for each in architecture.write(design) if each.path == "architecture/README.md")


@pytest.mark.parametrize("name", designs.EXAMPLES)
def test_every_critical_operation_has_its_sequence(name: str) -> None:
    design = designs.example(name)
    everything = "\n".join(each.text for each in architecture.write(design))
    for endpoint in design.critical():
        assert f"## {endpoint.id}\n" in everything
        drawn = sequences.of_endpoint(design, endpoint)
        assert len(blocks(drawn.items, BlockKind.TRANSACTION)) == endpoint.flow.transactions
        told = " ".join(each.says for each in messages(drawn.items))
        for step in endpoint.flow.steps:
            for branch in step.branches:
                assert branch.status is None or str(branch.status) in told


def test_a_call_shows_its_deadline_and_is_outside_of_every_transaction() -> None:
    design = designs.example("payments")
    endpoint = design.endpoint("capturePayment")
    assert endpoint is not None
    drawn = sequences.of_endpoint(design, endpoint)
    asked = [each for each in drawn.items if isinstance(each, Message) and each.target == "gateway"]
    assert len(asked) == 1
    assert "within 2 s, at most 3 attempts" in asked[0].says


def test_each_separate_module_is_a_deployable() -> None:
    design = designs.example("shop")
    assert [each.name for each in deployables(design)] == ["catalogue", "inventory", "orders", "payments"]
    assert sum(len(each.endpoints) for each in deployables(design)) == len(design.endpoints)
    assert {(part.name, target) for part, target, _ in calls_between(design)} == {
        ("orders", "inventory"),
        ("orders", "payments"),
    }
    assert "Payment.order" in references_across(design)
    assert "OrderLine.order" not in references_across(design)


def test_the_cost_of_separation_is_computed() -> None:
    said = "\n".join(boundaries.sections(designs.example("shop")))
    assert "99.9 %³ = 99.7003 %" in said
    assert "2 calls × 1 ms = 2 ms" in said
    assert "4 × 2 = 8 copies" in said


def test_one_deployable_is_argued_with_what_a_cut_would_break() -> None:
    said = "\n".join(boundaries.sections(designs.example("payments")))
    assert "modular monolith" in said
    assert "`capturePayment`" in said
    assert "`Entry` and `Payment` in one transaction" in said


def test_sagas_stand_with_their_compensations() -> None:
    said = page(designs.example("shop"))
    assert "| 2 | `authorizePayment` | `payments` | 2 s |" in said
    assert "`voidPayment` |" in said
    assert "`continueSagas`" in said


def test_moves_between_states_name_what_makes_them() -> None:
    life = next(life for resource, life in states.lives(designs.example("payments")) if resource.name == "Payment")
    assert {(move.source, move.target): move.says for move in life.moves}["authorized", "captured"] == "capturePayment"
    assert life.begins_by == "createPayment"
    assert {"refunded", "voided", "failed"} == set(life.finals)


def test_who_calls_and_what_is_asked_is_in_the_context() -> None:
    drawn = views.context(designs.example("payments"))
    titles = {node.title for node in drawn.nodes}
    assert {"customer", "merchant", "support", "payments", "gateway", "identity provider", "subscribers"} == titles
    assert any(edge.says == "capture, void, refund, authorize and 1 more" for edge in drawn.edges)


def test_nothing_is_invented_of_a_recovered_design() -> None:
    design = designs.recovered()
    said = page(design)
    assert "load balancer" not in mermaid.text(views.containers(design))
    assert "TLS" not in said
    assert "Discovery" not in said
    assert "What is not known" in said
    assert "asked inside a transaction by `POST /orders`" in talking.links(design)


def test_what_code_repeats_stands_together_and_a_handler_is_told_once() -> None:
    handler = (Branch(when="IntegrityError", then="raises"),)
    steps = (
        FlowStep(kind=StepKind.BEGIN, says="begin", transaction=0),
        FlowStep(kind=StepKind.QUERY, says="read orders", target="orders", transaction=0, is_repeated=True),
        FlowStep(
            kind=StepKind.QUERY, says="update", target="orders", transaction=0, is_repeated=True, branches=handler
        ),
        FlowStep(kind=StepKind.QUERY, says="insert", target="audit", transaction=0, branches=handler),
        FlowStep(kind=StepKind.COMMIT, says="roll back", transaction=0),
    )
    endpoint = PlannedEndpoint(id="POST /x", method="POST", path="/x", flow=Flow(steps=steps))
    drawn = sequences.of_endpoint(designs.recovered(), endpoint)
    assert len(blocks(drawn.items, BlockKind.TRANSACTION)) == 1
    repeated = blocks(drawn.items, BlockKind.LOOP)
    assert len(repeated) == 1
    assert [each.says for each in messages(repeated[0].sections[0].items)] == [
        "read orders",
        "update (orders)",
        "raises",
    ]
    assert len(blocks(drawn.items, BlockKind.ALT)) == 1
    assert [each.says for each in messages(drawn.items)][-1] == "ROLLBACK"


def test_callers_whose_guards_were_not_understood_stand_apart() -> None:
    titles = {node.title: node.lines for node in views.context(designs.recovered()).nodes}
    assert titles["callers"] == ("who they are is not known",)
    assert "signed-in caller" in titles
