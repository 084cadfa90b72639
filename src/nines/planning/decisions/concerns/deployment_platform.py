"""Where the processes run."""

from __future__ import annotations

from nines.model.design import Decision, Design
from nines.planning.decisions.deciding import is_said, option

NUMBER = 12
_NAMES = {"kubernetes": "Kubernetes", "compose": "one machine (Compose)", "vm": "virtual machines behind a balancer"}


def decide(design: Design) -> Decision | None:
    chosen = _NAMES.get(design.deploy.platform)
    if chosen is None or design.demand is None or design.blueprint is None:
        return None
    plan, deploy = design.capacity, design.deploy
    steady, peak = (plan.replicas_steady, plan.replicas_peak) if plan else (0, 0)
    needed = f"{steady} processes on an ordinary day, {peak} at the peak; " if peak else ""
    parts = sum(1 for module in design.modules if module.is_separate)
    return Decision(
        id="deployment-platform",
        number=NUMBER,
        concern="Deployment platform",
        context=f"{needed}{deploy.zones} zones; {design.budgets.availability * 100:.6g} % are promised.",
        options=(
            option(
                _NAMES["kubernetes"],
                "restarts, spreads over zones, rolls out and scales by itself",
                "a cluster to keep, and somebody who knows it",
                "there is a cluster already, or several services share one",
            ),
            option(
                _NAMES["vm"],
                "nothing between the process and the machine",
                "scaling, rolling out and restarting are ours to build",
                "few processes, and no cluster",
            ),
            option(
                _NAMES["compose"],
                "started with one command, understood in an hour",
                "one machine: when it goes, all goes",
                "tools inside the house, whose users can wait",
            ),
        ),
        chosen=chosen,
        because=_because(design, parts, steady, peak),
        consequences=_consequences(design),
        changes_when="The number of processes at the peak falls to what two machines carry, and nobody else uses the "
        "cluster."
        if deploy.platform == "kubernetes"
        else "Zones are added, or the peak asks for processes that come and go.",
        is_given=is_said(design, "deploy.platform"),
    )


def _because(design: Design, parts: int, steady: int, peak: int) -> str:
    deploy = design.deploy
    if deploy.platform == "compose":
        return f"{peak or 1} processes fit on one machine, and what is promised allows its repair"
    if deploy.platform == "vm":
        return "The processes are few and always the same, so that nothing has to come and go"
    if parts > 1:
        return f"{parts} parts are deployed on their own, over {deploy.zones} zones"
    if peak > steady:
        return f"{steady} processes become {peak} within a minute or two, spread over {deploy.zones} zones"
    spread = f"{steady} processes have to stay spread over {deploy.zones} zones whatever dies"
    return f"{spread}; scaling alone would not ask for it"


def _consequences(design: Design) -> tuple[str, ...]:
    deploy = design.deploy
    if deploy.platform == "compose":
        return ("A deployment is a short outage; it is announced, or done at night.",)
    return (
        f"At least {deploy.replicas_min} processes of each part, never two of them in the same place while there is "
        "another.",
        "A process must be able to die at any moment: what it was doing stands in the database.",
    )
