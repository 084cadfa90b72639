"""Answers and tests that say who may go on."""

from __future__ import annotations

from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.symbols.refusing import is_refusal
from nines.effects.values import UNKNOWN, Value, unknown
from nines.model.origin import OriginKind


def _credential(call: LibraryCall) -> Value:
    """Whether somebody is signed in at all: that says nothing of what they may do."""
    call.frame.facts.add("credential")
    return UNKNOWN


def _decides(call: LibraryCall) -> Value:
    call.frame.facts.update(("credential", "decides"))
    return unknown(call.sources)


def _answered(call: LibraryCall) -> Value:
    """An answer; one that says "not you" turns the caller away as an exception would."""
    status = call.argument("status") or call.argument("status_code")
    action = call.signature.action
    target = call.argument("to")
    to = str(target.constant).lower() if target is not None and target.has_constant else ""
    named = any(s.kind is OriginKind.SETTING and "LOGIN" in s.name for s in (target.sources if target else ()))
    turns_away = action == "refuses" or (action == "redirects" and ("login" in to or "signin" in to or named))
    if turns_away or is_refusal(status):
        call.frame.facts.update(("refuses", "denies"))
    return unknown(call.sources)


MECHANISMS: dict[str, Mechanism] = {
    "answered": _answered,
    "framework_credential": _credential,
    "framework_decides": _decides,
}
