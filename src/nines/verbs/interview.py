"""`nines design --ask`: the questions whose answers change a design, and the blueprint that the answers make."""

from __future__ import annotations

import re
from collections.abc import Callable

from nines.model.blueprint import Blueprint
from nines.model.errors import UsageError
from nines.model.record import Record
from nines.readers import blueprint as blueprint_reader
from nines.verbs import first_blueprint
from nines.verbs.answers import CALLERS, LOSSES, SENSITIVITIES, TIERS, Answers, Assumption

_NAMES_MAX = 20
_SEPARATORS = re.compile(r"[\s,]+")


class Question(Record):
    """One question, its default, and what hangs on it."""

    key: str
    """The answer's name in `Answers`, and the flag's with hyphens."""
    text: str
    assumed: str
    """What is taken for granted while nobody answers."""
    matters: str
    path: str
    """Where the answer goes in the blueprint."""
    choices: tuple[str, ...] = ()
    example: str = ""

    @property
    def flag(self) -> str:
        return "--" + self.key.replace("_", "-")


QUESTIONS = (
    Question(
        key="name",
        text="What is the service called?",
        assumed="my-service",
        matters="its paths, tables, metrics and alerts are named after it",
        path="service.name",
    ),
    Question(
        key="keeps",
        text="What does it keep? Names in the singular, the most important one first.",
        assumed="Item",
        matters="each becomes a table, a path and its access rules",
        path="resources",
        example="Order, Shipment",
    ),
    Question(
        key="operations",
        text="What may callers do?",
        assumed="create, get, list, update and delete each",
        matters="what is not named here is neither built nor protected nor measured",
        path="operations",
        example="createOrder, getOrder, listOrders, cancelOrder",
    ),
    Question(
        key="tier",
        text="What hangs on it?",
        assumed="standard",
        matters="how much may fail, how many copies run, and who is woken at night",
        path="service.tier",
        choices=tuple(TIERS),
    ),
    Question(
        key="steady",
        text="How many requests come on an ordinary day?",
        assumed="10/s",
        matters="storage, partitions and the bill grow with it",
        path="load.steady",
        example="150/s, 20/m",
    ),
    Question(
        key="peak",
        text="And in the busiest minute?",
        assumed="five times as many",
        matters="pools, processes and limits are made for it",
        path="load.peak",
        example="600/s",
    ),
    Question(
        key="growth",
        text="By what does that grow in a year?",
        assumed="2x/y",
        matters="when a replica, a partition or a shard becomes due",
        path="load.growth",
        example="1x/y, 3x/y",
    ),
    Question(
        key="p95",
        text="Within what shall 95 of 100 requests be answered?",
        assumed="200ms",
        matters="what may be waited for, and what has to be answered with 202 and done later",
        path="budgets.p95",
        example="200ms, 1s",
    ),
    Question(
        key="data",
        text="What is the most sensitive thing that it keeps?",
        assumed="personal",
        matters="retention, encryption, the audit trail, and what may stand in logs and events",
        path="resources",
        choices=tuple(SENSITIVITIES),
    ),
    Question(
        key="loss",
        text="How much of what was acknowledged may a disaster take?",
        assumed="nothing",
        matters="whether a commit waits for a second copy",
        path="budgets.rpo",
        choices=tuple(LOSSES),
    ),
    Question(
        key="stale",
        text="How old may an answer be?",
        assumed="never",
        matters="whether a cache may answer, or every read asks the primary",
        path="dependencies",
        choices=("never", "seconds", "minutes"),
    ),
    Question(
        key="callers",
        text="Who calls it?",
        assumed="people",
        matters="how callers sign in, how they are limited, and what they may see",
        path="auth.scheme",
        choices=tuple(CALLERS),
    ),
    Question(
        key="tenant",
        text="Which column keeps customers apart? `none` where there is only one.",
        assumed="none",
        matters="every key, index and access rule begins with it; hard to add later",
        path="tenancy.key",
        example="customer_id",
    ),
    Question(
        key="calls",
        text="Which other services does it call? `none` where it calls nobody.",
        assumed="none",
        matters="each is a way to be slow or down, and needs a deadline and a way out",
        path="dependencies",
        example="gateway, mailer",
    ),
    Question(
        key="broker",
        text="Which broker is there already?",
        assumed="none",
        matters="how others hear of what happened; without one, subscribers get it over HTTP",
        path="events.broker",
        choices=("none", "kafka", "nats", "rabbitmq"),
    ),
    Question(
        key="platform",
        text="What does it run on?",
        assumed="kubernetes",
        matters="how it is deployed, scaled and restarted",
        path="deploy.platform",
        choices=("kubernetes", "compose", "vm"),
    ),
)
"""In the order in which they are asked."""

