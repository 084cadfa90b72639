"""The peak lies below the steady load, or the shares are more than the whole."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import rate, share
from nines.planning.objecting import objection, option

_ROUNDING = 1e-6


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    load = blueprint.load
    if load.peak_hz < load.steady_hz:
        yield objection(
            __name__,
            blueprint,
            "load.peak",
            f"the peak is {rate(load.peak_hz)} and the steady load {rate(load.steady_hz)}",
            (
                option(f"peak: {rate(load.steady_hz * 4)}", "the usual four times the steady load", "costs room"),
                option(f"steady: {rate(load.peak_hz / 4)}", "if the peak was meant", "plans less storage"),
            ),
        )
    total = sum(each.share or 0.0 for each in blueprint.operations)
    left_over = [each.name for each in blueprint.operations if each.share is None]
    if total > 1 + _ROUNDING:
        yield objection(
            __name__,
            blueprint,
            "operations",
            f"the shares of the operations add up to {share(total)}",
            (
                option("lower them to 100% in all", "every figure of the plan fits the load", "needs a look at each"),
                option(
                    f"raise the load to {rate(load.steady_hz * total)}, and say each as a part of that",
                    "each operation keeps its rate",
                    "more is planned for",
                ),
            ),
        )
    elif left_over and total > 1 - _ROUNDING:
        yield objection(
            __name__,
            blueprint,
            f"operations.{left_over[0]}",
            f"the other operations share the whole load, so that nothing is planned for {', '.join(left_over)}",
            (
                option("say a share for each", "is planned for", "needs a guess"),
                option("leave the shares out everywhere", "all are planned alike", "no operation is alike"),
            ),
            is_fatal=False,
        )
