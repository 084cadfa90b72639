"""Threats that no parser sees: a caller names its own price, and a script uses what the service sells."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Field, FieldKind, Resource
from nines.model.design import Design, Element, PlannedEndpoint, Stride, Threat
from nines.model.words import duration
from nines.planning.threats import elements
from nines.planning.threats.drafting import choice, first_contract, ids, named, threat, verb

_NUMBERS = (FieldKind.INT32, FieldKind.INT64, FieldKind.DECIMAL)
_MESSAGES = (Action.REGISTER, Action.SEND_CODE, Action.REQUEST_RESET, Action.REQUEST_SIGN_IN)


def of_part(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    yield from _prices(design, element, part)
    yield from _scripts(design, element, part)


def is_sensitive(design: Design, endpoint: PlannedEndpoint) -> bool:
    """Whether each call of it costs something: money, a message, a call of somebody else, something scarce."""
    blueprint = design.blueprint
    operation = blueprint.operation(endpoint.id) if blueprint else None
    if blueprint is None or operation is None or endpoint.is_safe:
        return False
    if operation.calls or operation.posts or operation.saga or endpoint.action in _MESSAGES:
        return True
    return endpoint.action is Action.CREATE and bool(_followed(blueprint, operation.on))


def quotas(endpoints: list[PlannedEndpoint]) -> str:
    """ "createPayment 20 in 1 min per subject; ..."; "" where there is none."""
    return "; ".join(
        f"{each.id} {each.limit.count:,} in {duration(each.limit.period_s)} per {each.limit.per}"
        for each in endpoints
        if each.limit
    )


def _followed(blueprint: Blueprint, resource: str) -> list[str]:
    """What the jobs ask that take up new rows of the resource."""
    found = blueprint.resource(resource)
    first = found.states[0].name if found and found.states else ""
    return [
        call for job in blueprint.jobs if job.on == resource and job.from_state == first for call in job.calls if first
    ]


def _prices(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    blueprint = design.blueprint
    if blueprint is None:
        return
    for endpoint in part.endpoints:
        resource, operation = blueprint.resource(endpoint.resource), blueprint.operation(endpoint.id)
        if endpoint.action is not Action.CREATE or resource is None or operation is None:
            continue
        amounts = [field for field in resource.fields if not field.is_read_only and is_amount(blueprint, field)]
        if not amounts or not _is_for_customers(resource):
            continue
        fields = named(f"{resource.name}.{field.name}" for field in amounts)
        says = f"The caller of {endpoint.id} names {fields} itself, and names less than is due."
        if operation.hook:
            how = (
                f"The owner's function {operation.hook} sees what was sent, in the transaction; it must not believe it."
            )
            yield threat(element, Stride.TAMPERING, says, how, where=f"operations/, {operation.hook}", owasp=6)
        else:
            yield threat(
                element,
                Stride.TAMPERING,
                says,
                "Its type and bounds are checked; nothing compares it with what is sold.",
                where="nowhere",
                owasp=6,
                is_open=True,
                options=(
                    choice(
                        f"hook on {endpoint.id}", "the owner's function computes or compares it", "a function to write"
                    ),
                    choice(
                        f"read_only: true on {fields}",
                        "the service alone sets it",
                        "something must set it, such as a hook",
                    ),
                    choice("leave it", "nothing to do", "the amount is the caller's word", "the caller is who is paid"),
                ),
            )


def _is_for_customers(resource: Resource) -> bool:
    """Somebody owns the rows: what they name, they name for themselves."""
    return any(grant.kind.value == "owner" for grant in resource.access.read)


def is_amount(blueprint: Blueprint, field: Field) -> bool:
    """A composite of a number and a currency."""
    value = blueprint.value_type(field.of) if field.kind is FieldKind.VALUE else None
    kinds = [each.kind for each in value.fields] if value else []
    return FieldKind.CURRENCY in kinds and any(kind in _NUMBERS for kind in kinds)


def _scripts(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    sensitive = [each for each in part.endpoints if is_sensitive(design, each)]
    if not sensitive:
        return
    bare = [each for each in sensitive if each.limit is None]
    said = quotas(sensitive)
    yield threat(
        element,
        Stride.DENIAL,
        f"A script calls {ids(sensitive)} as often as it may, and {verb(sensitive, 'it costs', 'they cost')} money, "
        "messages or what is scarce.",
        f"{said}; a script that keeps within that is not told from a person." if said else "None.",
        where="limits of the blueprint" if said else "nowhere",
        tried=(first_contract(sensitive, "rate-limited"),),
        owasp=6,
        is_open=bool(bare),
        options=(choice(f"limits for {ids(bare)}", "what one caller can cost is bounded", "who needs more must ask"),)
        if bare
        else (),
    )
