"""Operations, jobs, limits and modules: what callers may do and what happens outside a request."""

from __future__ import annotations

import datetime
import re
from typing import Any

from nines.model.blueprint import Action, Deprecation, Idempotency, Operation, Page, SagaStep
from nines.readers.blueprint.combined import Either, Listed, Made
from nines.readers.blueprint.document import Node
from nines.readers.blueprint.reading import Reading
from nines.readers.blueprint.records import Key, Keys, Table
from nines.readers.blueprint.shapes import Choice, Flag, Number, Text, Word
from nines.readers.blueprint.units import DURATION, SHARE
from nines.readers.blueprint.vocabulary import names
from nines.readers.blueprint.vocabulary.fields import BODY
from nines.readers.blueprint.vocabulary.resources import PART

_ACTIONS = Choice(
    {
        "create": (Action.CREATE, "makes one"),
        "read": (Action.READ, "answers with one"),
        "list": (Action.LIST, "answers with a page of them"),
        "update": (Action.UPDATE, "changes fields of one"),
        "delete": (Action.DELETE, "removes one"),
        "register": (Action.REGISTER, "makes an account"),
        "sign-in": (Action.SIGN_IN, "answers with tokens for the right password"),
        "refresh": (Action.REFRESH, "answers with new tokens for a refresh token, which is then used up"),
        "sign-out": (Action.SIGN_OUT, "ends this session"),
        "sign-out-everywhere": (Action.SIGN_OUT_EVERYWHERE, "ends every session of the account"),
        "list-sessions": (Action.LIST_SESSIONS, "answers with the sessions of the account, each with its device"),
        "end-session": (Action.END_SESSION, "ends one of them"),
        "send-code": (Action.SEND_CODE, "sends the code of a registration again"),
        "verify-code": (Action.VERIFY_CODE, "shows by the code that the address is theirs"),
        "request-reset": (Action.REQUEST_RESET, "sends a link for a new password, whether or not the account exists"),
        "reset-password": (Action.RESET_PASSWORD, "sets a new password with the link's token"),
        "request-sign-in": (Action.REQUEST_SIGN_IN, "sends a code to sign in with, whether or not the account exists"),
        "sign-in-by-code": (Action.SIGN_IN_BY_CODE, "answers with tokens for that code, without a password"),
        "custom": (Action.CUSTOM, "the owner's function does it; `hook` names it"),
    }
)
_ARROW = re.compile(rf"-> ?({names.SNAKE})")


def _acted(action: Action, node: Node, reading: Reading) -> dict[str, Any]:  # noqa: ARG001
    return {"do": action}


def _moved(text: str, node: Node, reading: Reading) -> dict[str, Any]:
    match = _ARROW.fullmatch(text)
    assert match is not None
    reading.refer("state", match[1], node, of=reading.scope)
    return {"do": Action.TRANSITION, "to_state": match[1]}


class _Do(Either):
    """ "-> captured" moves the resource to a state; any other word is an action."""

    def read(self, node: Node, reading: Reading) -> Any:
        text = getattr(node, "text", "")
        moved, acted = self.shapes
        return (moved if text.startswith("-") else acted).read(node, reading)


_DO = _Do(
    Made(
        Word('a transition such as "-> captured"', pattern=_ARROW.pattern, examples=("-> captured",)),
        _moved,
    ),
    Made(_ACTIONS, _acted),
)

_REQUIRED = Choice({"required": (True, "refused without it"), "optional": (False, "honoured where it is given")})
_IDEMPOTENCY = Either(
    Made(_REQUIRED, lambda is_required, node, reading: Idempotency(is_required=is_required)),  # noqa: ARG005
    Keys(
        "idempotency",
        "A repeated request is carried out once: the Idempotency-Key header.",
        (
            Key(name="required", shape=Flag(), to="is_required", says="Refused without the header.", default="false"),
            Key(name="ttl", shape=DURATION, to="ttl_s", says="How long an answer is kept.", default="24h"),
        ),
        Idempotency,
    ),
)


def _page(told: dict[str, int], node: Node, reading: Reading) -> Page:
    usual = Page()
    default = told.get("default", min(usual.default, told.get("max", usual.max)))
    most = told.get("max", max(usual.max, default))
    if default > most:
        raise reading.refuse(node, f"default is {default} and max is {most}: default is at most max")
    return Page(default=default, max=most)


_PAGE = Made(
    Keys(
        "page",
        "How much of a list is answered at once.",
        (
            Key(name="default", shape=Number(1, 1_000), says="Where the caller says nothing.", default="50"),
            Key(name="max", shape=Number(1, 1_000), says="At most.", default="200"),
        ),
        dict,
    ),
    _page,
)


def _saga_step(told: dict[str, str], node: Node, reading: Reading) -> SagaStep:
    return SagaStep(place=reading.place(node.mark), **told)


_SAGA = Listed(
    Made(
        Keys(
            "saga-step",
            "One local transaction of an operation that spans modules.",
            (
                Key(name="do", shape=names.SAGA_ACTION, says="What is done.", is_required=True),
                Key(name="undo", shape=names.SAGA_ACTION, says="What compensates it when a later step fails."),
                Key(name="module", shape=names.MODULE, says="Who does it."),
            ),
            dict,
        ),
        _saga_step,
    ),
    least=2,
)


def _day(text: str) -> str:
    """Raises ValueError for a day that no calendar has."""
    return datetime.date.fromisoformat(text).isoformat()


_DAY = Word("a day such as 2030-01-31", pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}", convert=_day, examples=("2030-01-31",))


