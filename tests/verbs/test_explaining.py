"""What can be explained, how it is found, and what it leads to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nines.model.errors import UsageError
from nines.verbs import explain, explained
from nines.verbs.explain import Kind, Topic


def ids(words: str) -> list[str]:
    return [topic.id for topic in explain.search(words)]


def test_every_kind_is_there_and_every_topic_says_something() -> None:
    topics = explain.topics()
    assert {topic.kind for topic in topics} == set(Kind)
    assert len({topic.id for topic in topics}) == len(topics)
    for topic in topics:
        assert topic.title
        assert topic.summary, topic.id
        assert topic.page.startswith("# "), topic.id


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("circuit-breaker", "circuit-breaker"),
        ("Circuit Breaker", "circuit-breaker"),
        ("fuse", "circuit-breaker"),
        ("call_without_deadline", "deadlines/call-without-deadline"),
        ("transactions/publish-in-transaction", "transactions/publish-in-transaction"),
        ("steady", "load/steady"),
        ("saga-without-compensation", "saga-without-compensation"),
        ("N+1", "batched-loading"),
        ("payments-endpoint", "payments-endpoint"),
        ("My database queries are slow", "slow-queries"),
    ],
)
def test_a_topic_is_known_by_its_names(name: str, id: str) -> None:
    assert explain.explain(name).id == id


def test_a_rule_comes_before_an_objection_of_the_same_name() -> None:
    # Reports name rules by their last part, and both are called call-without-deadline.
    assert explain.explain("call-without-deadline").kind is Kind.RULE


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("cache", "cache-aside"),
        ("slow query", "matching-index"),
        ("sql injection", "security/sql-injection"),
        ("a payment that happens twice", "deadlines/retry-non-idempotent"),
        ("race", "consistency/unique-race"),
        ("jwt", "token-handling"),
        ("exactly once", "idempotency-key"),
        ("dead letters", "dead-letter"),
        ("rate limiting", "rate-limit"),
    ],
)
def test_words_find_the_page_that_is_about_them(words: str, first: str) -> None:
    assert first in ids(words)[:3]


def test_whole_sentences_find_something_and_nonsense_does_not() -> None:
    assert {"token-handling", "rate-limit"} <= set(ids("I need a secure login endpoint with JWT and rate limiting"))
    assert ids("xyzzy plugh") == []
    assert ids("the of and") == []
    assert len(ids("request")) <= explain.HITS_MAX


def test_code_is_not_searched() -> None:
    # Nearly every example imports something; no page is about that.
    assert "circuit-breaker" not in ids("deque")


def test_links_lead_both_ways() -> None:
    topics = {topic.id: topic for topic in explain.topics()}
    for topic in topics.values():
        for link in topic.links:
            assert link.title == topics[link.id].title
            if topic.kind is not Kind.PATTERN:
                assert link.kind is Kind.PATTERN
                assert topic.id in {back.id for back in topics[link.id].links}
    assert "deadline" in {topic.id for topic in explain.about("deadlines/call-without-deadline")}


def test_a_guide_leads_to_pages_and_to_no_files() -> None:
    guide = explain.explain("payments-endpoint")
    assert "(`idempotency-key`)" in guide.page
    assert "](../" not in guide.page
    assert "idempotency-key" in {link.id for link in guide.links}
    assert "payments-endpoint" in {link.id for link in explain.explain("idempotency-key").links}


def test_slips_are_told_from_words() -> None:
    assert explain.is_slip("circuit-braker")
    assert explain.is_slip("outboxx")
    assert not explain.is_slip("cache")
    assert not explain.is_slip("zzzzz")
    with pytest.raises(UsageError, match="circuit-breaker"):
        explain.explain("circuit-braker")


def test_a_rule_s_page_tells_the_patterns() -> None:
    rule = explain.explain("remote-call-in-transaction")
    text = explained.page(rule)
    assert text.startswith(rule.page.rstrip())
    assert "- `reserve-call-settle`: Reserve, call, settle (what to do instead)" in text
    pattern = explain.explain("outbox")
    assert explained.page(pattern) == pattern.page


def test_json_has_what_a_program_needs() -> None:
    told = json.loads(explained.written([explain.explain("outbox")], "json", is_list=False))
    assert (told["id"], told["kind"]) == ("outbox", "pattern")
    assert {"id", "kind", "title", "why"} == set(told["links"][0])
    listed = json.loads(explained.written(explain.search("retry"), "json", is_list=True))
    assert "page" not in listed[0]


def test_markdown_of_a_list_has_each_once() -> None:
    text = explained.written(explain.topics(), "markdown", is_list=True)
    assert text.count("\n- `") == len(explain.topics())
    assert text.index("## Patterns") < text.index("## Rules")


def test_html_stands_alone_and_runs_nothing() -> None:
    hostile = Topic(
        id="x",
        kind=Kind.RULE,
        title="</title><script>1</script>",
        page="# A\n\n<script>alert(1)</script> [x](javascript:1)\n",
    )
    page = explained.written([hostile], "html", is_list=False)
    assert "<script>" not in page
    assert 'href="javascript' not in page
    for name in ("outbox", "remote-call-in-transaction", "steady", "names-collide"):
        page = explained.written([explain.explain(name)], "html", is_list=False)
        assert "src=" not in page
        assert "<link" not in page
        assert "prefers-color-scheme: dark" in page


def test_the_page_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    topic = explain.explain("load/steady")
    first = explained.kept_page([topic], is_list=False)
    assert explained.kept_page([topic], is_list=False) == first
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [first]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="--format html"):
        explained.kept_page([topic], is_list=False)
