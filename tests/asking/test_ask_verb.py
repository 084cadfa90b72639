"""Asking as a whole: other questions, reports that are there and their age, questions back, what is not run."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import msgspec
import pytest

from nines.asking.answer import Basis, Open, Sureness
from nines.cli.main import run
from nines.model.budget import BudgetResult
from nines.model.budget import Standing as BudgetStanding
from nines.model.errors import UsageError
from nines.model.experiment import Trial
from nines.model.progress import Progress
from nines.model.report import Readiness, Report
from nines.model.tier import Tier
from nines.model.verdict import Verdict
from nines.verbs import ask as asking
from nines.verbs.project import Project, open_project
from tests.asking.model.scripted import scripted

EXAMPLES = Path(__file__).parents[2] / "examples"
CARELESS = EXAMPLES / "payments-careless"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy, since asking must be able to tell when something was changed."""
    target = tmp_path / "service"
    shutil.copytree(CARELESS, target, ignore=shutil.ignore_patterns(".nines", "__pycache__"))
    return target


def answered(question: str, project: Path) -> asking.Told:
    return asking.ask(question, open_project(project), where=str(project))


def report(verdict: Verdict, says: str, *, experiment: str = "load/steady") -> Report:
    trial = Trial(
        experiment=experiment,
        title="t",
        claim="It keeps its promise",
        tier=Tier.RELIABILITY,
        verdict=verdict,
        says=says,
    )
    budget = BudgetResult(name="latency_p95", limit=200.0, unit="ms", standing=BudgetStanding.MET, says="p95 is 61 ms")
    return Report(
        command="check",
        project="p",
        started_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1)),
        readiness=Readiness.NOT_SHOWN,
        trials=(trial,),
        budgets=(budget,),
    )


@pytest.mark.parametrize(
    ("question", "intent", "said"),
    [
        ("what does POST /v1/payments do", "trace", "ProviderClient.authorize"),
        ("which endpoints are there, list all routes", "trace", "GET /v1/payments"),
        ("is our API secure", "security", "security/sql-injection"),
        ("can a payment be charged twice?", "concurrency", "deadlines/retry-non-idempotent"),
        ("what happens if the gateway is slow", "resilience", "deadlines/call-without-deadline"),
        ("can it handle 2000 requests per second", "capacity", "requests in flight"),
        ("is it ready for production", "ready", "NOT READY"),
        ("review this change please", "review", "--since origin/main"),
        ("explain the outbox pattern", "explain", "Transactional outbox"),
        ("how do I silence a false positive", "setup", "nines: allow RULE -- why"),
        ("did my fix help?", "compare", "nines compare before.json after.json"),
    ],
)
def test_every_intent_is_answered_with_what_matters(question: str, intent: str, said: str, project: Path) -> None:
    told = answered(question, project)
    assert told.answer.intent == intent
    assert said in asking.markdown(told)


def test_what_is_not_understood_is_said_with_examples(project: Path) -> None:
    told = answered("what's the weather like", project)
    assert told.answer.intent == ""
    assert "not understood" in told.answer.headline
    assert len(told.answer.steps) > 5


def test_without_a_backend_nothing_is_claimed_about_one(tmp_path: Path) -> None:
    for question in ("why is my API slow", "review my code", "is it secure", "review my schema"):
        answer = answered(question, tmp_path).answer
        assert answer.sureness is Sureness.LOW
        assert not [claim for claim in answer.reasoning if claim.basis in (Basis.READ, Basis.MEASURED)]


def test_a_fresh_report_is_used_and_its_age_is_told(project: Path) -> None:
    (project / "report.json").write_bytes(msgspec.json.encode(report(Verdict.BROKEN, "p95 was 812 ms at 50/s")))
    answer = answered("why is it slow?", project).answer
    assert answer.sureness is Sureness.HIGH
    assert answer.reasoning[0].basis is Basis.MEASURED
    assert "812 ms" in answer.reasoning[0].says
    assert "report.json" in answer.reasoning[0].source
    assert "old" in answer.because


def test_a_report_that_the_code_has_left_behind_counts_for_less(project: Path) -> None:
    (project / "report.json").write_bytes(msgspec.json.encode(report(Verdict.BROKEN, "p95 was 812 ms at 50/s")))
    later = time.time() + 3_600
    os.utime(project / "careless" / "main.py", (later, later))
    answer = answered("why is it slow?", project).answer
    assert answer.sureness is Sureness.MEDIUM
    assert "the code has changed since" in answer.because


def test_a_run_without_a_conclusion_makes_nothing_surer(project: Path) -> None:
    (project / "report.json").write_bytes(msgspec.json.encode(report(Verdict.UNKNOWN, "the load could not be kept up")))
    answer = answered("why is it slow?", project).answer
    assert answer.sureness is not Sureness.HIGH
    assert "not measured" in answer.because