def _deprecation(told: dict[str, str], node: Node, reading: Reading) -> Deprecation:
    if told.get("sunset", told["since"]) < told["since"]:
        raise reading.refuse(node, "sunset comes before since: it is gone before it is discouraged")
    return Deprecation(**told)


_DEPRECATED = Made(
    Keys(
        "deprecated",
        "Since when it is discouraged, and until when it is there (RFC 9745, RFC 8594).",
        (
            Key(name="since", shape=_DAY, says="From which day on it is discouraged.", is_required=True),
            Key(name="sunset", shape=_DAY, says="The day from which it may be gone."),
            Key(name="successor", shape=names.OPERATION, says="The operation to use instead."),
        ),
        dict,
    ),
    _deprecation,
)

_OPERATION = Keys(
    "operation",
    "Something that callers may do.",
    (
        Key(name="on", shape=names.RESOURCE, says="The resource that it works on."),
        Key(name="do", shape=_DO, to="action", says="What it does.", is_required=True),
        Key(name="roles", shape=Listed(names.ROLE), says="Who may call it; empty: everybody who signed in."),
        Key(name="public", shape=Flag(), to="is_public", says="Anybody may call it.", default="false"),
        Key(name="idempotency", shape=_IDEMPOTENCY, says="Whether a repetition is carried out once."),
        Key(
            name="if_match",
            shape=_REQUIRED,
            to="needs_if_match",
            says="Whether a change must name the version that it changes (428 without, 412 for an older one).",
            default="optional",
        ),
        Key(
            name="calls",
            shape=Listed(names.REMOTE_CALL, or_one=True),
            says="Remote calls in order, between a reserving and a settling transaction.",
        ),
        Key(name="emits", shape=Listed(names.EVENT_NAME, or_one=True), says="What is told to others."),
        Key(name="posts", shape=names.RESOURCE, says="The ledger that it posts to."),
        Key(name="hook", shape=names.HOOK, says="The owner's function that decides or computes."),
        Key(name="filter", shape=Listed(names.FIELD), to="filters", says="Fields that a list may be narrowed by."),
        Key(
            name="order",
            shape=Listed(PART, or_one=True),
            says="The order of a list; the identifier breaks ties.",
            default="created_at desc",
        ),
        Key(name="page", shape=_PAGE, says="The size of a page.", default="{default: 50, max: 200}"),
        Key(
            name="async",
            shape=Flag(),
            to="is_asynchronous",
            says="Answers 202 with a status resource; a job does the work.",
            default="false",
        ),
        Key(
            name="critical",
            shape=Flag(),
            to="is_critical",
            says="The budgets of errors and time hold for it.",
            default="true",
        ),
        Key(name="share", shape=SHARE, says="Its part of the load; without it, an equal part of what is left."),
        Key(name="p95", shape=DURATION, to="latency_p95_s", says="Its own promise where it differs."),
        Key(
            name="excluded",
            shape=Flag(),
            to="is_excluded",
            says="Outside the budget of time, and callers are told so.",
            default="false",
        ),
        Key(name="saga", shape=_SAGA, says="Its steps, where it spans modules, each with what undoes it."),
        Key(
            name="takes",
            shape=BODY,
            says="What the body of a transition or of a custom operation carries.",
        ),
        Key(
            name="gives",
            shape=BODY,
            says="What a custom operation answers with; without it, its resource.",
        ),
        Key(name="deprecated", shape=_DEPRECATED, to="deprecation", says="It will go: RFC 9745 and RFC 8594."),
        Key(name="says", shape=Text(), says="What it is for, in one sentence."),
    ),
    dict,
    scope="on",
)


_CHANGING = (Action.UPDATE, Action.DELETE, Action.TRANSITION, Action.CUSTOM)
_DECIDING = (Action.CREATE, *_CHANGING)
_LISTING = (Action.LIST, Action.CUSTOM)
_WRITING = tuple(action for action in Action if action not in (Action.READ, Action.LIST))
_FITTING = (
    ("filters", "filter", _LISTING),
    ("order", "order", _LISTING),
    ("page", "page", _LISTING),
    ("needs_if_match", "if_match", _CHANGING),
    ("idempotency", "idempotency", _WRITING),
    ("emits", "emits", _WRITING),
    ("is_asynchronous", "async", _DECIDING),
    ("hook", "hook", _DECIDING),
    ("takes", "takes", (Action.TRANSITION, Action.CUSTOM)),
    ("gives", "gives", (Action.CUSTOM,)),
    ("posts", "posts", (Action.CREATE, Action.TRANSITION, Action.CUSTOM)),
)
"""What has a meaning for some actions only: the argument, its key, and those actions."""


def _operation(name: str, told: dict[str, Any], node: Node, reading: Reading) -> Operation:
    if told["action"]["do"] is Action.CUSTOM and "hook" not in told:
        reading.report(node, "do: custom needs `hook`, the name of the function that does it")
    if told["action"]["do"] is not Action.CUSTOM and "on" not in told:
        reading.report(node, "on is missing: the resource that it works on")
    if told.get("roles") and told.get("is_public"):
        reading.report(node, "public: true and roles contradict each other; leave one out")
    for key, written, fitting in _FITTING:
        if told.get(key) and told["action"]["do"] not in fitting:
            reading.report(node, f"{written} goes with do: {', '.join(_written(action) for action in fitting)} only")
    return Operation(name=name, place=reading.place(node.mark), **told.pop("action"), **told)


def _written(action: Action) -> str:
    return '"-> state"' if action is Action.TRANSITION else action.value


OPERATIONS = Table(
    "operations",
    _OPERATION,
    _operation,
    pattern=names.CAMEL,
    style=names.CAMEL_STYLE,
    declares="operation",
)
