"""A blueprint: what a service shall be and how much of it, never its logic.

The written form (YAML) and its units belong to the reader; here durations are seconds, rates are per second, sizes are
bytes and shares lie between 0 and 1."""

from __future__ import annotations

from nines.model.blueprint.blueprint import Blueprint
from nines.model.blueprint.dependency import Breaker, Dependency, DependencyKind, Fallback, RetryPolicy
from nines.model.blueprint.operation import (
    OF_ACCOUNTS,
    Action,
    Consumer,
    Deprecation,
    Event,
    Events,
    Idempotency,
    Job,
    Limit,
    Module,
    Operation,
    Page,
    SagaStep,
)
from nines.model.blueprint.problem import Problem
from nines.model.blueprint.resource import (
    Access,
    Field,
    FieldKind,
    Grant,
    GrantKind,
    Identifier,
    IndexPart,
    OnDelete,
    Resource,
    ResourceKind,
    State,
    ValueType,
    WantedIndex,
)
from nines.model.blueprint.service import (
    Authentication,
    Card,
    Criticality,
    Demand,
    Deployment,
    OpenQuestion,
    Promises,
    Role,
    Tenancy,
)

__all__ = [
    "OF_ACCOUNTS",
    "Access",
    "Action",
    "Authentication",
    "Blueprint",
    "Breaker",
    "Card",
    "Consumer",
    "Criticality",
    "Demand",
    "Dependency",
    "DependencyKind",
    "Deployment",
    "Deprecation",
    "Event",
    "Events",
    "Fallback",
    "Field",
    "FieldKind",
    "Grant",
    "GrantKind",
    "Idempotency",
    "Identifier",
    "IndexPart",
    "Job",
    "Limit",
    "Module",
    "OnDelete",
    "OpenQuestion",
    "Operation",
    "Page",
    "Problem",
    "Promises",
    "Resource",
    "ResourceKind",
    "RetryPolicy",
    "Role",
    "SagaStep",
    "State",
    "Tenancy",
    "ValueType",
    "WantedIndex",
]
