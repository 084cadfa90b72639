"""One region, or several."""

from __future__ import annotations

from nines.model.blueprint import Criticality
from nines.model.design import Decision, Design
from nines.model.words import duration
from nines.planning.decisions.deciding import is_said, option

NUMBER = 14
_YEAR_S = 365 * 86_400.0
_DEMANDING = 0.9995
_SAFE_ALONE = 0.9999
"""What a region of several zones is good for, over years."""
_ONE, _STANDBY, _ACTIVE = (
    "one region, several zones",
    "a second region that stands by",
    "several regions that all write",
)


def decide(design: Design) -> Decision | None:
    deploy, promised = design.deploy, design.budgets.availability
    is_asked = deploy.regions > 1 or promised >= _DEMANDING or design.card.tier is Criticality.CRITICAL
    if design.blueprint is None or not is_asked:
        return None
    tenancy = design.tenancy
    chosen = _ONE if deploy.regions == 1 else _ACTIVE if tenancy and promised > _SAFE_ALONE else _STANDBY
    allowed = duration((1 - promised) * _YEAR_S)
    return Decision(
        id="regions",
        number=NUMBER,
        concern="Regions",
        context=f"{promised * 100:.6g} % are promised: {allowed} a year for everything together. The service runs in "
        f"{deploy.regions} region{'s' if deploy.regions > 1 else ''} of {deploy.zones} zones; its writes go to one "
        "primary.",
        options=(
            option(
                _ONE,
                "a synchronous copy is 1 ms away; one truth",
                "when the region goes, the service goes until it is back",
                "the promise allows a few hours once in some years",
            ),
            option(
                _STANDBY,
                "a lost region costs minutes, not hours",
                "the copy is tens of milliseconds away and therefore behind: what was just acknowledged may be lost, "
                "or "
                "every commit waits; and it has to be tried, or it will not work",
                "the promise is above what one region is good for",
            ),
            option(
                _ACTIVE,
                "each region serves those nearby and survives the others",
                "two writers of one object: either each tenant has a home, or somebody resolves conflicts by hand",
                "tenants can be given a home each, or conflicts have a meaning",
            ),
        ),
        chosen=chosen,
        because=_because(design, chosen, allowed),
        consequences=_consequences(design, chosen),
        changes_when=f"More than {_SAFE_ALONE * 100:g} % are promised, or the law wants data in another country."
        if chosen == _ONE
        else "The drill shows that failing over takes longer than waiting.",
        is_given=is_said(design, "deploy.regions"),
    )


def _because(design: Design, chosen: str, allowed: str) -> str:
    if chosen == _ONE:
        return (
            f"A region of {design.deploy.zones} zones is good for about {_SAFE_ALONE * 100:g} % over the years, and "
            f"{allowed} "
            "a year are allowed; a second one would be a second truth to keep right"
        )
    if chosen == _STANDBY:
        return "The promise is to survive the loss of a region, and no key says which region an object belongs to"
    assert design.tenancy is not None
    return f"Each {design.tenancy.key} is given a home region, so that no object is ever written in two"


def _consequences(design: Design, chosen: str) -> tuple[str, ...]:
    if chosen == _ONE:
        return (
            "Backups and the image registry are copied to another region, so that the service can be built up there.",
            "The loss of the region is an accepted risk, and stands so in the plan for disasters.",
        )
    lost = duration(design.budgets.loss_s) if design.budgets.loss_s else "nothing"
    return (
        f"Between regions the copy is asynchronous unless {lost} may be lost there too; then each commit waits for the "
        "other region.",
        "Failing over is done by hand, after a drill, twice a year.",
    )