_RESOURCE = re.compile(r"[A-Z][A-Za-z0-9]{0,31}")
"""Room is left for the verb of its operations."""
_OPERATION = re.compile(r"[a-z][A-Za-z0-9]{0,39}")
_DEPENDENCY = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Interviewed(Record):
    """What the answers made."""

    text: str
    blueprint: Blueprint


def question(key: str) -> Question:
    return next(each for each in QUESTIONS if each.key == key)


def objection_to(asked: Question, said: str) -> str:
    """Why the answer cannot be used; empty: it can."""
    if asked.choices:
        return "" if said in asked.choices else f"{said!r} is none of {', '.join(asked.choices)}"
    names = _NAMED.get(asked.key)
    if names is not None:
        pattern, style = names
        words = split(said)
        wrong = next((word for word in words if not pattern.fullmatch(word)), None)
        if len(words) > _NAMES_MAX:
            return f"there are more than {_NAMES_MAX} names"
        return f"{wrong!r} is no such name: {style}" if wrong else "" if words else "there is no name"
    if asked.key == "tenant" and said in _TAKEN:
        return "" if said == "none" else f"{said} is a field of its own"
    return blueprint_reader.problem_with(asked.path, said)


_TAKEN = frozenset({"none", "name"})
"""No column, and the field that a first blueprint gives to everything."""
_NAMED = {
    "keeps": (_RESOURCE, "write it in Pascal case, singular, such as Order"),
    "operations": (_OPERATION, "write it in camel case, such as createOrder"),
    "calls": (_DEPENDENCY, "write it in lower case with hyphens, such as gateway"),
}


def split(said: str) -> tuple[str, ...]:
    """ "Order, Shipment" as names, each once."""
    return tuple(dict.fromkeys(word for word in _SEPARATORS.split(said) if word))


def interview(answers: Answers, ask: Callable[[Question], str] | None = None) -> Interviewed:
    """Puts what is not answered yet through `ask`, which gives "" where it stays open; raises UsageError.

    Whatever stays open is assumed, and stands in the blueprint as an open question."""
    said = {each.key: str(getattr(answers, each.key)).strip() for each in QUESTIONS}
    for each in QUESTIONS:
        if said[each.key]:
            wrong = objection_to(each, said[each.key])
            if wrong:
                raise UsageError(f"{each.flag} {said[each.key]}: {wrong}", hint=f"{each.text} {_hint(each)}")
        elif ask is not None:
            said[each.key] = ask(each)
    open_questions = tuple(
        Assumption(path=each.path, question=each.text, assumed=each.assumed, matters=each.matters)
        for each in QUESTIONS
        if not said[each.key]
    )
    text = first_blueprint.written(
        Answers(**said),
        keeps=split(said["keeps"] or question("keeps").assumed),
        operations=split(said["operations"]),
        calls=split(said["calls"] if said["calls"] != "none" else ""),
        open_questions=open_questions,
    )
    return Interviewed(text=text, blueprint=blueprint_reader.parse(text))


def _hint(asked: Question) -> str:
    words = asked.choices or ((asked.example,) if asked.example else (asked.assumed,))
    return f"For example: {', '.join(words)}"
