"""What is answered from memory of an earlier answer."""

from __future__ import annotations

from nines.model.blueprint import DependencyKind
from nines.model.design import CachePlan, Decision, Design
from nines.model.words import duration, rate
from nines.planning.decisions.deciding import option, some

NUMBER = 5
_NONE, _TOKENS = "no cache", "verified tokens in each process, and nothing else"
_EDGE, _SHARED = "public answers at the edge (CDN)", "a shared cache (Redis)"


def decide(design: Design) -> Decision | None:
    plan = design.capacity
    if plan is None or design.demand is None:
        return None
    edge = [each for each in plan.caches if each.layer == "edge"]
    chosen = _EDGE if edge else _TOKENS if plan.caches else _NONE
    reads = [each for each in design.endpoints if each.is_safe and each.peak_hz]
    private = [each for each in reads if "public" not in each.cache_control]
    hottest = max(reads, key=lambda each: each.peak_hz or 0.0, default=None)
    context = (
        f"{rate(sum(each.peak_hz or 0.0 for each in reads))} of reads at the peak, "
        f"{rate(sum(each.peak_hz or 0.0 for each in private))} of them for one caller's eyes. "
    )
    if hottest is not None:
        context += f"The most frequent is {hottest.id} with {rate(hottest.peak_hz or 0.0)}. "
    redis = [each.name for each in design.dependencies if each.kind is DependencyKind.REDIS]
    if redis:
        context += f"A Redis is there already ({some(redis)})."
    return Decision(
        id="cache",
        number=NUMBER,
        concern="Cache",
        context=context.strip(),
        options=(
            option(
                _NONE,
                "every answer is true at the moment when it is given",
                "every read reaches the database",
                "reads by key are cheap, and nobody's answer helps another",
            ),
            option(
                _TOKENS,
                "signatures are not checked again for each request; answers stay true",
                "a token that is taken back is honoured for as long as it is kept",
                "callers come again within a minute",
            ),
            option(
                _SHARED,
                "one copy for all processes, and it outlives them",
                "half a millisecond for what the database answers in about one; a second truth that has to be ended "
                "with every write",
                "answers are expensive to make and asked for by many",
            ),
            option(
                _EDGE,
                "the request never arrives",
                "a change is seen late unless the edge is told; nothing that differs between callers may go there",
                "many ask for the same, and it is public",
            ),
        ),
        chosen=chosen,
        because=_because(chosen, edge, redis),
        consequences=tuple(_consequences(design, edge)),
        changes_when="A read that is made of many rows becomes frequent, and its answer may be some seconds old.",
    )


def _because(chosen: str, edge: list[CachePlan], redis: list[str]) -> str:
    if chosen == _EDGE:
        found = "; ".join(f"{', '.join(c.operations)}: {c.hit_share or 0:.0%} answered at the edge" for c in edge)
        return f"Public reads asked for again and again ({found})"
    unused = f"; {some(redis)} is left to what the blueprint wants it for" if redis else ""
    if chosen == _TOKENS:
        return f"What is read belongs to one caller each, and a read by its key costs the database 50 µs{unused}"
    return f"So few reads come that each can be answered from the database{unused}"


def _consequences(design: Design, edge: list[CachePlan]) -> list[str]:
    found = [
        f"{', '.join(each.operations)} may be {duration(each.ttl_s)} old; ended earlier by {each.invalidated_by}."
        for each in edge
    ]
    if edge:
        found.append(
            "The service is sized as if the edge were not there: it must carry the day on which it is passed by."
        )
    if design.capacity and any(each.layer == "process" for each in design.capacity.caches):
        found.append("Verified tokens are kept by digest, with a limit on their number.")
    return found or ["Freshness needs no explanation to anybody."]
