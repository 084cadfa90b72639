"""Every format over a report with everything in it, hostile text included."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest

from nines import reports
from nines.model.report import Report
from nines.reports import html
from nines.reports import json as json_report
from tests.reports.sample import report

SCHEMA = Path("docs/schemas/report-1.json")


@pytest.mark.parametrize("name", reports.formats())
def test_renders_everything_and_nothing(name: str) -> None:
    assert reports.render(name, report())
    assert reports.render(name, Report(command="review", project="empty"))


@pytest.mark.parametrize("name", reports.formats())
def test_hostile_text_cannot_drive_a_terminal(name: str) -> None:
    text = reports.render(name, report())
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\x00" not in text


def test_the_published_schema_is_the_one_in_force() -> None:
    assert json.loads(SCHEMA.read_text()) == json.loads(msgspec.json.encode(json_report.schema())), "run: make schemas"


def test_json_obeys_its_schema() -> None:
    document = json.loads(reports.render("json", report()))
    jsonschema.Draft202012Validator(json_report.schema()).validate(document)
    assert document["findings"][0]["fingerprint"] == report().findings[0].fingerprint
    assert document["trials"][1]["verdict"] == "broken"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        self.links += [value or "" for key, value in attrs if key in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_self_contained_and_escapes_what_came_from_outside() -> None:
    tags = _Tags()
    tags.feed(reports.render("html", report()))
    assert tags.opened.count("script") == 1
    assert tags.opened.count("svg") == 5
    assert all(link.startswith(("#", "https://cwe.mitre.org/")) for link in tags.links)
    for said in ("NOT READY", "not shown", "the longest wait was 30 s", "app/huge.py", "curl -i", "Commit first"):
        assert said in tags.text


def test_html_shades_the_fault() -> None:
    assert reports.render("html", report()).count('class="fault"') == 1


def test_junit_never_passes_what_is_unknown() -> None:
    root = ElementTree.fromstring(reports.render("junit", report()))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert cases["load/steady"].find("*") is None
    assert cases["dependencies/dependency-stall"].find("failure") is not None
    assert cases["consistency/unique-race"].find("skipped") is not None
    assert cases["availability"].find("skipped") is not None
    assert cases["latency_p95"].find("failure") is not None
    assert "consistency/check-then-act" not in cases, "refuted findings fail nothing"


def test_sarif_carries_path_fingerprint_and_standing() -> None:
    run = json.loads(reports.render("sarif", report()))["runs"][0]
    first = run["results"][0]
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"]
    assert first["partialFingerprints"]["nines/v1"] == report().findings[0].fingerprint
    flow = first["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in flow] == [41, 13]
    assert first["properties"]["standing"] == "proven"
    assert first["properties"]["tier"] == "reliability"
    assert run["results"][2]["suppressions"]
    assert run["invocations"][0]["toolExecutionNotifications"]


def test_markdown_stays_on_its_lines() -> None:
    text = reports.render("markdown", report())
    assert "<script>" not in text
    assert all(
        line.count("|") - line.count("\\|") == 5 for line in text.splitlines() if line.startswith("| error_rate")
    )


def test_terminal_names_what_matters() -> None:
    text = reports.render("terminal", report(), width=100)
    for said in ("NOT READY", "app/gateway.py:13", "app.gateway.charge", "Commit first", "not shown", "seed 4711"):
        assert said in text
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ms", "–"),
        (0.999, "share", "99.9 %"),
        (0.9999963, "share", "99.99963 %"),
        (0.001, "share", "0.1 %"),
        (0.00098, "share", "0.098 %"),
        (1.0, "share", "100 %"),
        (12.345, "ms", "12.35 ms"),
        (30_038.4, "ms", "30\N{NARROW NO-BREAK SPACE}038 ms"),
        (3000.0, "", "3\N{NARROW NO-BREAK SPACE}000"),
    ],
)
def test_figures_are_written_for_people(value: float | None, unit: str, text: str) -> None:
    assert html._figure(value, unit) == text


def test_patterns_are_told_where_they_answer_something() -> None:
    tags = _Tags()
    tags.feed(reports.render("html", report()))
    assert "#p-reserve-call-settle" in tags.links
    assert "#p-deadline" in tags.links
    rules = json.loads(reports.render("sarif", report()))["runs"][0]["tool"]["driver"]["rules"]
    told = {rule["id"]: rule.get("help", {}).get("markdown", "") for rule in rules}
    assert "nines explain reserve-call-settle" in told["transactions/remote-call-in-transaction"]
    assert not any("nines explain deadline" in text for text in told.values())
    document = json.loads(reports.render("json", report()))
    assert [pattern["id"] for pattern in document["patterns"]] == ["reserve-call-settle", "deadline"]
