"""The failure modes of a service that was read: deadlines, repetitions and handlers as they were found, and no figure
that code does not tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design, FailureMode, FlowStep
from nines.model.words import duration
from nines.planning.failures import assumptions, callers, containing
from nines.planning.failures.assumptions import Mode
from nines.planning.failures.dependencies import tried
from nines.planning.threats.drafting import named

_LATE = (Mode.SLOW, Mode.STALLED)
_RAISED = (Mode.STALLED, Mode.REFUSING, Mode.RESETTING, Mode.ERRORS)
"""What reaches the code as an error, where anything ends the waiting."""


class Reached:
    """How the code reaches one dependency."""

    def __init__(self, design: Design, dependency: Dependency) -> None:
        self.dependency = dependency
        flows = [(each.id, each.flow) for each in design.endpoints] + [(each.name, each.flow) for each in design.jobs]
        found = ((name, list(callers.asking(flow.steps, dependency))) for name, flow in flows)
        self.steps = {name: steps for name, steps in found if steps}

    @property
    def without_deadline(self) -> tuple[str, ...]:
        """Those of which no deadline was found; of a database it is often the server that sets one."""
        if self.dependency.kind is DependencyKind.POSTGRES:
            return ()
        return tuple(name for name, steps in self.steps.items() if any(step.timeout_s is None for step in steps))

    @property
    def handled(self) -> tuple[str, ...]:
        """Those that do something about an error of every one of their calls."""
        return tuple(name for name, steps in self.steps.items() if all(step.branches for step in steps))

    def errors(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(b.when for steps in self.steps.values() for step in steps for b in step.branches))


def of_dependency(design: Design, dependency: Dependency) -> Iterator[FailureMode]:
    """Every mode that applies to its kind."""
    reached = Reached(design, dependency)
    operations = tuple(each.id for each in design.endpoints if each.id in reached.steps)
    for mode in assumptions.modes(dependency.kind):
        yield FailureMode(
            id="",
            dependency=dependency.name,
            mode=mode.value,
            shows="Not known: what the service measures was not read.",
            contained_by=tuple(_contained(reached, mode)),
            caller_sees=_sees(reached, mode),
            operations=operations,
            share=0.0,
            tried_by=tried(dependency, mode),
            is_open=mode in _LATE and bool(reached.without_deadline),
            arithmetic=_NOT_KNOWN,
        )


_NOT_KNOWN = "Not known: code tells neither how often this happens nor how often the dependency is asked."


def _contained(reached: Reached, mode: Mode) -> Iterator[str]:
    dependency = reached.dependency
    if mode in _LATE and dependency.timeout_s:
        yield f"deadline: {duration(dependency.timeout_s)} at most for every call"
    if mode in _RAISED and containing.attempts(dependency) > 1:
        yield f"retry: at most {containing.attempts(dependency)} attempts"
    if mode in _RAISED and reached.handled:
        yield f"errors are caught by {_of(reached.handled, reached.steps)} ({named(reached.errors())})"


def _of(some: Sequence[str], everybody: dict[str, list[FlowStep]]) -> str:
    if len(some) == len(everybody):
        return "every operation and job that asks it"
    return f"{len(some):,} of the {len(everybody):,} operations and jobs that ask it"


def _sees(reached: Reached, mode: Mode) -> str:
    bare = reached.without_deadline
    if mode in _LATE and bare:
        return f"no deadline was found for {named(bare)}: unless something else ends it, they wait as long as it takes"
    return "not known"
