"""What the interface looks like."""

from __future__ import annotations

from nines.model.design import Decision, Design
from nines.model.words import many
from nines.planning.decisions.deciding import is_said, option

NUMBER = 7
_NAMES = {"rest": "REST with OpenAPI", "graphql": "GraphQL", "grpc": "gRPC"}


def decide(design: Design) -> Decision | None:
    if not design.endpoints:
        return None
    first, *others = design.card.interfaces
    return Decision(
        id="api-style",
        number=NUMBER,
        concern="Style of the API",
        context=_context(design),
        options=(
            option(
                _NAMES["rest"],
                "every client, proxy, cache and gateway understands it; statuses, ETags and 429 mean something to all",
                "an object more or less for what a screen needs: several requests, or fields to leave out",
                "callers are many and not known",
            ),
            option(
                _NAMES["graphql"],
                "a screen asks once for exactly what it shows",
                "depth, cost and permission have to be checked for each field; caches see one POST",
                "one's own front ends, with screens that mix many resources",
            ),
            option(
                _NAMES["grpc"],
                "small messages, streams, and clients made from the contract",
                "browsers need a proxy, and people cannot read it",
                "services of one's own call one another, very often",
            ),
        ),
        chosen=_NAMES.get(first, _NAMES["rest"]),
        because=_because(design, first),
        consequences=(
            "The contract is written first and compared with the released one: what breaks a caller needs a new major "
            "version.",
            *(
                [f"{', '.join(_NAMES.get(each, each) for each in others)} beside it, over the same operations."]
                if others
                else []
            ),
        ),
        changes_when="Most requests come from one's own services, or screens need several requests each.",
        is_given=is_said(design, "service.interfaces") or design.is_recovered,
    )


def _context(design: Design) -> str:
    count = many(len(design.endpoints), "operation")
    if design.is_recovered:
        return f"{count} over HTTP."
    public = sum(1 for each in design.endpoints if each.is_public)
    kept = sum(1 for each in design.endpoints if each.idempotency)
    return f"{count}, {public} of them open to anybody, {kept} repeatable under an Idempotency-Key."


def _because(design: Design, first: str) -> str:
    if design.is_recovered:
        return "It is what the code answers"
    if first != "rest":
        return "The blueprint asks for it"
    cached = sum(1 for each in design.endpoints if "public" in each.cache_control)
    edge = f"; {cached} operations are answered at the edge, which needs a GET" if cached else ""
    return f"Its callers are people's clients and other teams, who bring their own tools{edge}"
