"""A trace told as the steps of a flow."""

from __future__ import annotations

from nines.model.design import Branch, Flow, FlowStep, StepKind
from nines.model.effect import Effect, EffectKind
from nines.model.service import Endpoint, GuardKind
from nines.model.trace import Trace
from nines.planning.recovering.participants import name_of

STEPS_MAX = 60
"""Steps of one flow; a diagram of more tells nobody anything, and the flow says that it is cut."""

_KINDS = {
    EffectKind.BEGIN: StepKind.BEGIN,
    EffectKind.COMMIT: StepKind.COMMIT,
    EffectKind.ROLLBACK: StepKind.COMMIT,
    EffectKind.DATABASE_READ: StepKind.QUERY,
    EffectKind.DATABASE_WRITE: StepKind.QUERY,
    EffectKind.REMOTE_CALL: StepKind.CALL,
    EffectKind.PUBLISH: StepKind.PUBLISH,
    EffectKind.CACHE_READ: StepKind.CACHE,
    EffectKind.CACHE_WRITE: StepKind.CACHE,
    EffectKind.COMPUTE: StepKind.COMPUTE,
    EffectKind.RESPOND: StepKind.RESPOND,
}
_VERBS = {
    "SELECT": "read",
    "INSERT": "insert into",
    "UPDATE": "update",
    "DELETE": "delete from",
    "UPSERT": "upsert into",
}


def flow(endpoint: Endpoint, trace: Trace | None) -> Flow:
    """The steps in order; effects on different arms of a branch are all there, as they are in the trace."""
    if trace is None:
        return Flow(is_complete=False)
    steps: list[FlowStep] = []
    guards = [guard for guard in endpoint.guards if guard.kind is not GuardKind.RATE_LIMIT]
    if guards:
        names = ", ".join(dict.fromkeys(guard.name.rpartition(".")[2] for guard in guards))
        steps.append(FlowStep(kind=StepKind.CHECK, says=f"check the caller ({names})"))
    numbers: dict[int, int] = {}
    for effect in trace.effects:
        step = _step(effect, numbers)
        if step is not None and (not steps or step != steps[-1]):
            steps.append(step)
    is_cut = len(steps) > STEPS_MAX
    return Flow(steps=tuple(steps[:STEPS_MAX]), is_complete=not (is_cut or trace.blind))


def _step(effect: Effect, numbers: dict[int, int]) -> FlowStep | None:
    kind = _KINDS.get(effect.kind)
    if kind is None:
        return None
    transaction = None
    if effect.transaction is not None:
        transaction = numbers.setdefault(effect.transaction, len(numbers))
    attempts = [retry.attempts_max or 1 for retry in effect.retries]
    return FlowStep(
        kind=kind,
        says=_says(effect, kind),
        target=(effect.target if kind is StepKind.QUERY else "") or name_of(effect),
        transaction=transaction,
        timeout_s=effect.deadline.duration_s,
        attempts_max=max([1, *attempts]),
        branches=_branches(effect),
        after_response=effect.after_response,
        is_repeated=bool(effect.loops),
    )


def _says(effect: Effect, kind: StepKind) -> str:
    if kind is StepKind.QUERY:
        return f"{_VERBS.get(effect.action, effect.action.lower() or 'query')} {effect.target or 'a table'}"
    if effect.kind is EffectKind.ROLLBACK:
        return "roll back"
    if kind in (StepKind.BEGIN, StepKind.COMMIT):
        return kind.value
    return f"{effect.action or effect.kind.value.replace('_', ' ')} {effect.target}".strip()


def _branches(effect: Effect) -> tuple[Branch, ...]:
    """What the code does about an error of this effect, where it does anything."""
    return tuple(
        Branch(
            when=" or ".join(name.rpartition(".")[2] for name in handler.errors) or "any error", then=handler.ends_by
        )
        for handler in effect.handlers[:1]
    )
