"""Every experiment's page is complete, and its histories are judged as it says."""

from __future__ import annotations

import pytest

from nines import experiments
from nines.model.budget import Budgets
from nines.model.experiment import Experiment
from nines.model.page import Example, parse
from tests.experiments import notation

SECTIONS = ("What is claimed", "How it is tried", "How it is judged", "What it cannot show", "Options", "Examples")
VERDICTS = ("broken", "holds", "unknown")

EXAMPLES = [
    pytest.param(experiment, example, id=f"{experiment.id}:{example.line}")
    for experiment in experiments.discover()
    for example in parse(experiment.page, experiment.id).examples
]


@pytest.mark.parametrize(("experiment", "example"), EXAMPLES)
def test_histories_are_judged_as_the_page_says(experiment: Experiment, example: Example) -> None:
    assert example.language in VERDICTS
    judgement = experiment.judge(notation.read(example.text), Budgets())
    assert judgement.verdict.value == example.language, judgement.says
    assert judgement.says
    if example.language == "broken":
        assert judgement.offending or not any(c.exchanges for c in notation.read(example.text).checks)


@pytest.mark.parametrize("experiment", experiments.discover(), ids=lambda e: e.id)
def test_pages_are_complete(experiment: Experiment) -> None:
    page = parse(experiment.page, experiment.id)
    assert page.title == experiment.info.title
    assert [section.title for section in page.sections] == list(SECTIONS)
    assert {example.language for example in page.examples} == set(VERDICTS)
    assert len(page.options) >= 2
    assert all(option.trade_off for option in page.options)


@pytest.mark.parametrize("experiment", experiments.discover(), ids=lambda e: e.id)
def test_nothing_observed_is_never_a_pass(experiment: Experiment) -> None:
    judgement = experiment.judge(notation.read(""), Budgets())
    assert judgement.verdict.value == "unknown"
    assert judgement.says


@pytest.mark.parametrize("experiment", experiments.discover(), ids=lambda e: e.id)
def test_claims_are_sentences_and_durations_are_stated(experiment: Experiment) -> None:
    claim = experiment.info.claim
    assert claim[0].isupper()
    assert len(claim.split()) > 5
    assert not claim.endswith(".")
    assert experiment.info.duration_s > 0
    assert set(experiment.info.budgets) <= {"availability", "error_rate", "latency_p95", "recovery"}


def test_all_are_found_in_the_order_in_which_they_run() -> None:
    ids = [experiment.id for experiment in experiments.discover()]
    assert set(ids) == {
        "load/steady",
        "contract/hostile-documents",
        "contract/hostile-messages",
        "contract/no-5xx",
        "security/authentication",
        "security/object-authorization",
        "consistency/unique-race",
        "database/n-plus-one",
        "dependencies/dependency-reset",
        "dependencies/dependency-stall",
        "crash/durable-kill",
    }
    assert ids[0] == "load/steady"
    assert ids[-1] == "crash/durable-kill"
