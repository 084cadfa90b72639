"""An answer as Markdown, in the order of an engineer's answer; what is empty is left out."""

from __future__ import annotations

from collections.abc import Iterator

from nines.asking.answer import Answer, Basis, Claim, Step
from nines.model import words

_CLAIMS_MAX = 12
_ITEMS_MAX = 8


def markdown(answer: Answer) -> str:
    return "\n".join(_lines(answer)).strip() + "\n"


def _lines(answer: Answer) -> Iterator[str]:
    yield f"**{answer.headline}**"
    yield ""
    if answer.understood:
        yield f"Understood: {answer.understood}. Sureness: {answer.sureness.value}, {answer.because}"
    yield from _part("Reasoning", [_claim(each) for each in answer.reasoning[:_CLAIMS_MAX]])
    if answer.code:
        yield from ("", "```text", *answer.code.splitlines(), "```")
    ways = [
        f"**{way.title}**{f' ({way.about})' if way.about else ''}: {way.trade_off or 'see the page'} [{way.source}]"
        for way in answer.approaches[:_ITEMS_MAX]
    ]
    yield from _part("Approaches", ways)
    yield from _part("Standards", list(answer.standards[:_ITEMS_MAX]))
    risks = [f"{risk.says} Mitigation: {risk.mitigation} [{risk.source}]" for risk in answer.risks[:_ITEMS_MAX]]
    yield from _part("Risks and mitigations", risks)
    yield from _part("Figures", [_claim(each) for each in answer.figures[:_CLAIMS_MAX]])
    questions = [
        each.question
        + (f" Assumed: {each.assumed}." if each.assumed else "")
        + (f" Decides: {each.matters}." if each.matters else "")
        for each in answer.questions[:_ITEMS_MAX]
    ]
    yield from _part("Questions to you", questions)
    yield from _part("Next", [_step(each) for each in answer.steps])
    yield from _part("Not examined", list(answer.not_examined[:_ITEMS_MAX]))
    if answer.pages:
        yield from ("", "Pages: " + ", ".join(f"`nines explain {id}`" for id in answer.pages[:_CLAIMS_MAX]))


def _part(title: str, items: list[str]) -> Iterator[str]:
    if items:
        yield from ("", f"## {title}", "", *(f"- {item}" for item in items))


def _claim(claim: Claim) -> str:
    word = "" if claim.basis in (Basis.READ, Basis.PAGE) else f"{claim.basis.value}: "
    return f"{word}{claim.says} [{claim.source}]"


def _step(step: Step) -> str:
    takes = f", about {words.duration(step.duration_s)}" if step.duration_s else ""
    heavy = "; puts load or faults on the service, so run it knowingly, or ask with --run" if step.is_heavy else ""
    return f"`{step.command}`: {step.why}{takes}{heavy}"
