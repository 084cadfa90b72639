"""Signing up, in and out: no answer and no time tells whether somebody has an account (OWASP API2:2023)."""

from __future__ import annotations

from collections.abc import Callable

from nines.model.blueprint import Action, Operation, Resource
from nines.model.design import Branch, StepKind
from nines.planning.data import accounts, facts
from nines.planning.flows import credentials, keeping, sessions
from nines.planning.flows.checking import check
from nines.planning.flows.draft import Draft

_REASON = "Each statement decides in its own condition: a token or a code is used once, by whoever comes first."


def sign(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.isolate("read committed", _REASON)
    check(draft, operation)
    _ACTIONS[operation.do](draft, operation, account)


def _register(draft: Draft, operation: Operation, account: Resource) -> None:
    _hash(draft, "hash the password with argon2id, outside of any transaction")
    draft.begin()
    keeping.claim_key(draft, operation)
    taken = Branch(when="the name is taken", then="nothing is written of it, and its owner is told by mail")
    again = Branch(when="nobody has verified the name yet", then="this registration takes the place of the last one")
    says = "insert the account, its credentials, and the digest of a one-time code"
    draft.query(credentials.register(draft, operation, account), says, branches=(taken, again))
    if facts.uses(draft.blueprint, Action.VERIFY_CODE):
        keeping.leave_mail(draft, "verify")
    _end(draft, operation, account)
    _answer_evenly(draft)
    _mail(draft, operation)


def _sign_in(draft: Draft, operation: Operation, account: Resource) -> None:
    blocked = Branch(
        when="the account or the address is blocked", then="the caller is told when to come back", status=429
    )
    draft.query(
        credentials.read_failures(draft, account),
        "see whether this account or this address failed too often",
        branches=(blocked,),
    )
    draft.query(credentials.find_credentials(draft, account), "find the account with its hash")
    wrong = Branch(
        when="the password is wrong, there is no such account, or nobody may sign in to it",
        then="the failure is counted for account and address; a hash of nobody is verified so that all take as long",
        status=401,
    )
    draft.add(StepKind.COMPUTE, "verify the password with argon2id, outside of any transaction", branches=(wrong,))
    draft.also(credentials.count_failure(draft, account))
    _compare_second(draft, "the failure is counted")
    draft.begin()
    _open_session(draft, operation, account)


def _hash(draft: Draft, says: str) -> None:
    weak = Branch(when="it is among the first that are tried", then="another one is asked for", status=422)
    draft.add(StepKind.COMPUTE, says, branches=(weak,))


def _compare_second(draft: Draft, wrong: str) -> None:
    if accounts.has_second_factor(draft.blueprint):
        missing = Branch(when="the account has a second factor and none was sent", then="it is asked for", status=401)
        differs = Branch(when="the code of the second factor is wrong", then=wrong, status=401)
        draft.add(StepKind.COMPUTE, "compare the code of the second factor", branches=(missing, differs))


def _open_session(draft: Draft, operation: Operation, account: Resource) -> None:
    gone = Branch(when="the account was locked or closed meanwhile", then="it is refused", status=401)
    draft.query(sessions.insert_session(draft, account), "insert the session", branches=(gone,))
    if accounts.has_second_factor(draft.blueprint):
        twice = Branch(when="that code was used before", then="it is refused", status=401)
        draft.query(sessions.use_second_factor(draft, account), "use the second factor's code up", branches=(twice,))
    is_shown = facts.keeps_sessions(draft.blueprint)
    if not is_shown:
        draft.query(sessions.insert_token(draft, account), "keep the digest of a refresh token")
    draft.query(credentials.forget_failures(draft, account), "forget the account's failures")
    _end(draft, operation, account)
    if is_shown:
        draft.add(StepKind.RESPOND, "answer with the session's cookie")
        return
    draft.add(StepKind.COMPUTE, "sign an access token")
    draft.add(StepKind.RESPOND, "answer with both tokens")


def _refresh(draft: Draft, operation: Operation, account: Resource) -> None:
    used = Branch(
        when="the token was used before",
        then="it was stolen or sent twice: its session is revoked and that is committed",
        status=401,
    )
    unknown = Branch(when="it is unknown or over", then="it is refused", status=401)
    gone = Branch(when="the session was revoked or is over", then="the token is refused", status=401)
    draft.query(
        sessions.rotate_token(draft, account),
        "use the refresh token up and keep the digest of the next one",
        branches=(used, unknown, gone),
    )
    draft.also(sessions.read_token(draft, account), sessions.revoke_session(draft, account))
    draft.add(StepKind.COMPUTE, "sign an access token")
    draft.add(StepKind.RESPOND, "answer with both tokens")
    del operation


def _sign_out(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.begin()
    draft.query(sessions.revoke_session(draft, account), "revoke the session")
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer 204, also where it was revoked before")


def _sign_out_everywhere(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.begin()
    draft.query(sessions.revoke_all(draft, account), "revoke every session of the account")
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer 204")


def _list_sessions(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.query(sessions.of_account(draft, account), "read the sessions of the caller's account that hold")
    draft.add(StepKind.RESPOND, "answer with them")
    del operation


def _end_session(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.begin()
    none = Branch(when="there is none, or it is somebody else's", then="it is not found", status=404)
    draft.query(sessions.end_own(draft, account), "end the session, if it is the caller's", branches=(none,))
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer 204")


def _send_code(draft: Draft, operation: Operation, account: Resource) -> None:
    none = Branch(when="there is none", then="nothing is written and nothing is sent; the answer is the same")
    draft.begin()
    says = "keep the digest of a new code under the same challenge"
    draft.query(credentials.renew_code(draft, account), says, branches=(none,))
    keeping.leave_mail(draft, "verify")
    _end(draft, operation, account)
    _answer_evenly(draft)
    _mail(draft, operation)


def _request_reset(draft: Draft, operation: Operation, account: Resource) -> None:
    none = Branch(when="there is none", then="nothing is written and nothing is sent; the answer is the same")
    draft.begin()
    says = "keep the digest of a new one-time code in the place of the old one"
    draft.query(credentials.upsert_code(draft, account, "reset"), says, branches=(none,))
    keeping.leave_mail(draft, "reset")
    _end(draft, operation, account)
    _answer_evenly(draft)
    _mail(draft, operation)


def _request_sign_in(draft: Draft, operation: Operation, account: Resource) -> None:
    none = Branch(when="there is none", then="nothing is written and nothing is sent; the answer is the same")
    draft.begin()
    says = "keep the digest of a new one-time code in the place of the old one"
    draft.query(credentials.upsert_code(draft, account, "sign-in"), says, branches=(none,))
    keeping.leave_mail(draft, "sign-in")
    _end(draft, operation, account)
    _answer_evenly(draft)
    _mail(draft, operation)


def _sign_in_by_code(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.begin()
    _try_code(draft, account, "sign-in")
    draft.query(credentials.find_by_id(draft, account), "find its roles, and what else it signs in with")
    _compare_second(draft, "the attempt is counted, and it is refused")
    _open_session(draft, operation, account)


def _verify_code(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.begin()
    _try_code(draft, account, "verify")
    if facts.unverified_state(draft.blueprint, account):
        draft.query(credentials.verify(draft, account), _VERIFIED)
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer")


def _reset_password(draft: Draft, operation: Operation, account: Resource) -> None:
    _hash(draft, "hash the new password with argon2id, outside of any transaction")
    draft.begin()
    _try_code(draft, account, "reset")
    draft.query(credentials.change_password(draft, account), "keep the new hash")
    draft.query(sessions.revoke_all(draft, account), "revoke every session of the account")
    draft.query(credentials.forget_failures(draft, account), "forget the account's failures")
    if facts.unverified_state(draft.blueprint, account):
        draft.query(credentials.verify(draft, account), _VERIFIED)
    keeping.leave_mail(draft, "changed")
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer")


_VERIFIED = "move the account on, where its address was not verified before"


def _try_code(draft: Draft, account: Resource, purpose: str) -> None:
    over = Branch(when="it is unknown, over, or was tried too often", then="it is refused", status=422)
    statement = credentials.count_try(draft, account, purpose)
    draft.query(statement, "count the attempt and read the digest", branches=(over,))
    wrong = Branch(when="they differ", then="the count is committed, and the code is refused", status=422)
    draft.add(StepKind.COMPUTE, "compare the digests in constant time", branches=(wrong,))
    draft.query(credentials.delete_code(draft, account), "delete the code: it works once")


def _answer_evenly(draft: Draft) -> None:
    draft.add(StepKind.COMPUTE, "wait until a whole number of 50 ms has passed, so that the time tells nothing")
    draft.add(StepKind.RESPOND, "answer that a code may be on its way")


def _end(draft: Draft, operation: Operation, account: Resource) -> None:
    keeping.emit(draft, operation)
    keeping.audit(draft, account)
    keeping.finish_key(draft, operation)
    draft.commit()
    keeping.publish(draft, operation)


def _mail(draft: Draft, operation: Operation) -> None:
    """After the answer, so that its time tells nothing; a message lost with the process is asked for again."""
    for verb in operation.calls:
        draft.call(verb, f"send the message by {verb}")


_ACTIONS: dict[Action, Callable[[Draft, Operation, Resource], None]] = {
    Action.REGISTER: _register,
    Action.SIGN_IN: _sign_in,
    Action.REFRESH: _refresh,
    Action.SIGN_OUT: _sign_out,
    Action.SIGN_OUT_EVERYWHERE: _sign_out_everywhere,
    Action.LIST_SESSIONS: _list_sessions,
    Action.END_SESSION: _end_session,
    Action.SEND_CODE: _send_code,
    Action.VERIFY_CODE: _verify_code,
    Action.REQUEST_RESET: _request_reset,
    Action.REQUEST_SIGN_IN: _request_sign_in,
    Action.SIGN_IN_BY_CODE: _sign_in_by_code,
    Action.RESET_PASSWORD: _reset_password,
}
ACTIONS = frozenset(_ACTIONS)
