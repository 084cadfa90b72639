"""The six questions on the shipped examples: what matters in each answer, not its wording."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from nines.asking import recipes
from nines.asking.answer import Answer, Basis, Sureness
from nines.asking.subjects import subjects
from nines.asking.telling import markdown
from nines.model.progress import Silent
from nines.verbs import ask as asking
from nines.verbs import explain
from nines.verbs.ask_design import draft, shipped
from nines.verbs.design import from_blueprint
from nines.verbs.project import open_project

EXAMPLES = Path(__file__).parents[2] / "examples"
CARELESS, CAREFUL = EXAMPLES / "payments-careless", EXAMPLES / "payments"
COPIES: dict[Path, Path] = {}
SECTIONS = ("## Reasoning", "## Approaches", "## Standards", "## Questions to you", "## Next", "## Not examined")


@pytest.fixture(scope="module", autouse=True)
def copies(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What somebody measured on the examples must not change what is answered here."""
    for project in (CARELESS, CAREFUL):
        COPIES[project] = tmp_path_factory.mktemp("copies") / project.name
        shutil.copytree(project, COPIES[project], ignore=shutil.ignore_patterns(".nines", "__pycache__"))


def answered(question: str, project: Path = CARELESS) -> Answer:
    project = COPIES.get(project, project)
    return asking.ask(question, open_project(project), where=str(project)).answer


def rules(answer: Answer) -> set[str]:
    """Those that the claims name."""
    return {claim.source.rsplit(", ", 1)[-1] for claim in answer.reasoning if claim.source.startswith("finding")}


def assert_whole(answer: Answer) -> None:
    """The shape of an answer, every claim with its source, every page that it names there."""
    text = markdown(answer)
    for section in SECTIONS:
        assert section in text
    assert all(claim.source and claim.says for claim in (*answer.reasoning, *answer.figures))
    assert all(way.title and way.source for way in answer.approaches)
    assert len(answer.approaches) >= 2
    assert answer.because
    known = {topic.id for topic in explain.topics()}
    assert set(answer.pages) <= known
    assert not [step for step in answer.steps if "--only" in step.command and not step.is_heavy]


def test_slow_database_queries() -> None:
    found = answered("My database queries are slow.")
    assert found.intent == "diagnose"
    assert {"database/n-plus-one-query", "database/unbounded-query"} <= rules(found)
    assert found.reasoning[0].source.endswith(("database/n-plus-one-query", "database/unbounded-query"))
    assert "read, not measured" in found.headline
    assert found.sureness is not Sureness.HIGH
    assert any("n-plus-one" in step.command for step in found.steps)
    assert any("load/steady" in step.command for step in found.steps)
    assert_whole(found)


def test_an_api_that_takes_500_ms_and_sometimes_answers_500() -> None:
    found = answered("Our API takes 500 ms and sometimes answers 500.")
    assert found.intent == "diagnose"
    assert {"deadlines/call-without-deadline", "transactions/remote-call-in-transaction"} <= rules(found)
    assert any("2.5 times" in claim.says and claim.basis is Basis.DERIVED for claim in found.figures)
    assert any("2,995" in claim.says for claim in found.figures)
    commands = " ".join(step.command for step in found.steps)
    assert "load/steady" in commands
    assert "contract/no-5xx" in commands
    assert any("Which endpoint" in each.question and each.is_decisive for each in found.questions)
    assert_whole(found)


def test_what_to_consider_for_a_payments_endpoint() -> None:
    found = answered("What should I consider for a payments endpoint?")
    assert found.intent == "consider"
    assert {"idempotency-key", "reserve-call-settle", "outbox", "deadline"} <= set(found.pages)
    assert "transactions/remote-call-in-transaction" in rules(found)
    assert any("idempotency key" in each.question for each in found.questions)
    assert any("design" in risk.source for risk in found.risks)
    assert any("unique-race" in step.command for step in found.steps)
    assert_whole(found)


def test_review_my_schema() -> None:
    found = answered("Review my schema.")
    assert found.intent == "schema"
    said = " ".join(claim.says for claim in found.reasoning)
    for weakness in ("payments.external_ref", "users.email", "payments.account_id", "accounts.created_at"):
        assert weakness in said
    assert any("unique" in way.about.lower() or "uniqueness" in way.about for way in found.approaches)
    assert any("live database" in each for each in found.not_examined)
    assert_whole(found)


