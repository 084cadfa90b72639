"""The decorator, the signature and the docstring of an operation."""

from __future__ import annotations

import math

from nines.building import names, python
from nines.building.resources.code import Code
from nines.building.resources.facts import operation_of
from nines.model.blueprint import GrantKind, Limit
from nines.model.design import PlannedEndpoint
from nines.model.design.access import callers

BODY_BYTES_MAX = 65_536
"""What the runtime takes where nothing is said."""
DEADLINE_S = 5.0
"""What the runtime gives a request where nothing is said."""
DEADLINE_S_MAX = 9.0
"""Nobody waits longer for an answer; what is not settled by then, a job settles."""
SETTLE_S = 2.0
"""Beside the calls to others: for its own two transactions."""


def opened(code: Code, endpoint: PlannedEndpoint, *, takes: str = "") -> str:
    """Writes the head of an operation; `takes` is its third parameter: "body: PaymentCreate"."""
    parts: list[python.Part] = [python.quoted(endpoint.path), f"id={python.quoted(endpoint.id)}"]
    if endpoint.is_public:
        parts.append("is_public=True")
    elif found := roles(endpoint):
        parts.append(f"roles={python.flat(python.row(*map(python.quoted, found)))}")
    if endpoint.limit:
        code.runtime("Limit")
        parts.append(python.named("limit", limit(endpoint.limit)))
    if endpoint.idempotency:
        code.runtime("Key")
        given = [] if endpoint.idempotency.is_required else ["is_required=False"]
        parts.append(f"key=Key({', '.join([*given, f'ttl_s={number(endpoint.idempotency.ttl_s)}'])})")
    if endpoint.needs_if_match:
        parts.append("needs_if_match=True")
    if endpoint.body_bytes_max not in (0, BODY_BYTES_MAX):
        parts.append(f"body_bytes_max={endpoint.body_bytes_max:_}")
    if (deadline_s := _deadline_s(code, endpoint)) > DEADLINE_S:
        parts.append(f"deadline_s={number(deadline_s)}")
    if not endpoint.is_critical:
        parts.append("sheds_first=True")
    code.put(python.call(f"@operations.{endpoint.method.lower()}", *parts))
    name = names.snake(endpoint.id)
    given = ["service: Service", "call: Call", *([takes] if takes else [])]
    code.put(python.Group(head=f"async def {name}", parts=tuple(given), tail=" -> Answer:"))
    return name


def roles(endpoint: PlannedEndpoint) -> tuple[str, ...]:
    """Who may ask at all; empty: everybody who showed who they are."""
    if endpoint.roles:
        return callers(endpoint, endpoint.roles) or endpoint.roles
    is_by_role = bool(endpoint.grants) and all(grant.kind is GrantKind.ROLE for grant in endpoint.grants)
    return tuple(dict.fromkeys(grant.role for grant in endpoint.grants)) if is_by_role else ()


def limit(given: Limit) -> python.Group:
    parts: list[python.Part] = [f"{given.count:_}"]
    if given.period_s != 60.0:
        parts.append(number(given.period_s))
    if given.per not in ("subject", "account"):
        parts.append(f"per={python.quoted(given.per)}")
    if not given.operation:
        parts.append('name="default"')
    return python.call("Limit", *parts)


def number(value: float) -> str:
    return f"{int(value):_}" if value == int(value) else repr(value)


def _deadline_s(code: Code, endpoint: PlannedEndpoint) -> float:
    """Long enough for every attempt of every call."""
    operation = operation_of(code.design, endpoint)
    asked = endpoint.flow.calls if operation and operation.calls else ()
    wanted = math.ceil(sum(step.attempts_max * (step.timeout_s or 0.0) for step in asked) + SETTLE_S)
    return min(wanted, DEADLINE_S_MAX)
