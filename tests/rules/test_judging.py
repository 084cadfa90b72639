"""Loading and judging: merged, numbered, ordered, and never brought down by one bad rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nines import rules
from nines.model.effect import Effect, EffectKind
from nines.model.finding import Finding, Standing
from nines.model.place import Place, Step
from nines.model.rule import Confidence, Rule, RuleInfo, Severity, Tier
from nines.model.service import Service
from nines.model.trace import Trace, Witness
from nines.rules.judging import FINDINGS_MAX
from tests.rules.build import endpoint

PAGE = "# Title\n\n## Options\n\n- **One.** costs\n- **Two.** costs more\n"


def rule_over(findings: list[Finding], *, error: Exception | None = None, needs_code: bool = False) -> Rule:
    def check(service: Service) -> Iterator[Finding]:
        yield from findings
        if error:
            raise error

    info = RuleInfo(title="Title", tier=Tier.SECURITY, severity=Severity.HIGH, needs_code=needs_code)
    return Rule(id=f"topic/rule-{id(findings)}", info=info, check=check, page=PAGE)


def finding(line: int = 1, subject: str = "f read x", endpoint: str = "GET /a", **fields: object) -> Finding:
    base = Finding(
        rule="",
        message="something",
        place=Place(file="a.py", line=line),
        endpoint=endpoint,
        subject=subject,
        severity=Severity.HIGH,
    )
    return replace(base, **fields)


EMPTY = Service(name="empty")


def test_every_pair_of_files_is_a_rule() -> None:
    folder = Path(rules.__file__).parent
    pages = {page.relative_to(folder).with_suffix("").as_posix().replace("_", "-") for page in folder.glob("*/*.md")}
    assert {rule.id for rule in rules.discover()} == pages
    assert [rule.id for rule in rules.discover()] == sorted(pages)


def test_what_a_rule_says_once_is_filled_in() -> None:
    rule = rule_over([finding()])
    (found,) = rules.judge(rule, EMPTY).findings
    assert (found.rule, found.tier, found.standing) == (rule.id, Tier.SECURITY, Standing.SUSPECTED)
    assert [option.title for option in found.options] == ["One", "Two"]


def test_one_finding_for_all_endpoints_by_the_shortest_path() -> None:
    step = Step(function="f", place=Place(file="a.py", line=9))
    far = finding(endpoint="GET /a", path=(step, step))
    near = finding(endpoint="GET /b", path=(step,))
    (found,) = rules.judge(rule_over([far, near]), EMPTY).findings
    assert (found.endpoint, found.endpoints, found.path) == ("GET /b", ("GET /b", "GET /a"), (step,))


def test_the_gravest_of_equal_findings_is_kept() -> None:
    low = finding(severity=Severity.LOW, confidence=Confidence.LOW)
    high = finding(endpoint="GET /b", severity=Severity.HIGH, confidence=Confidence.HIGH)
    (found,) = rules.judge(rule_over([low, high]), EMPTY).findings
    assert (found.severity, found.confidence) == (Severity.HIGH, Confidence.HIGH)


def test_fingerprints_survive_moved_lines_and_tell_equals_apart() -> None:
    before = rules.judge(rule_over([finding(10), finding(20)]), EMPTY).findings
    moved = rules.judge(rule_over([finding(13), finding(27)]), EMPTY).findings
    assert len({f.subject for f in before}) == 2
    assert [f.subject for f in before] == [f.subject for f in moved]


@pytest.mark.parametrize(
    ("witness", "needs_code", "standing"),
    [
        (Witness.OBSERVED, False, Standing.PROVEN),
        (Witness.OBSERVED, True, Standing.SUSPECTED),
        (Witness.PREDICTED, False, Standing.SUSPECTED),
    ],
)
def test_what_was_seen_is_proven(witness: Witness, needs_code: bool, standing: Standing) -> None:
    (found,) = rules.judge(rule_over([finding(witness=witness)], needs_code=needs_code), EMPTY).findings
    assert found.standing is standing


def test_what_was_seen_at_two_endpoints_are_two_findings() -> None:
    seen = [finding(place=None, endpoint=id, witness=Witness.OBSERVED) for id in ("GET /a", "GET /b")]
    found = rules.judge(rule_over(seen), EMPTY).findings
    assert len({f.fingerprint for f in found}) == 2


def test_a_failing_rule_keeps_what_it_found_and_says_so() -> None:
    judged = rules.judge(rule_over([finding()], error=ValueError("boom")), EMPTY)
    assert len(judged.findings) == 1
    assert "ValueError: boom" in judged.failures[0]


def test_too_many_findings_are_cut_off_aloud() -> None:
    judged = rules.judge(rule_over([finding(line) for line in range(1, FINDINGS_MAX + 3)]), EMPTY)
    assert len(judged.findings) == FINDINGS_MAX
    assert str(FINDINGS_MAX + 2) in judged.failures[0]


@given(
    st.lists(
        st.builds(
            finding,
            line=st.integers(1, 4),
            subject=st.sampled_from(["f", "g"]),
            endpoint=st.sampled_from(["GET /a", "GET /b"]),
            severity=st.sampled_from(Severity),
        ),
        max_size=12,
    ).flatmap(lambda found: st.tuples(st.just(found), st.permutations(found)))
)
def test_the_order_of_discovery_does_not_matter(found: tuple[list[Finding], list[Finding]]) -> None:
    one, other = (replace_rule(rules.judge(rule_over(findings), EMPTY).findings) for findings in found)
    assert one == other


def replace_rule(findings: tuple[Finding, ...]) -> list[Finding]:
    return [replace(each, rule="") for each in findings]


@given(
    st.lists(
        st.builds(
            Effect,
            kind=st.sampled_from(EffectKind),
            target=st.sampled_from(["", "users", "https://api.example/charges"]),
            action=st.sampled_from(["", "SELECT", "INSERT", "UPDATE", "POST", "GET"]),
            place=st.builds(Place, file=st.just("a.py"), line=st.integers(1, 9)),
        ),
        max_size=10,
    ),
    st.sampled_from(Witness),
)
def test_what_is_not_known_accuses_nobody(effects: list[Effect], witness: Witness) -> None:
    entry = endpoint(guards_known=False)
    trace = Trace(endpoint=entry.id, witness=witness, effects=tuple(effects))
    service = Service(name="unknown", endpoints=(entry,), traces=(trace,))
    for rule in rules.discover():
        judged = rules.judge(rule, service)
        assert (judged.findings, judged.failures) == ((), ())
