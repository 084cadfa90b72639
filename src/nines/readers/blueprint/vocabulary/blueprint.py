"""The whole blueprint."""

from __future__ import annotations

from typing import Any

from nines.model.blueprint import Blueprint
from nines.readers.blueprint.combined import Made
from nines.readers.blueprint.records import Key, Keys
from nines.readers.blueprint.shapes import Number
from nines.readers.blueprint.vocabulary.consumers import CONSUMERS
from nines.readers.blueprint.vocabulary.dependencies import DEPENDENCIES
from nines.readers.blueprint.vocabulary.events import EVENTS
from nines.readers.blueprint.vocabulary.fields import TYPES
from nines.readers.blueprint.vocabulary.jobs import JOBS
from nines.readers.blueprint.vocabulary.limits import LIMITS
from nines.readers.blueprint.vocabulary.modules import MODULES, owned_once
from nines.readers.blueprint.vocabulary.operations import OPERATIONS
from nines.readers.blueprint.vocabulary.resources import RESOURCES
from nines.readers.blueprint.vocabulary.service import AUTH, BUDGETS, CARD, DEPLOY, LOAD, OPEN, ROLES, TENANCY

NEWEST = 1
"""The version of the vocabulary that is declared here."""


def _blueprint(**told: Any) -> Blueprint:
    return Blueprint(**told)


BLUEPRINT = Keys(
    "blueprint",
    "What a service shall be and how much of it, never its logic.",
    (
        Key(
            name="nines",
            shape=Number(1, NEWEST),
            says=f"The version of this vocabulary: {NEWEST}.",
            is_required=True,
        ),
        Key(name="service", shape=CARD, says="Who the service is.", is_required=True),
        Key(name="budgets", shape=BUDGETS, says="What the service promises."),
        Key(name="load", shape=LOAD, says="How much is expected."),
        Key(name="auth", shape=AUTH, says="How a caller shows who it is."),
        Key(name="roles", shape=ROLES, says="Who there is."),
        Key(name="tenancy", shape=TENANCY, says="How customers are kept apart."),
        Key(name="types", shape=TYPES, says="Values made of several parts, such as money."),
        Key(name="resources", shape=RESOURCES, says="What the service keeps."),
        Key(name="operations", shape=OPERATIONS, says="What callers may do."),
        Key(name="jobs", shape=JOBS, says="What happens outside a request."),
        Key(name="dependencies", shape=DEPENDENCIES, says="What the service needs of others."),
        Key(name="limits", shape=LIMITS, says="How often callers may ask."),
        Key(name="events", shape=EVENTS, says="What is told to others."),
        Key(
            name="consumes",
            shape=CONSUMERS,
            to="consumers",
            says="What others tell, or the service itself, and what that causes here.",
        ),
        Key(
            name="modules",
            shape=Made(MODULES, owned_once),
            says="The parts of the service, each with resources of its own.",
        ),
        Key(name="deploy", shape=DEPLOY, says="Where it runs."),
        Key(name="open", shape=OPEN, to="open_questions", says="What nobody answered yet."),
    ),
    _blueprint,
)
