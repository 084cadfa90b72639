"""What nobody has answered yet, what was assumed, and what hangs on it."""

from __future__ import annotations

from nines.dossier.markdown import code, heading, page, table
from nines.model.design import Design, Gap

FILE = "open-questions.md"
TITLE = "Open questions"


def text(design: Design) -> str:
    asked = [gap for gap in design.gaps if gap.kind == "question"]
    unread = [gap for gap in design.gaps if gap.kind != "question"]
    blocks = [heading(1, TITLE)]
    if not design.gaps:
        blocks.append("Everything that changes this design was answered.")
    if asked:
        blocks.append(
            "Each of these was left out and changes the design. What was assumed holds until somebody answers; the "
            "answer "
            "belongs where the last column says."
            if not design.is_recovered
            else "Code does not answer these, and what hangs on them is left open."
        )
        blocks.append(_table(asked))
    if unread:
        blocks += [heading(2, "What was not understood"), _table(unread)]
    return page(*blocks)


def _table(gaps: list[Gap]) -> str:
    rows = [(gap.question, gap.assumed or "nothing", gap.matters, code(gap.where) if gap.where else "") for gap in gaps]
    return table(("question", "assumed", "what hangs on it", "where"), rows)
