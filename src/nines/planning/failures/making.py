"""A failure mode of what is the service's own, put together."""

from __future__ import annotations

from nines.model.design import Design, FailureMode
from nines.planning.data.names import kebab
from nines.planning.failures.assumptions import Mode
from nines.planning.threats import elements


def deployable(design: Design) -> str:
    """The one that stands for all in an alert's name: the first."""
    found = elements.parts(design)
    first = found[0].name
    return kebab(first) if first == design.name else kebab(f"{design.name}-{first}")


def made(
    design: Design,
    dependency: str,
    mode: Mode,
    *,
    metric: str,
    alert: str,
    contained_by: tuple[str, ...],
    sees: str,
    lasts_s: float = 0.0,
    per_year: float = 0.0,
    failing: float = 0.0,
    arithmetic: str = "",
    tried_by: str = "",
    operations: tuple[str, ...] | None = None,
    is_open: bool = False,
) -> FailureMode:
    told = f", alert {alert}" if alert else "; no alert of its own"
    return FailureMode(
        id="",
        dependency=dependency,
        mode=mode.value,
        shows=f"{metric}{told}." if metric else "No metric shows it.",
        metric=metric,
        alert=alert,
        contained_by=contained_by,
        caller_sees=sees,
        operations=tuple(each.id for each in design.endpoints) if operations is None else operations,
        lasts_s=lasts_s,
        per_year=per_year,
        share=failing,
        tried_by=tried_by,
        is_open=is_open,
        arithmetic=arithmetic,
    )
