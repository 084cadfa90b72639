"""Decisions: one record for each, and the questions that are still open."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier import words
from nines.dossier.chapter import Chapter
from nines.dossier.chapters.decisions import questions
from nines.dossier.markdown import bullets, heading, link, page, table
from nines.model.design import Choice, Decision, Design, Document

CHAPTER = Chapter(
    number=10,
    folder="decisions",
    title="Decisions and open questions",
    says="One record for each decision: context, options, choice, consequences; and what nobody has answered yet.",
)


def write(design: Design) -> Iterator[Document]:
    """The index, a record for each decision, and the open questions."""
    yield Document(path=f"{CHAPTER.folder}/README.md", text=_index(design), title=CHAPTER.title)
    for decision in design.decisions:
        title = f"{decision.number:04d}: {decision.concern}"
        yield Document(path=f"{CHAPTER.folder}/{_file(decision)}", text=_record(design, decision), title=title)
    yield Document(path=f"{CHAPTER.folder}/{questions.FILE}", text=questions.text(design), title=questions.TITLE)


def _file(decision: Decision) -> str:
    return f"{decision.number:04d}-{decision.id}.md"


def _index(design: Design) -> str:
    rows = [
        (link(f"{each.number:04d}", _file(each)), each.concern, each.chosen, _status(design, each))
        for each in design.decisions
    ]
    count = len(design.gaps)
    asked = f"{words.many(count, 'question')} {'is' if count == 1 else 'are'} open" if count else "No question is open"
    return page(
        heading(1, CHAPTER.title),
        "A concern keeps its number in every design, so that a number that is not there is a concern that does not "
        "arise here.",
        table(("record", "concern", "decision", "status"), rows) or "Nothing had to be decided.",
        f"{asked}: {link(questions.TITLE.lower(), questions.FILE)}.",
    )


def _status(design: Design, decision: Decision) -> str:
    if design.is_recovered:
        return "found in the code"
    return "accepted: given by the blueprint" if decision.is_given else "proposed"


def _record(design: Design, decision: Decision) -> str:
    return page(
        heading(1, f"{decision.number:04d}: {decision.concern}"),
        f"Status: {_status(design, decision)}.",
        heading(2, "Context"),
        decision.context,
        heading(2, "Options"),
        *(_option(each) for each in decision.options),
        heading(2, "Decision"),
        f"**{decision.chosen}.** {decision.because}.",
        *([heading(2, "Consequences"), bullets(decision.consequences)] if decision.consequences else []),
        *([heading(2, "What would change it"), decision.changes_when] if decision.changes_when else []),
    )


def _option(choice: Choice) -> str:
    told = [f"Gains: {choice.gains}.", f"Costs: {choice.costs}."]
    if choice.when:
        told.append(f"Better where {choice.when}.")
    return f"{heading(3, choice.name)}\n\n{bullets(told)}"
