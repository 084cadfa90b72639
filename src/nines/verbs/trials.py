"""From what an experiment saw to a trial that can be reported."""

from __future__ import annotations

import msgspec

from nines.model.budget import Budgets
from nines.model.experiment import Experiment, Judgement, Trial
from nines.model.history import History
from nines.model.verdict import Verdict
from nines.verbs.hiding import hide
from nines.verbs.reproduction import reproductions

_KEPT_EXCHANGES_MAX = 20_000
"""Exchanges that a report carries for its plots; a longer history is thinned evenly, offenders always kept."""


def conclude(
    experiment: Experiment, history: History, budgets: Budgets, *, started_s: float, duration_s: float
) -> Trial:
    """Judges a history; a judgement that fails is unknown, never a pass."""
    try:
        judgement = experiment.judge(history, budgets)
    except Exception as error:
        judgement = Judgement(verdict=Verdict.UNKNOWN, says=f"the judgement itself failed: {error!r}")
    hidden, without_secrets = hide(history)
    offenders = tuple(index for index in judgement.offending if index < len(history.exchanges))
    return Trial(
        experiment=experiment.id,
        title=experiment.info.title,
        claim=experiment.info.claim,
        tier=experiment.info.tier,
        verdict=judgement.verdict,
        says=without_secrets(judgement.says),
        figures=judgement.figures,
        subjects=judgement.subjects,
        budgets=experiment.info.budgets,
        seed=history.seed,
        started_s=started_s,
        duration_s=duration_s,
        reproduction=reproductions(hidden, offenders),
        history=_thinned(hidden, set(offenders)),
        standards=experiment.info.standards,
    )


def not_run(experiment: Experiment, reason: str) -> Trial:
    """The trial of an experiment that could not be carried out: unknown, with the reason."""
    return Trial(
        experiment=experiment.id,
        title=experiment.info.title,
        claim=experiment.info.claim,
        tier=experiment.info.tier,
        verdict=Verdict.UNKNOWN,
        says=reason,
        budgets=experiment.info.budgets,
        standards=experiment.info.standards,
    )


def _thinned(history: History, keep: set[int]) -> History:
    """Shortens a long history for the report; judgements have seen the whole."""
    exchanges = history.exchanges
    if len(exchanges) <= _KEPT_EXCHANGES_MAX:
        return history
    step = len(exchanges) // _KEPT_EXCHANGES_MAX + 1
    kept = tuple(
        exchange
        for index, exchange in enumerate(exchanges)
        if index % step == 0 or index in keep or exchange.status is None or exchange.is_server_error
    )
    note = f"{len(exchanges)} exchanges, of which {len(kept)} are kept in this report"
    return msgspec.structs.replace(history, exchanges=kept, notes=(*history.notes, note))
