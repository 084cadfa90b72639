"""A design: what is derived from a blueprint or recovered from code, before anything is written."""

from __future__ import annotations

from nines.model.design.capacity import (
    CachePlan,
    CapacityPlan,
    Measure,
    Need,
    PoolPlan,
    Promised,
    ResourceUse,
    RuntimeUse,
    ScalePoint,
    ServerSetting,
    ServiceTime,
    Uncached,
)
from nines.model.design.data import (
    Growth,
    Migration,
    PlannedCheck,
    PlannedColumn,
    PlannedIndex,
    PlannedQuery,
    PlannedTable,
)
from nines.model.design.decision import Choice, Decision, Gap, Objection
from nines.model.design.design import Design, Source
from nines.model.design.document import Document
from nines.model.design.flow import Branch, Flow, FlowStep, PlannedJob, Reception, StepKind
from nines.model.design.interface import PlannedAnswer, PlannedEndpoint, PlannedParameter, Shape
from nines.model.design.risk import (
    Answer,
    Element,
    ElementKind,
    FailureMode,
    Forecast,
    Secret,
    Stride,
    Threat,
)
from nines.model.design.running import Alert, AlertCase, Deployable, Objective, Recording, Running, Watch

__all__ = [
    "Alert",
    "AlertCase",
    "Answer",
    "Branch",
    "CachePlan",
    "CapacityPlan",
    "Choice",
    "Decision",
    "Deployable",
    "Design",
    "Document",
    "Element",
    "ElementKind",
    "FailureMode",
    "Flow",
    "FlowStep",
    "Forecast",
    "Gap",
    "Growth",
    "Measure",
    "Migration",
    "Need",
    "Objection",
    "Objective",
    "PlannedAnswer",
    "PlannedCheck",
    "PlannedColumn",
    "PlannedEndpoint",
    "PlannedIndex",
    "PlannedJob",
    "PlannedParameter",
    "PlannedQuery",
    "PlannedTable",
    "PoolPlan",
    "Promised",
    "Reception",
    "Recording",
    "ResourceUse",
    "Running",
    "RuntimeUse",
    "ScalePoint",
    "Secret",
    "ServerSetting",
    "ServiceTime",
    "Shape",
    "Source",
    "StepKind",
    "Stride",
    "Threat",
    "Uncached",
    "Watch",
]
