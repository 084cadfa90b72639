"""The test plan names commands and ids that there are, and its configuration is one that nines reads."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path

import click
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from nines.checkers.quantiles import upper_rank
from nines.cli.main import Commands
from nines.dossier.chapters import testing
from nines.dossier.chapters.testing.kinds import p95_samples
from nines.experiments import discovery as experiments
from nines.model.blueprint import Blueprint, Card
from nines.model.design import Design, PlannedEndpoint, Source
from nines.model.settings import Settings, budgets_of
from nines.planning import plan
from nines.readers import settings as reader
from nines.rules import discovery as rules
from tests.dossier.chapters.operation.designs import NAMES, example
from tests.planning.blueprints import blueprints

_FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(nines [^`]+)`")
_ID = re.compile(
    r"`((?:concurrency|consistency|contract|crash|database|deadlines|dependencies|load|security|transactions)/[^`]+)`"
)
READ = Design(
    card=Card(name="shop", api=""),
    source=Source.CODE,
    endpoints=(PlannedEndpoint(id="GET /items", method="GET", path="/items", guards_known=False),),
)


def written(design: Design) -> dict[str, str]:
    return {each.path: each.text for each in testing.write(design)}


def load(design: Design, folder: Path) -> Settings:
    (folder / "nines.toml").write_text(written(design)["testing/nines.toml"], encoding="utf-8")
    return reader.load(folder)


def check(page: str) -> None:
    """Every command exists with its options, and every id is that of a rule or an experiment."""
    known = {each.id for each in experiments.discover()}
    every = known | {each.id for each in rules.discover()}
    lines = [line for body in _FENCE.findall(page) for line in body.splitlines()] + _SPAN.findall(page)
    assert lines
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "nines"
        context = click.Context(click.Group("nines"))
        command = Commands("nines").get_command(context, words[1])
        assert command, line
        options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        assert {word for word in words[2:] if word.startswith("--")} <= options, line
        for option, value in itertools.pairwise(words):
            assert option != "--only" or value in known, line
    for id in _ID.findall(page):
        assert id in every, id


@pytest.mark.parametrize("name", NAMES)
def test_commands_and_ids_are_real(name: str) -> None:
    check(written(example(name))["testing/README.md"])


def test_so_they_are_for_a_service_that_was_read() -> None:
    documents = written(READ)
    assert set(documents) == {"testing/README.md"}
    check(documents["testing/README.md"])


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_says_what_the_budgets_say(name: str, tmp_path: Path) -> None:
    design = example(name)
    found = load(design, tmp_path)
    budgets = budgets_of(found.budgets)
    assert budgets.availability == pytest.approx(design.budgets.availability)
    assert budgets.error_rate == pytest.approx(design.budgets.error_rate)
    assert budgets.latency_p95_ms == pytest.approx(design.budgets.latency_p95_s * 1_000)
    assert budgets.recovery_s == pytest.approx(design.budgets.recovery_s)
    assert {"owner", "peer"} <= {each.name for each in found.identities}
    ids = {each.id for each in design.endpoints}
    assert set(found.load.operations) <= ids
    assert {each.id for each in design.endpoints if each.is_public} <= set(found.security.public)
    assert found.load.rate_hz <= found.load.rate_hz_max
    assert all(each.env in found.service.env for each in found.upstreams.values())


def test_so_few_requests_as_can_be_asked_by_anybody_are_those_of_the_busiest_minute(tmp_path: Path) -> None:
    design = example("login")
    demand = design.demand
    assert demand is not None
    assert load(design, tmp_path).load.rate_hz == demand.steady_hz
    quiet = msgspec.structs.replace(demand, steady_hz=10.0, peak_hz=90.0)
    assert load(msgspec.structs.replace(design, demand=quiet), tmp_path).load.rate_hz == 90.0


def test_people_who_try_a_service_register_like_everybody_else_and_whoever_has_a_role_does_not(tmp_path: Path) -> None:
    found = load(example("login"), tmp_path)
    assert found.service.env["SMTP_URL"] == "{mail.url}"
    assert not found.login.is_given
    who = {each.name: each for each in found.identities}
    assert [each.register for each in who.values()] == [True, True, False]
    assert who["admin"].is_admin
    assert who["admin"].command == "python -m login.people token {username}"
    added = [line for line in found.service.setup if ".people add" in line]
    assert added == ["python -m login.people add admin@example.com"]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(blueprint=blueprints())
def test_the_plan_of_any_blueprint_holds(tmp_path_factory: pytest.TempPathFactory, blueprint: Blueprint) -> None:
    design = plan(blueprint)
    load(design, tmp_path_factory.mktemp("plan"))
    documents = written(design)
    check(documents["testing/README.md"])
    assert documents == written(plan(blueprint))


def test_sample_sizes_are_those_of_the_statistics() -> None:
    page = written(example("payments"))["testing/README.md"]
    for figure in ("2,995", "4,742", "10,511"):
        assert figure in page
    assert upper_rank(p95_samples(), 0.95) is not None
    assert upper_rank(p95_samples() - 1, 0.95) is None
