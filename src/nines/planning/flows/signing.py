"""Signing up, in and out: no answer and no time tells whether somebody has an account (OWASP API2:2023)."""

from __future__ import annotations

from collections.abc import Callable

from nines.model.blueprint import Action, Operation, Resource
from nines.model.design import Branch, StepKind
from nines.planning.data import accounts
from nines.planning.flows import credentials, keeping
from nines.planning.flows.checking import check
from nines.planning.flows.draft import Draft

_REASON = "Each statement decides in its own condition: a token or a code is used once, by whoever comes first."


def sign(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.isolate("read committed", _REASON)
    check(draft, operation)
    _ACTIONS[operation.do](draft, operation, account)


def _register(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.add(StepKind.COMPUTE, "hash the password with argon2id, outside of any transaction")
    draft.begin()
    keeping.claim_key(draft, operation)
    taken = Branch(when="the name is taken", then="no account is written, and the answer is the same")
    draft.query(credentials.register(draft, operation, account), "insert the account", branches=(taken,))
    draft.query(credentials.insert_credentials(draft, account), "insert its credentials")
    if any(table.name == accounts.codes_name(account) for table in draft.tables):
        draft.query(credentials.upsert_code(draft, account, "verify"), "keep the digest of a one-time code")
    keeping.leave_mail(draft, "verify")
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer that a code may be on its way")
    _mail(draft, operation)


def _sign_in(draft: Draft, operation: Operation, account: Resource) -> None:
    blocked = Branch(
        when="the account or the address is blocked", then="the caller is told when to come back", status=429
    )
    draft.query(
        credentials.read_failures(draft, account),
        "read how often this account and this address failed",
        branches=(blocked,),
    )
    draft.query(credentials.find_credentials(draft, account), "find the account with its hash")
    wrong = Branch(
        when="the password is wrong or there is no such account",
        then="the failure is counted for account and address; a hash of nobody is verified so that both take as long",
        status=401,
    )
    draft.add(StepKind.COMPUTE, "verify the password with argon2id, outside of any transaction", branches=(wrong,))
    draft.also(credentials.count_failure(draft, account))
    draft.begin()
    draft.query(credentials.insert_session(draft, account), "insert the session")
    draft.query(credentials.insert_token(draft, account), "keep the digest of a refresh token")
    draft.query(credentials.forget_failures(draft, account), "forget the account's failures")
    _end(draft, operation, account)
    draft.add(StepKind.COMPUTE, "sign an access token")
    draft.add(StepKind.RESPOND, "answer with both tokens")


def _refresh(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.begin()
    used = Branch(
        when="the token was used before",
        then="it was stolen or sent twice: its session is revoked and that is committed",
        status=401,
    )
    unknown = Branch(when="it is unknown or over", then="it is refused", status=401)
    draft.query(credentials.use_token(draft, account), "use the refresh token up", branches=(used, unknown))
    draft.also(credentials.read_token(draft, account), credentials.revoke_session(draft, account))
    gone = Branch(when="the session was revoked or is over", then="the token is refused", status=401)
    draft.query(credentials.read_session(draft, account), "read the session with its account", branches=(gone,))
    draft.query(credentials.insert_token(draft, account), "keep the digest of the next refresh token")
    draft.commit()
    draft.add(StepKind.COMPUTE, "sign an access token")
    draft.add(StepKind.RESPOND, "answer with both tokens")
    del operation


def _sign_out(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.begin()
    draft.query(credentials.revoke_session(draft, account), "revoke the session")
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer 204, also where it was revoked before")


def _sign_out_everywhere(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.begin()
    draft.query(credentials.revoke_all(draft, account), "revoke every session of the account")
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer 204")


def _send_code(draft: Draft, operation: Operation, account: Resource) -> None:
    purpose = "reset" if operation.do is Action.REQUEST_RESET else "verify"
    none = Branch(when="there is none", then="nothing is written and nothing is sent; the answer is the same")
    draft.query(credentials.find_account(draft, account), "find the account", branches=(none,))
    draft.begin()
    draft.query(
        credentials.upsert_code(draft, account, purpose),
        "keep the digest of a new one-time code in the place of the old one",
    )
    keeping.leave_mail(draft, purpose)
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer that a code may be on its way")
    _mail(draft, operation)


def _verify_code(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.begin()
    _try_code(draft, account)
    if operation.to_state:
        draft.query(credentials.move(draft, account, operation.to_state), f"move the account to {operation.to_state}")
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer")


def _reset_password(draft: Draft, operation: Operation, account: Resource) -> None:
    draft.add(StepKind.COMPUTE, "hash the new password with argon2id, outside of any transaction")
    draft.begin()
    _try_code(draft, account)
    draft.query(credentials.change_password(draft, account), "keep the new hash")
    draft.query(credentials.revoke_all(draft, account), "revoke every session of the account")
    _end(draft, operation, account)
    draft.add(StepKind.RESPOND, "answer")


def _try_code(draft: Draft, account: Resource) -> None:
    over = Branch(when="it is unknown, over, or was tried too often", then="it is refused", status=422)
    draft.query(credentials.count_try(draft, account), "count the attempt and read the digest", branches=(over,))
    wrong = Branch(when="they differ", then="the count is committed, and the code is refused", status=422)
    draft.add(StepKind.COMPUTE, "compare the digests in constant time", branches=(wrong,))
    draft.query(credentials.delete_code(draft, account), "delete the code: it works once")


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
    Action.SEND_CODE: _send_code,
    Action.VERIFY_CODE: _verify_code,
    Action.REQUEST_RESET: _send_code,
    Action.RESET_PASSWORD: _reset_password,
}
ACTIONS = frozenset(_ACTIONS)
