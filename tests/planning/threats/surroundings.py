"""Blueprints with any surroundings: dependencies of every kind, ways of showing who one is, jobs, places to stand."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec.structs import replace

from nines.model.blueprint import (
    Authentication,
    Blueprint,
    Breaker,
    Dependency,
    DependencyKind,
    Deployment,
    Events,
    Fallback,
    Job,
    RetryPolicy,
)
from tests.planning.blueprints import blueprints

_OTHERS = [kind for kind in DependencyKind if kind is not DependencyKind.POSTGRES]
_SCHEMES = ["oauth2-jwt", "oidc", "api-key", "session", "mtls", "none"]


@st.composite
def dependencies(draw: st.DrawFn, name: str) -> Dependency:
    return Dependency(
        name=name,
        kind=draw(st.sampled_from(_OTHERS)),
        is_hard=draw(st.booleans()),
        timeout_s=draw(st.none() | st.just(0.5)),
        availability=draw(st.none() | st.sampled_from([0.0, 0.9, 0.999, 1.0])),
        rate_max_hz=draw(st.none() | st.just(100.0)),
        retry=draw(st.none() | st.builds(RetryPolicy, max=st.integers(0, 3))),
        breaker=draw(st.none() | st.just(Breaker())),
        bulkhead=draw(st.none() | st.just(8)),
        fallback=draw(st.sampled_from(list(Fallback))),
        is_external=draw(st.booleans()),
    )


@st.composite
def surrounded(draw: st.DrawFn) -> Blueprint:
    """Any blueprint, in any surroundings."""
    blueprint = draw(blueprints())
    names = draw(st.lists(st.sampled_from(["other", "cache", "bus", "files"]), unique=True))
    others = tuple(draw(dependencies(name)) for name in names)
    if blueprint.auth is not None and blueprint.auth.scheme != "own-jwt":
        auth = Authentication(scheme=draw(st.sampled_from(_SCHEMES)), audience=draw(st.sampled_from(["", "example"])))
        blueprint = replace(blueprint, auth=draw(st.none() | st.just(auth)))
    least = draw(st.integers(1, 4))
    deploy = Deployment(
        regions=draw(st.integers(1, 2)), zones=draw(st.integers(1, 3)), replicas_min=least, replicas_max=least + 4
    )
    jobs = tuple(
        Job(name=f"ask{name.capitalize()}", every_s=60.0, calls=(f"{name}.ask",))
        for name in names
        if draw(st.booleans())
    )
    brokers = [each.name for each in others if each.kind in (DependencyKind.KAFKA, DependencyKind.NATS)]
    events = blueprint.events
    is_carried: bool = draw(st.booleans())
    if brokers and is_carried:
        events = Events(transport=events.transport, broker=brokers[0], types=events.types)
    return replace(
        blueprint,
        dependencies=(*blueprint.dependencies, *others),
        deploy=deploy,
        jobs=(*blueprint.jobs, *jobs),
        events=events,
    )
