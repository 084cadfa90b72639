"""The test plan: what exactly is tried of this design, by which command, and how often it takes to show something."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.chapter import Chapter
from nines.dossier.chapters.testing import configuration, kinds
from nines.dossier.markdown import bullets, code, heading, link, page, table
from nines.dossier.words import share
from nines.model.design import Design, Document

CHAPTER = Chapter(
    number=9,
    folder="testing",
    title="Test plan",
    says="What is tried of this design, by which command, how many requests it takes, and what stays untried.",
)


def write(design: Design) -> Iterator[Document]:
    yield Document(path=f"{CHAPTER.folder}/README.md", text=_page(design), title=CHAPTER.title)
    settings = configuration.text(design)
    if settings:
        yield Document(path=f"{CHAPTER.folder}/{configuration.PATH}", text=settings, title="Configuration of nines")


def _page(design: Design) -> str:
    return page(
        heading(1, "Test plan"),
        _opening(design),
        _commands(design),
        heading(2, "Unit"),
        kinds.unit(design),
        heading(2, "Integration"),
        kinds.integration(design),
        heading(2, "Contract"),
        kinds.contract(design),
        heading(2, "Load"),
        kinds.load(design),
        heading(2, "Chaos"),
        kinds.chaos(design),
        heading(2, "Security"),
        kinds.security(design),
        heading(2, "What this does not cover"),
        bullets(_untried(design)),
    )


def _opening(design: Design) -> str:
    path = configuration.PATH
    if design.is_recovered:
        return (
            f"What can be tried of {code(design.name)} as it was read. `nines init` writes its configuration; what "
            "reading did not "
            "understand is not in this plan."
        )
    return (
        "Every experiment ends with *holds*, *broken* or *unknown*, and a budget is kept when it was shown with "
        "95 % confidence and not "
        f"when nothing was seen to fail. {link(path, path)} goes beside the service's `pyproject.toml`."
    )


def _commands(design: Design) -> str:
    rows = (
        ("each change", code("nines review . --since main"), "what the change brought that will not hold"),
        (
            "each merge",
            code("nines check ."),
            f"all of it, against {share(design.budgets.availability)} and the other budgets",
        ),
        ("each release", code("nines prove ."), "the running service under load and faults, then the canary"),
    )
    return table(("when", "what runs", "what it tells"), rows)


def _untried(design: Design) -> list[str]:
    found = []
    nobody = configuration.unheard(design)
    if nobody:
        named = ", ".join(map(code, nobody))
        found.append(f"{named}: nines has nothing that answers in its place, so that only its absence is tried.")
    if not design.is_recovered and any(each.is_external for each in design.dependencies):
        named = ", ".join(code(each.name) for each in design.dependencies if each.is_external)
        found.append(
            f"{named} as it really is: a stand-in answers what {code(configuration.PATH)} says. Write its contract "
            "there (`contract`), "
            "and try the provider's own test system before each release."
        )
    if configuration.TOKEN in configuration.text(design):
        found.append(
            "Signing in: tokens come from elsewhere. Give two people of the laboratory a token each in "
            f"{code(configuration.PATH)}, else the "
            "experiments on authorization end as *unknown*."
        )
    if design.demand and design.demand.peak_hz > configuration.RATE_MAX_HZ:
        found.append(
            f"The peak of {design.demand.peak_hz:g}/s takes more than one machine that makes load; the simulation "
            "of the capacity chapter stands in."
        )
    found += [
        "The loss of a zone or a region: the drill of the operation chapter.",
        "Months of running: memory that grows by a page a day is seen by the dashboard, not by a test of minutes.",
        "That the owner's functions do what people want: that is their own tests' business.",
    ]
    if design.is_recovered:
        found = [each for each in found if "drill" not in each]
    return found
