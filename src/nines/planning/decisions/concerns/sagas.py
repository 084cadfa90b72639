"""How an operation that spans services stays whole."""

from __future__ import annotations

from nines.model.design import Decision, Design
from nines.planning.decisions.deciding import listed, option

NUMBER = 16
_ORCHESTRATED, _CHOREOGRAPHED, _TWO_PHASES = "orchestrated saga", "choreographed saga", "two-phase commit"


def decide(design: Design) -> Decision | None:
    blueprint = design.blueprint
    spanning = [each for each in blueprint.operations if each.saga] if blueprint else []
    if not spanning:
        return None
    steps = "; ".join(f"{each.name}: {' → '.join(step.do for step in each.saga)}" for each in spanning)
    undoing = "; ".join(
        f"{step.undo} undoes {step.do}" for each in spanning for step in each.saga if step.undo and step.undo != step.do
    )
    several = len(spanning) > 1
    return Decision(
        id="spanning-operations",
        number=NUMBER,
        concern="Operations that span services",
        context=f"{listed(each.name for each in spanning)} {'change' if several else 'changes'} the data of several "
        f"services ({steps}).",
        options=(
            option(
                _ORCHESTRATED,
                "one place knows the order, the state and the way back; a stuck one is a row that can be looked at",
                "that place must be there, and knows all the others",
                "the order matters, and somebody will ask where it stands",
            ),
            option(
                _CHOREOGRAPHED,
                "nobody is in charge: each listens and answers with an event",
                "the order stands nowhere; a step that nobody heard of is found by a customer",
                "two steps, or steps that do not depend on one another",
            ),
            option(
                _TWO_PHASES,
                "all or nothing, as in one database",
                "locks are held while the slowest is asked, and a coordinator that dies leaves them behind; others' "
                "services offer none",
                "two databases of one's own, seldom",
            ),
        ),
        chosen=_ORCHESTRATED,
        because="The steps follow one another, each has its way back, and callers ask where theirs stands",
        consequences=(
            f"Compensations: {undoing}." if undoing else "No step has to be undone.",
            "In between, others see a state that is not the last one: each state has a name.",
            "Each step is asked for under its own key, so that asking again does nothing twice.",
        ),
        changes_when="The services that take part come to share one database: then it is one transaction.",
        is_given=True,
    )
