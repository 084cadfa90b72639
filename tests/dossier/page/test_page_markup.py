"""Markdown within the page: links stay inside, raw HTML is text, and every block has its frame."""

from __future__ import annotations

import re

from nines.dossier.markdown import fence
from nines.dossier.page import markup
from nines.model.design import Document

ONE = Document(
    path="contract/README.md",
    text=(
        "# Contract\n\nSee [pay](payment.md#pay), [up](../data/README.md), [the document](openapi.yaml), "
        "[RFC](https://www.rfc-editor.org/rfc/rfc9457) and [nothing](gone.md).\n\n## Again\n\n## Again\n\n"
        "<script>alert(1)</script> ![picture](https://example.org/x.png)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    ),
)
OTHERS = (
    Document(path="contract/payment.md", text="# Payment\n\n## Pay\n"),
    Document(path="data/README.md", text="# Data\n"),
    Document(path="contract/openapi.yaml", text="openapi: 3.1.0\n"),
)


def rendered(document: Document, *others: Document) -> str:
    return str(markup.Writer([document, *others]).rendered(document))


def test_links_lead_within_the_page() -> None:
    html = rendered(ONE, *OTHERS)
    assert re.findall(r'href="([^"]+)"', html) == [
        "#contract-payment--pay",
        "#data",
        "#file-contract-openapi-yaml",
        "https://www.rfc-editor.org/rfc/rfc9457",
        "gone.md",
    ]


def test_headings_are_one_level_deeper_and_have_names_of_their_own() -> None:
    html = rendered(ONE, *OTHERS)
    assert re.findall(r'<(h\d) id="([^"]+)"', html) == [
        ("h2", "contract--contract"),
        ("h3", "contract--again"),
        ("h3", "contract--again-1"),
    ]
    assert html.count("</h3>") == 2


def test_raw_html_is_text_and_nothing_is_fetched() -> None:
    html = rendered(ONE, *OTHERS)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<img" not in html
    assert "example.org" not in html


def test_tables_scroll_in_a_frame() -> None:
    html = rendered(ONE, *OTHERS)
    assert re.search(r'<div class="scroll"[^>]*><table>.*</table>\s*</div>', html, re.DOTALL)


def test_a_diagram_is_drawn_where_its_drawing_is_known() -> None:
    text = f"# A\n\n{fence('mermaid', 'flowchart TB')}\n\n{fence('mermaid', 'pie')}\n"
    html = rendered(Document(path="a.md", text=text, drawings=(("flowchart TB", "<svg>drawn</svg>"),)))
    assert html.count("<svg>drawn</svg>") == 1
    assert "flowchart" not in html
    assert "pie" in html


def test_code_can_be_copied_whatever_its_language() -> None:
    for language, text in (("json", '{"a": "<b>"}'), ("no-such-language", "<b>"), ("", "plain")):
        html = str(markup.code(text, language))
        assert 'class="copy"' in html
        assert "<b>" not in html
