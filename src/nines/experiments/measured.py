"""How the requests of a load met the error and the response-time budget, with bounds, and operation by operation."""

from __future__ import annotations

import math

from nines.checkers.binomial import CONFIDENCE, lower_bound
from nines.checkers.quantiles import quantile
from nines.checkers.windows import windows, worst
from nines.experiments import judging
from nines.model.budget import Budgets
from nines.model.experiment import Figure
from nines.model.history import Exchange
from nines.model.verdict import Verdict

WINDOW_S = 1.0
P95, P99 = 0.95, 0.99


def figures_of(counted: list[Exchange]) -> tuple[Figure, ...]:
    """The error rate and the percentiles first, then the rate that was kept and the worst second."""
    failures = sum(1 for exchange in counted if has_failed(exchange))
    latencies = [exchange.latency_ms for exchange in counted]
    figures = [judging.share_figure("error rate", failures, len(counted))]
    for name, share in (("p95", P95), ("p99", P99)):
        found = quantile(latencies, share)
        assert found is not None  # There are exchanges, or nothing would be judged.
        figures.append(judging.quantile_figure(name, found))
    span_s = max(e.intended_s for e in counted) - min(e.intended_s for e in counted)
    figures.append(Figure(name="rate", value=len(counted) / max(span_s, 1.0), unit="1/s", samples=len(counted)))
    bad = worst(windows(((e.intended_s, has_failed(e)) for e in counted), WINDOW_S))
    if bad is not None:
        figures.append(Figure(name="worst second", value=bad.share, unit="share", samples=bad.samples))
    return tuple(figures)


def subjects_of(counted: list[tuple[int, Exchange]], budgets: Budgets) -> tuple[tuple[str, Verdict], ...]:
    """Each operation against the budgets; the confidence is raised, for many are tried at once."""
    by_operation: dict[str, list[Exchange]] = {}
    for _, exchange in counted:
        by_operation.setdefault(exchange.operation, []).append(exchange)
    strict = 1.0 - (1.0 - CONFIDENCE) / len(by_operation)
    found: list[tuple[str, Verdict]] = []
    for operation, exchanges in by_operation.items():
        failures = sum(1 for exchange in exchanges if has_failed(exchange))
        slow = quantile([exchange.latency_ms for exchange in exchanges], P95, strict)
        assert slow is not None
        if lower_bound(failures, len(exchanges), strict) > budgets.error_rate or (
            slow.lower is not None and slow.lower > budgets.latency_p95_ms
        ):
            found.append((operation, Verdict.BROKEN))
        elif failures == 0 and slow.upper is not None and slow.upper < budgets.latency_p95_ms:
            found.append((operation, Verdict.HOLDS))
        else:
            found.append((operation, Verdict.UNKNOWN))
    return tuple(found)


def told(
    counted: list[tuple[int, Exchange]],
    figures: tuple[Figure, ...],
    subjects: tuple[tuple[str, Verdict], ...],
    budgets: Budgets,
) -> str:
    errors, p95 = figures[0], figures[1]
    failures = round(errors.value * errors.samples)
    bound = "too few for a bound" if p95.upper is None else f"at most {math.ceil(p95.upper)} ms"
    is_missed = exceeds(errors, budgets.error_rate)
    end = f"at least {(errors.lower or 0) * 100:.3g}" if is_missed else f"at most {(errors.upper or 0) * 100:.3g}"
    says = (
        f"{failures} of {len(counted)} requests to {len(subjects)} operations failed, {end} % "
        f"(budget {budgets.error_rate * 100:.3g} %); p95 {p95.value:.0f} ms, {bound} "
        f"(budget {budgets.latency_p95_ms:.0f} ms)"
    )
    broken = [operation for operation, verdict in subjects if verdict is Verdict.BROKEN]
    return says + (f"; over budget: {judging.listed(broken)}" if broken else "")


def offending(counted: list[tuple[int, Exchange]], budgets: Budgets) -> tuple[int, ...]:
    """Where to look: what failed, then the slowest beyond the budget."""
    failed = [index for index, exchange in counted if has_failed(exchange)]
    slow = sorted(counted, key=lambda pair: -pair[1].latency_ms)
    late = [i for i, e in slow[: judging.OFFENDING_MAX] if e.latency_ms > budgets.latency_p95_ms]
    return tuple(dict.fromkeys([*failed, *late]))[: judging.OFFENDING_MAX]


def has_failed(exchange: Exchange) -> bool:
    return exchange.status is None or exchange.is_server_error


def was_refused(exchange: Exchange) -> bool:
    return exchange.status is not None and 400 <= exchange.status < 500


def exceeds(figure: Figure, limit: float) -> bool:
    return figure.lower is not None and figure.lower > limit


def below(figure: Figure, limit: float) -> bool:
    return figure.upper is not None and figure.upper < limit
