"""What is looked at before anything leaves the process."""

from __future__ import annotations

from nines.model.blueprint import Action, Blueprint, Operation
from nines.model.design import Branch, StepKind
from nines.planning.data import accounts, callers, facts
from nines.planning.flows import callers as keys
from nines.planning.flows import sessions
from nines.planning.flows.draft import Draft

_WITHOUT_BODY = (
    Action.READ,
    Action.LIST,
    Action.DELETE,
    Action.SIGN_OUT,
    Action.SIGN_OUT_EVERYWHERE,
    Action.LIST_SESSIONS,
    Action.END_SESSION,
)


def check(draft: Draft, operation: Operation) -> None:
    """Identity, role, rate and body, cheapest refusal first."""
    branches = []
    is_open = draft.blueprint.is_open(operation)
    if not is_open:
        branches.append(
            Branch(
                when=f"the caller's {shown(draft.blueprint)} is missing, expired or wrong",
                then="it is refused",
                status=401,
            )
        )
        if operation.roles:
            roles = " nor ".join(operation.roles)
            branches.append(Branch(when=f"the caller is no {roles}", then="it is refused", status=403))
    limit = draft.blueprint.limit_of(operation.name)
    if limit:
        rate = f"more than {limit.count} calls in {limit.period_s:g} s for one {limit.per}"
        branches.append(Branch(when=rate, then="the caller is told when to come back", status=429))
    if operation.idempotency and operation.idempotency.is_required:
        branches.append(Branch(when="the Idempotency-Key is missing", then="it is refused", status=400))
    if operation.needs_if_match:
        branches.append(Branch(when="If-Match is missing", then="it is refused", status=428))
    if _has_body(operation):
        branches.append(Branch(when="the body breaks its schema", then="each flaw is named", status=422))
    who = "the rate and the body" if is_open else "the caller, the rate and the body"
    draft.add(StepKind.CHECK, f"check {who}", branches=branches)
    if not is_open and callers.has_keys(draft.blueprint):
        gone = Branch(when="there is no such key, it is over, or its secret differs", then="it is refused", status=401)
        says = "find the key by the part that is no secret, where it was not seen in the last seconds"
        draft.query(keys.find_key(draft), says, branches=(gone,))
        draft.also(keys.use_key(draft))
    if not is_open and callers.has_sign_ins(draft.blueprint):
        # Instead of a token a browser shows a cookie.
        draft.also(keys.see_session(draft), keys.touch_session(draft))
    account = facts.account_of(draft.blueprint)
    if not is_open and account and any(each.name == accounts.sessions_name(account) for each in draft.tables):
        is_shown = facts.keeps_sessions(draft.blueprint)
        whose = "session" if is_shown else "session of the token"
        gone = Branch(when=f"the {whose} was revoked or is over", then="it is refused", status=401)
        draft.query(sessions.see(draft, account), "see that its session still holds", branches=(gone,))
        if is_shown:
            draft.also(sessions.touch(draft, account))


def shown(blueprint: Blueprint) -> str:
    """What callers show."""
    scheme = blueprint.auth.scheme if blueprint.auth else ""
    return {"api-key": "key", "session": "cookie", "mtls": "certificate"}.get(scheme, "token")


def _has_body(operation: Operation) -> bool:
    """Whether a caller sends more than the address: what moves or is the owner's own says what it takes."""
    if operation.do in (Action.TRANSITION, Action.CUSTOM):
        return bool(operation.takes)
    return operation.do not in _WITHOUT_BODY
