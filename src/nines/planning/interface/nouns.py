"""What happens to a thing, as a noun: a path names things, and "capture" the deed is POSTed to "captures" the deeds."""

from __future__ import annotations

from nines.planning.data.names import kebab, plural, words

_NOUNS = {
    "accept": "acceptance",
    "acknowledge": "acknowledgement",
    "adjust": "adjustment",
    "allow": "allowance",
    "amend": "amendment",
    "appeal": "appeal",
    "apply": "application",
    "approve": "approval",
    "archive": "archival",
    "arrive": "arrival",
    "assign": "assignment",
    "authorise": "authorisation",
    "authorize": "authorization",
    "begin": "beginning",
    "bill": "bill",
    "block": "block",
    "book": "booking",
    "cancel": "cancellation",
    "capture": "capture",
    "charge": "charge",
    "claim": "claim",
    "clear": "clearance",
    "close": "closure",
    "commit": "commitment",
    "complete": "completion",
    "confirm": "confirmation",
    "credit": "credit",
    "debit": "debit",
    "decline": "refusal",
    "deliver": "delivery",
    "deny": "denial",
    "deploy": "deployment",
    "deposit": "deposit",
    "disable": "deactivation",
    "dismiss": "dismissal",
    "dispatch": "dispatch",
    "dispute": "dispute",
    "enable": "activation",
    "expire": "expiry",
    "export": "export",
    "extend": "extension",
    "fail": "failure",
    "finish": "completion",
    "forward": "forwarding",
    "fulfil": "fulfilment",
    "fulfill": "fulfillment",
    "grant": "grant",
    "hide": "concealment",
    "hold": "hold",
    "import": "import",
    "invite": "invitation",
    "invoice": "invoice",
    "issue": "issue",
    "join": "membership",
    "launch": "launch",
    "leave": "departure",
    "lock": "lock",
    "merge": "merge",
    "move": "move",
    "open": "opening",
    "order": "order",
    "pack": "packing",
    "pause": "pause",
    "pay": "payment",
    "pick": "picking",
    "place": "placement",
    "post": "posting",
    "print": "print",
    "process": "processing",
    "publish": "publication",
    "purchase": "purchase",
    "quote": "quote",
    "rebuild": "rebuild",
    "receive": "receipt",
    "redeem": "redemption",
    "refund": "refund",
    "refuse": "refusal",
    "register": "registration",
    "release": "release",
    "remind": "reminder",
    "remove": "removal",
    "renew": "renewal",
    "reopen": "reopening",
    "replace": "replacement",
    "reply": "reply",
    "report": "report",
    "request": "request",
    "resend": "dispatch",
    "reserve": "reservation",
    "reset": "reset",
    "resolve": "resolution",
    "respond": "response",
    "restore": "restoration",
    "resume": "resumption",
    "retire": "retirement",
    "retry": "retry",
    "return": "return",
    "reverse": "reversal",
    "review": "review",
    "revoke": "revocation",
    "schedule": "schedule",
    "send": "dispatch",
    "settle": "settlement",
    "share": "share",
    "ship": "shipment",
    "sign": "signature",
    "split": "split",
    "start": "start",
    "stop": "stop",
    "submit": "submission",
    "subscribe": "subscription",
    "suspend": "suspension",
    "synchronise": "synchronisation",
    "synchronize": "synchronization",
    "take": "withdrawal",
    "test": "test",
    "top": "top-up",
    "transfer": "transfer",
    "unblock": "release",
    "unlock": "release",
    "unpublish": "withdrawal",
    "unsubscribe": "cancellation",
    "upload": "upload",
    "void": "cancellation",
    "withdraw": "withdrawal",
}
_ENDINGS = (
    ("ate", "ation"),
    ("ify", "ification"),
    ("ise", "isation"),
    ("ize", "ization"),
    ("ect", "ection"),
    ("uct", "uction"),
    ("ain", "ainment"),
)


def noun(verb: str) -> str:
    """The deed in the singular: "approve" gives "approval"; "" where English gives none that is known."""
    found = _NOUNS.get(verb)
    if found:
        return found
    for ending, instead in _ENDINGS:
        if verb.endswith(ending) and len(verb) > len(ending) + 1:
            return verb.removesuffix(ending) + instead
    return ""


def deeds(operation: str, state: str) -> str:
    """The plural for a path, of an operation that brings something into a state."""
    verb = next(iter(words(operation)), "")
    found = noun(verb)
    return plurals(found) if found else f"{kebab(state)}-transitions"


def plurals(singular: str) -> str:
    """ "top-up" gives "top-ups"."""
    return plural(singular.replace("-", "_")).replace("_", "-")
