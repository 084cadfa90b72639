"""One deployable, or several."""

from __future__ import annotations

from nines.model.design import Decision, Design, StepKind
from nines.model.words import amount, rate
from nines.planning.decisions.deciding import is_said, listed, option

NUMBER = 2
_ONE = "one deployable with modules"
_MANY = "a service for each module"


def decide(design: Design) -> Decision | None:
    if not design.endpoints:
        return None
    separate = [module.name for module in design.modules if module.is_separate]
    names = [module.name for module in design.modules]
    asked = _asked(design, names)
    parts = f"{len(names)} modules ({listed(names)})" if names else "one module"
    context = (
        f"{len(design.endpoints)} operations over {len(design.tables)} tables in {parts}. "
        + (f"Another module is asked by {listed(asked)}. " if asked else "No operation asks another module. ")
        + _loads(design)
    )
    reasons = [f"{module.name}: {module.reason.rstrip('.')}" for module in design.modules if module.is_separate]
    return Decision(
        id="service-boundaries",
        number=NUMBER,
        concern="Service boundaries",
        context=context.strip(),
        options=(
            option(
                _ONE,
                "one deployment, one transaction over all tables, a call between modules cannot time out",
                "all is deployed together; a part that leaks memory takes the others with it",
                "one team, or parts that change together",
            ),
            option(
                _MANY,
                "each is deployed, scaled and broken on its own",
                f"{'the steps of ' + listed(asked) if asked else 'what spans two of them'} become sagas with "
                "compensations; one pipeline, one on-call rota and one set of dashboards each",
                "several teams, or parts whose load, secrecy or pace of change differ by an order of magnitude",
            ),
        ),
        chosen=_MANY if separate else _ONE,
        because="; ".join(reasons) if separate else _small(design),
        consequences=_consequences(design, separate, asked),
        changes_when="Two of the parts turn out to be changed together in most releases: then they are one."
        if separate
        else "A second team owns a module, or one module's load is ten times that of the others: it then takes its "
        "tables with it, which no other module reads.",
        is_given=bool(separate) or design.is_recovered or (bool(names) and is_said(design, "modules")),
    )


def _asked(design: Design, modules: list[str]) -> list[str]:
    return [
        each.id
        for each in design.endpoints
        if any(step.kind is StepKind.CALL and step.target in modules for step in each.flow.steps)
    ]


def _loads(design: Design) -> str:
    uses = [use for use in design.capacity.resources if use.kind == "processors"] if design.capacity else []
    if len(uses) < 2:
        return ""
    return f"Busy cores at the peak: {', '.join(f'{use.of} {amount(use.at_peak)}' for use in uses)}."


def _small(design: Design) -> str:
    if design.is_recovered:
        return "The code is one deployable, and nothing in it says that it should be several"
    peak = design.demand.peak_hz if design.demand else None
    load = f", {rate(peak)} at the peak" if peak else ""
    return (
        f"{len(design.endpoints)} operations{load}, and nobody said that several teams work on them: a "
        "network between the modules would cost more than it parts"
    )


def _consequences(design: Design, separate: list[str], asked: list[str]) -> tuple[str, ...]:
    if not separate:
        return (
            "Modules are kept apart by imports, not by a network, so that one can leave later.",
            "One database, and one transaction where rules span tables.",
        )
    least = design.deploy.replicas_min
    spare = ""
    if design.capacity and design.capacity.replicas_peak:
        cores = sum(use.at_peak for use in design.capacity.resources if use.kind == "processors")
        spare = (
            f"{len(separate)} × {least} = {len(separate) * least} processes stand by for {amount(cores)} busy cores at "
            "the peak: the price of separate failures, not of load."
        )
    found = [spare, "No statement and no foreign key spans two of them."]
    if asked:
        found.append(f"{listed(asked)}: each step is a local transaction, and has a way back.")
    return tuple(each for each in found if each)
