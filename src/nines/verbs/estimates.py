"""How long a run will take, for the time left that progress shows; nothing is decided by it."""

from __future__ import annotations

from collections.abc import Sequence

from nines.checkers.binomial import samples_needed
from nines.experiments.load.steady import SHOWN_S
from nines.model.experiment import Experiment
from nines.model.settings import LoadSettings, Settings, budgets_of

OPENING_S = 15.0
"""Usual for a database, the service and one look at each read."""
CLOSING_S = 3.0
PACE_MIN, PACE_MAX = 0.5, 4.0
_MARGIN = 1.02
"""The steady load sends a little more than it needs."""
_SHOWN_BY_LOAD = "error_rate"


def duration_s(experiment: Experiment, settings: Settings) -> float:
    """The usual duration; where it is mostly load, with the rate and the budgets of this project."""
    usual_s = experiment.info.duration_s
    if _SHOWN_BY_LOAD not in experiment.info.budgets:
        return usual_s
    return max(usual_s - _load_s(Settings()) + _load_s(settings), 1.0)


def _load_s(settings: Settings) -> float:
    load: LoadSettings = settings.load
    share = budgets_of(settings.budgets).error_rate
    needed = samples_needed(0, share) if 0.0 < share < 1.0 else 1
    return load.duration_s or min(needed * _MARGIN / load.rate_hz, load.duration_s_max, SHOWN_S)


def pace(expected_s: Sequence[float], taken_s: Sequence[float]) -> float:
    """How much longer than expected things take on this machine, from those that are done."""
    expected = sum(expected_s)
    return min(max(sum(taken_s) / expected, PACE_MIN), PACE_MAX) if expected > 0 else 1.0