def test_what_only_looks_like_a_report_is_passed_over(project: Path) -> None:
    (project / "report.json").write_text("{not json")
    (project / "nines-report.json").write_text('{"command": 3}')
    (project / "check.json").symlink_to("/etc/passwd")
    assert answered("why is it slow?", project).answer.sureness is not Sureness.HIGH


def test_a_decisive_question_is_put_and_its_answer_used(project: Path) -> None:
    put: list[str] = []

    def ask_back(question: Open) -> str:
        put.append(question.question)
        return "GET /v1/payments" if "Which endpoint" in question.question else ""

    told = asking.ask("my api is slow", open_project(project), where=".", ask_back=ask_back)
    assert put == ["Which endpoint is it?"]
    assert "GET /v1/payments" in told.answer.understood
    assert all("GET /v1/payments" in claim.says for claim in told.answer.reasoning if claim.source.startswith("trace"))


def test_an_endpoint_is_blamed_for_its_own_findings_only(project: Path) -> None:
    answer = answered("why is POST /users slow", project).answer
    assert "POST /v1/users" in " ".join(claim.source for claim in answer.reasoning)
    for claim in answer.reasoning:
        assert "reached by GET" not in claim.says
    nothing = answered("why is GET /health/live slow", project).answer
    assert "Reading found no cause" in nothing.headline or "GET /health/live" in nothing.reasoning[0].says


def test_load_is_put_on_the_service_only_when_it_is_allowed(project: Path) -> None:
    ran: list[tuple[str, ...]] = []

    def run_(_: Project, wanted: tuple[str, ...], __: Progress) -> Report:
        ran.append(wanted)
        return report(Verdict.BROKEN, "91 of 285 wrong requests were answered with a 5xx", experiment="contract/no-5xx")

    question = "it sometimes answers 500"
    asking.ask(question, open_project(project), run=run_)
    assert ran == []
    told = asking.ask(question, open_project(project), runs=True, run=run_)
    assert "contract/no-5xx" in ran[0]
    assert told.ran[0] == "nines check"
    assert told.answer.sureness is Sureness.HIGH
    assert "91 of 285" in told.answer.reasoning[0].says
    later = answered(question, project).answer
    assert "91 of 285" in later.reasoning[0].says
    assert ".nines/reports/check.json" in later.reasoning[0].source
    asking.ask("is it ready for production", open_project(project), runs=True, run=run_)
    assert ran[-1] == ()


def test_two_reports_are_compared(project: Path) -> None:
    (project / "before.json").write_bytes(msgspec.json.encode(report(Verdict.BROKEN, "p95 was 812 ms")))
    (project / "after.json").write_bytes(msgspec.json.encode(report(Verdict.HOLDS, "p95 was 61 ms")))
    told = answered("compare before.json with after.json", project)
    assert "Better" in told.answer.headline
    assert "holds now" in told.answer.reasoning[0].says


def test_a_blueprint_is_written_once(tmp_path: Path) -> None:
    told = answered("design a shop", tmp_path)
    asking.write(told, tmp_path / "blueprint.yaml")
    with pytest.raises(UsageError, match="there is a file already"):
        asking.write(told, tmp_path / "blueprint.yaml")
    with pytest.raises(UsageError, match="holds no blueprint"):
        asking.write(answered("is it secure", tmp_path), tmp_path / "other.yaml")


def test_the_command_line(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NINES_MODEL", raising=False)
    assert run(["ask", "-q", "--path", str(project), "review", "my", "schema"]) == 0
    assert "## Reasoning" in capsys.readouterr().out
    assert run(["ask", "-q", "--path", str(project), "--format", "json", "is it secure?"]) == 0
    assert json.loads(capsys.readouterr().out)["intent"] == "security"
    assert run(["ask", "-q", "--path", str(project), "what's the weather"]) == 2


def test_a_model_that_cannot_be_reached_is_done_without(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NINES_MODEL", "openai/none")
    monkeypatch.setenv("NINES_MODEL_URL", "http://127.0.0.1:9/v1")
    assert run(["ask", "-q", "--path", str(project), "review my schema"]) == 0
    said = capsys.readouterr()
    assert "Answered without a model" in said.err
    assert "## Reasoning" in said.out


def test_a_model_answers_on_the_command_line(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(number: int, body: dict[str, object]) -> dict[str, object]:
        return {"text": "It is certainly the fastest service.\n- Keep keys. [page idempotency-key]"}

    with scripted(script) as model:
        monkeypatch.setenv("NINES_MODEL", "anthropic/scripted")
        monkeypatch.setenv("NINES_MODEL_URL", model.url)
        assert run(["ask", "-q", "--path", str(project), "is it fast?"]) == 0
        said = capsys.readouterr()
        assert "fastest service. *(not shown" in said.out
        assert "[page idempotency-key]" in said.out
        assert "1 of 2 claims have a source" in said.err
        count = len(model.asked)
        assert run(["ask", "-q", "--path", str(project), "--no-model", "review my schema"]) == 0
        assert len(model.asked) == count
