"""`nines trace`: the endpoints of a project and the predicted trace of each."""

from __future__ import annotations

import difflib

from nines.model.errors import UsageError
from nines.model.record import Record
from nines.model.report import Unexamined
from nines.model.service import Endpoint, Service
from nines.model.trace import Trace
from nines.verbs.project import Project
from nines.verbs.reading import read

_SUGGESTIONS_MAX = 5


class Traced(Record):
    """The endpoints that were asked for, each with its trace."""

    service: Service
    pairs: tuple[tuple[Endpoint, Trace | None], ...]
    is_listing: bool
    unexamined: tuple[Unexamined, ...] = ()


def trace(project: Project, wanted: str = "") -> Traced:
    """All endpoints, or those whose id, path or function contains `wanted`; raises UsageError when none does."""
    found = read(project)
    service = found.service
    text = wanted.strip().lower()
    chosen = [
        endpoint
        for endpoint in service.endpoints
        if not text or text in endpoint.id.lower() or text in endpoint.function.lower()
    ]
    exact = [endpoint for endpoint in chosen if text in (endpoint.id.lower(), endpoint.path.lower())]
    if text and not chosen:
        near = difflib.get_close_matches(wanted, [e.id for e in service.endpoints], n=_SUGGESTIONS_MAX, cutoff=0.3)
        hint = "Near it: " + "; ".join(near) if near else "List them with: nines trace PATH"
        raise UsageError(f"no endpoint contains {wanted!r}", hint=hint)
    pairs = tuple((endpoint, service.trace(endpoint.id)) for endpoint in exact or chosen)
    return Traced(service=service, pairs=pairs, is_listing=not text, unexamined=found.unexamined)
