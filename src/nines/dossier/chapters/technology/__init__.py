"""Technology: for each concern the options with their trade-offs, what was chosen, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier import words
from nines.dossier.chapter import Chapter
from nines.dossier.markdown import anchor, heading, link, page, table
from nines.model.design import Decision, Design, Document

CHAPTER = Chapter(
    number=4,
    folder="technology",
    title="Technology",
    says="For each concern at least two options with their trade-offs, the choice, and what would change it.",
)


def write(design: Design) -> Iterator[Document]:
    """One page: the choices at a glance, then each concern with its options."""
    text = page(
        heading(1, CHAPTER.title),
        _opening(design),
        _glance(design),
        *(block for decision in design.decisions for block in _concern(decision)),
    )
    yield Document(path=f"{CHAPTER.folder}/README.md", text=text, title=CHAPTER.title)


def _opening(design: Design) -> str:
    if not design.decisions:
        return "No choice of technology was found, and none was made."
    if design.is_recovered:
        return (
            "What the code shows was chosen, with what speaks for and against it. Why it was chosen then is not in the "
            "code; how much load it carries is not either, so that no choice is called wrong here."
        )
    given = sum(1 for each in design.decisions if each.is_given)
    made = len(design.decisions) - given
    told = f"{words.many(given, 'choice')} {'is' if given == 1 else 'are'} in the blueprint"
    return (
        f"{told}, {words.many(made, 'choice')} {'was' if made == 1 else 'were'} made here from its figures. The "
        "records "
        f"with their consequences are in {link('decisions', '../decisions/README.md')}."
    )


def _glance(design: Design) -> str:
    rows = [
        (
            link(each.concern, f"#{anchor(each.concern)}"),
            each.chosen,
            _origin(design, each),
            each.changes_when,
        )
        for each in design.decisions
    ]
    return table(("concern", "choice", "by", "what would change it"), rows)


def _origin(design: Design, decision: Decision) -> str:
    if not decision.is_given:
        return "this design"
    return "the code" if design.is_recovered else "the blueprint"


def _concern(decision: Decision) -> Iterator[str]:
    yield heading(2, decision.concern)
    yield decision.context
    rows = [
        (f"**{each.name}** ✓" if each.name == decision.chosen else each.name, each.gains, each.costs, each.when)
        for each in decision.options
    ]
    yield table(("option", "gains", "costs", "better where"), rows)
    yield f"Chosen: **{decision.chosen}**. {decision.because}."
