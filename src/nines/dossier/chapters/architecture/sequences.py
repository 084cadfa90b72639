"""Flows as sequence diagrams: transactions as blocks, deadlines at the calls, failures as alternatives."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from nines.dossier import words
from nines.dossier.chapters.architecture import deployables as parts
from nines.dossier.diagrams import Block, BlockKind, Item, Message, NodeKind, Note, Participant, Section, Sequence
from nines.dossier.words import many
from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Branch, Design, Flow, FlowStep, PlannedEndpoint, PlannedJob, StepKind

_CALLER = "\x00caller"
_SELF = "\x00service"
_DATABASE = "\x00database"
_STORED = frozenset({StepKind.BEGIN, StepKind.QUERY, StepKind.COMMIT})


def of_endpoint(design: Design, endpoint: PlannedEndpoint) -> Sequence:
    first = Message(source=_CALLER, target=_SELF, says=f"{endpoint.method} {endpoint.path}")
    writer = _Writer(design, parts.owner(design, endpoint), isolation=endpoint.isolation, has_caller=True)
    return Sequence(
        title=endpoint.id,
        says=_says(endpoint.flow, f"{endpoint.method} {endpoint.path}"),
        items=(first, *writer.items(endpoint.flow)),
        participants=writer.participants(),
    )


def of_job(design: Design, job: PlannedJob) -> Sequence:
    name = "the service" if job in parts.shared_jobs(design) else ""
    name = name or next((each.name for each in parts.deployables(design) if job in each.jobs), design.name)
    writer = _Writer(design, name, isolation="", has_caller=False)
    items = tuple(writer.items(job.flow))
    return Sequence(
        title=job.name, says=_says(job.flow, job.says or job.name), items=items, participants=writer.participants()
    )


def _says(flow: Flow, what: str) -> str:
    return (
        f"{what.rstrip('.')}. {many(len(flow.steps), 'step')}, {many(flow.transactions, 'transaction')}, "
        f"{many(len(flow.calls), 'call')} to others."
    )


class _Writer:
    """Keeps who takes part, in the order of their first appearance."""

    def __init__(self, design: Design, name: str, *, isolation: str, has_caller: bool) -> None:
        self.design, self.isolation, self.has_caller = design, isolation, has_caller
        self.found: dict[str, Participant] = {}
        if has_caller:
            self.found[_CALLER] = Participant(id=_CALLER, title="caller", kind=NodeKind.PERSON)
        self.found[_SELF] = Participant(id=_SELF, title=name)
        self.is_answered = self.is_after = False
        self.branches: tuple[Branch, ...] = ()

    def participants(self) -> tuple[Participant, ...]:
        return tuple(self.found.values())

    def items(self, flow: Flow) -> Iterator[Item]:
        """One after the other; what belongs to one transaction is put into one block."""
        for number, steps in itertools.groupby(flow.steps, lambda step: step.transaction):
            inside = tuple(self._gathered(steps))
            if number is None:
                yield from inside
            else:
                yield Block(kind=BlockKind.TRANSACTION, sections=(Section(when="", items=inside),))

    def _gathered(self, steps: Iterable[FlowStep]) -> Iterator[Item]:
        """What is repeated together is put into one block."""
        for is_repeated, same in itertools.groupby(steps, lambda step: step.is_repeated):
            inside = tuple(item for step in same for item in self._step(step))
            if is_repeated:
                yield Block(kind=BlockKind.LOOP, sections=(Section(when="for each of several rows", items=inside),))
            else:
                yield from inside

    def _step(self, step: FlowStep) -> Iterator[Item]:
        if (step.after_response or self.is_answered) and not self.is_after:
            self.is_after = True
            yield Note(over=_SELF, says="after the answer")
        yield from self._own(step)
        self.is_answered = self.is_answered or step.kind is StepKind.RESPOND
        if step.undo:
            yield Note(over=_SELF, says=f"undone by {step.undo}")
        # In code one handler stands around many steps; it is told where it begins.
        is_same = self.design.is_recovered and step.branches == self.branches
        if step.branches and not is_same:
            self.branches = step.branches
            yield Block(kind=BlockKind.ALT, sections=tuple(self._sections(step)))

    def _own(self, step: FlowStep) -> Iterator[Message]:
        match step.kind:
            case StepKind.RESPOND if self.has_caller:
                yield Message(source=_SELF, target=_CALLER, says=step.says, is_reply=True)
            case StepKind.CHECK if not self.has_caller and self.design.dependency(step.target) is not None:
                yield Message(source=self._participant(step.target), target=_SELF, says=step.says)
            case StepKind.CHECK | StepKind.COMPUTE | StepKind.RESPOND:
                yield Message(source=_SELF, target=_SELF, says=step.says)
            case StepKind.CALL:
                target = self._participant(step.target)
                yield Message(source=_SELF, target=target, says=_with_deadline(step))
                if target != _SELF:
                    yield Message(source=target, target=_SELF, says="its answer", is_reply=True)
            case kind if kind in _STORED:
                yield Message(source=_SELF, target=self._database(), says=self._stored(step))
            case _:
                yield Message(source=_SELF, target=self._participant(step.target), says=_with_deadline(step))

    def _stored(self, step: FlowStep) -> str:
        if step.kind is StepKind.BEGIN:
            said = _keyword(step.says, "BEGIN")
            return f"{said}, {self.isolation}" if self.isolation else said
        if step.kind is StepKind.COMMIT:
            is_undone = step.says.lower().startswith("roll")
            return "ROLLBACK" if is_undone else _keyword(step.says, "COMMIT")
        is_named = not step.target or step.target in step.says.split()
        return step.says if is_named else f"{step.says} ({step.target})"

    def _sections(self, step: FlowStep) -> Iterator[Section]:
        """What is refused before anything is done, in one; every other failure by itself."""
        if step.kind is StepKind.CHECK and all(branch.status for branch in step.branches) and len(step.branches) > 1:
            says = "; ".join(f"{branch.status} {branch.when}" for branch in step.branches)
            yield Section(when="refused before anything is done", items=(self._answered(says),))
            return
        for branch in step.branches:
            yield Section(when=branch.when, items=(self._answered(_told(branch), is_told=branch.status is not None),))

    def _answered(self, says: str, *, is_told: bool = True) -> Message:
        target = _CALLER if self.has_caller and is_told else _SELF
        return Message(source=_SELF, target=target, says=says, is_reply=target == _CALLER)

    def _database(self) -> str:
        if _DATABASE not in self.found:
            kept = next((each for each in self.design.dependencies if each.kind is DependencyKind.POSTGRES), None)
            title = f"{kept.name} (PostgreSQL)" if kept else "database"
            self.found[_DATABASE] = Participant(id=_DATABASE, title=title, kind=NodeKind.STORE)
        return _DATABASE

    def _participant(self, target: str) -> str:
        """The dependency, the module or the table that the step reaches; without a target it stays inside."""
        if not target:
            return _SELF
        dependency = self.design.dependency(target)
        is_module = target in {module.name for module in self.design.modules}
        # A table may have the name of the service that keeps it.
        if dependency is None and not is_module and self.design.table(target) is not None:
            return self._database()
        if target not in self.found:
            self.found[target] = Participant(id=target, title=target, kind=_kind(dependency, is_own=is_module))
        return target


def _kind(dependency: Dependency | None, *, is_own: bool) -> NodeKind:
    if dependency is None:
        return NodeKind.PROCESS if is_own else NodeKind.EXTERNAL
    if dependency.kind in parts.BROKERS:
        return NodeKind.QUEUE
    return NodeKind.STORE if dependency.kind in parts.STORES else NodeKind.EXTERNAL


def _keyword(says: str, word: str) -> str:
    is_there = says.lower().startswith(word.lower())
    return word + says[len(word) :] if is_there else f"{word}: {says}"


def _with_deadline(step: FlowStep) -> str:
    limits = [f"within {words.duration(step.timeout_s)}"] if step.timeout_s else []
    limits += [f"at most {step.attempts_max} attempts"] if step.attempts_max > 1 else []
    return ", ".join([step.says, *limits])


def _told(branch: Branch) -> str:
    return f"{branch.status}: {branch.then}" if branch.status is not None else branch.then