def test_a_careful_schema_is_not_blamed_for_what_it_does_right() -> None:
    found = answered("Review my schema.", CAREFUL)
    said = " ".join(claim.says for claim in found.reasoning if claim.source.startswith("schema"))
    assert "external_ref" not in said
    assert "users.email" not in said
    assert "floating point" not in said


def test_a_notification_service_for_10_000_requests_a_second(tmp_path: Path) -> None:
    found = answered("Design a notification service for 10,000 requests a second.", tmp_path)
    assert found.intent == "design"
    assert "without objection" in found.headline
    blueprint = tmp_path / "blueprint.yaml"
    told = asking.ask("Design a notification service for 10,000 requests a second.", open_project(tmp_path))
    asking.write(told, blueprint)
    planned = from_blueprint(blueprint)
    assert planned.reasons == ()
    assert planned.design is not None
    assert planned.design.demand is not None
    assert planned.design.demand.peak_hz >= 10_000
    assert {"queue-and-worker", "outbox", "dead-letter"} <= set(found.pages)
    assert any("bottleneck" in claim.says for claim in found.figures)
    assert any("nothing is measured" in each for each in found.not_examined)
    assert_whole(found)


def test_a_secure_login_endpoint_with_jwt_and_rate_limiting() -> None:
    found = answered("I need a secure login endpoint with JWT and rate limiting.")
    assert found.intent == "design"
    assert found.blueprint == (EXAMPLES / "blueprints" / "login.yaml").read_text("utf-8")
    assert {"token-handling", "password-storage", "rate-limit"} <= set(found.pages)
    assert any(step.command.startswith("nines build") for step in found.steps)
    assert any("tokens" in each.question for each in found.questions)
    assert any("RFC 8725" in standard for standard in found.standards)
    assert_whole(found)


@pytest.mark.parametrize("name", ["login", "notifications", "payments", "shop"])
@pytest.mark.parametrize("rate_hz", [None, 3.0, 20_000.0])
def test_every_shipped_blueprint_is_designed_at_the_load_that_is_asked_for(name: str, rate_hz: float | None) -> None:
    """It holds, or the objections say with arithmetic why it cannot at this load."""
    found = draft(name, name, rate_hz, Silent())
    assert name in shipped()
    assert found.is_shipped
    if found.objections:
        assert rate_hz is not None
        assert all(each.says and len(each.options) >= 2 for each in found.objections)
    else:
        assert found.operations
        assert found.availability is not None


def test_what_nobody_has_a_blueprint_for_gets_a_first_one() -> None:
    found = answered("design a URL shortener API for 50k requests per minute")
    assert "url-shortener" in found.headline
    assert found.sureness is Sureness.LOW
    assert any("What does it keep" in each.question for each in found.questions)


def test_every_page_that_is_recommended_exists() -> None:
    """Subjects and recipes name patterns by their ids; one that nobody wrote would be left out without a word."""
    known = {topic.id for topic in explain.topics()}
    named = {id for subject in subjects().values() for id in (*subject.patterns, *subject.experiments)}
    folder = Path(recipes.__file__).parent
    for file in folder.glob("*.py"):
        for line in file.read_text("utf-8").splitlines():
            if "_PATTERNS = (" in line or "_EXPERIMENTS = (" in line or "known_patterns((" in line:
                named |= set(re.findall(r'"([a-z0-9-]+(?:/[a-z0-9-]+)?)"', line))
    assert len(named) > 40
    assert named - known == set()


@pytest.mark.parametrize(
    "question",
    [
        "My database queries are slow.",
        "Our API takes 500 ms and sometimes answers 500.",
        "What should I consider for a payments endpoint?",
        "I need a secure login endpoint with JWT and rate limiting.",
    ],
)
def test_careful_code_is_not_accused_and_nothing_is_promised(question: str) -> None:
    found = answered(question, CAREFUL)
    assert rules(found) == set()
    assert found.sureness is not Sureness.HIGH
    assert len(found.approaches) >= 2
    assert found.pages
    assert found.not_examined
