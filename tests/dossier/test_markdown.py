"""Whatever a name holds, the page around it stays whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from nines.dossier import markdown

_PARSER = MarkdownIt().enable("table")


@given(st.lists(st.lists(st.text(min_size=1), min_size=2, max_size=2), min_size=1, max_size=4))
def test_a_table_keeps_its_rows(rows: list[list[str]]) -> None:
    text = markdown.table(("one", "two"), rows)
    assert len(text.splitlines()) == len(rows) + 2


@given(st.text(alphabet="ab` \n|", min_size=1).filter(lambda text: text.strip()))
def test_a_code_span_shows_what_it_was_given(text: str) -> None:
    tokens = _PARSER.parseInline(markdown.code(text))[0].children or []
    assert [token.type for token in tokens] == ["code_inline"]
    assert tokens[0].content.strip() == markdown.line(text)


@given(st.text(alphabet="a`\n", max_size=30))
def test_a_fence_is_not_closed_by_its_text(text: str) -> None:
    tokens = _PARSER.parse(markdown.fence("sql", text))
    assert [token.type for token in tokens] == ["fence"]
