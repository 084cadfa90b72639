"""Every way in which a request can fail, each once and in full."""

from __future__ import annotations

from nines.dossier.chapters.contract import exchanges, pages
from nines.dossier.markdown import code, fence, heading, page
from nines.model.design import Design, PlannedAnswer, PlannedEndpoint


def text(design: Design) -> str:
    """Each problem type as the first operation that has it would send it; "" where none is known."""
    found: dict[str, tuple[PlannedAnswer, PlannedEndpoint]] = {}
    counts: dict[str, int] = {}
    for endpoint in design.endpoints:
        for answer in endpoint.answers:
            if answer.problem:
                found.setdefault(answer.problem, (answer, endpoint))
                counts[answer.problem] = counts.get(answer.problem, 0) + 1
    if not found:
        return ""
    blocks = [
        heading(1, "Problems"),
        f"Every failure is a problem detail (RFC 9457). Tell it by its {code('type')}, which is a path, so that it "
        f"stays the same wherever the service runs; never by its {code('detail')}, which is for people. Nothing of the "
        "inside is ever in one: no statement, no stack, no name of a machine.",
    ]
    for answer, endpoint in sorted(found.values(), key=lambda each: (each[0].status, each[0].problem)):
        number = counts[answer.problem]
        where = "every operation" if number == len(design.endpoints) else _some(number)
        blocks += [
            heading(2, pages.problem_title(answer)),
            f"Of {where}; here {code(f'{endpoint.method} {endpoint.path}')}:",
            fence("http", exchanges.raw(answer, endpoint, design)),
        ]
    return page(*blocks)


def _some(number: int) -> str:
    return "one operation" if number == 1 else f"{number} operations"
