"""Which reads are answered from a cache, for how long, and what ends that; and which are not, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.model import words
from nines.model.blueprint import Action, Resource
from nines.model.design import CachePlan, Design, PlannedEndpoint, Uncached
from nines.model.words import amount, duration
from nines.planning.capacity import figures

HOT_HZ = 50.0
"""Reads at the peak below this are not worth a cache: an answer by an index costs less than the doubt."""
_POPULARITY = 0.8
"""Zipf's exponent of what is asked for over the web: 0.64 to 0.83 (Breslau et al., INFOCOM 1999)."""
_LISTS = 100
"""Different pages of a list that are asked for, where nobody knows."""
_OBJECTS_USUAL = 10_000
_OBJECTS_MAX = 20_000
"""Above so many the tail is taken as even."""
_MAX_AGE = re.compile(r"max-age=(\d+)")
_TOKENS_S = 60.0
"""A token that is taken back is honoured at most this long."""
_TOKENS_HZ = 100.0
"""Authenticated requests at the peak from which checking each signature costs more than a hundredth of a core."""
_SIGNED = ("oauth2-jwt", "oidc", "own-jwt")


def caches(design: Design) -> tuple[tuple[CachePlan, ...], tuple[Uncached, ...]]:
    used, left = [], []
    for endpoint in design.endpoints:
        if endpoint.action not in (Action.READ, Action.LIST) or (endpoint.peak_hz or 0.0) < HOT_HZ:
            continue
        if "public" in endpoint.cache_control and (age := _MAX_AGE.search(endpoint.cache_control)):
            used.append(_edge(design, endpoint, float(age[1])))
        else:
            left.append(Uncached(operation=endpoint.id, says=_why_not(endpoint)))
    return (*used, *_tokens(design)), tuple(left)


def hit_share(rate_hz: float, ttl_s: float, objects: int) -> float:
    """Of reads over objects of unequal popularity, each kept for `ttl_s` after it was fetched.

    An object that is read at the rate r is fetched once in ttl + 1/r, hence found with r ttl / (1 + r ttl)."""
    count = max(1, min(objects, _OBJECTS_MAX))
    weights = [(rank + 1) ** -_POPULARITY for rank in range(count)]
    total = sum(weights)
    found = 0.0
    for weight in weights:
        asked = rate_hz * ttl_s * weight / total * (count / max(1, objects) if objects > count else 1.0)
        found += weight / total * asked / (1 + asked)
    return found


def _edge(design: Design, endpoint: PlannedEndpoint, ttl_s: float) -> CachePlan:
    resource = design.blueprint.resource(endpoint.resource) if design.blueprint else None
    rate_hz = endpoint.peak_hz or 0.0
    objects = _objects(resource) if endpoint.action is Action.READ else _LISTS
    share = hit_share(rate_hz, ttl_s, objects)
    origin_hz = rate_hz * (1 - share)
    of = "objects" if endpoint.action is Action.READ else "different pages (taken)"
    return CachePlan(
        what=f"the answers of {endpoint.id}",
        layer="edge",
        ttl_s=ttl_s,
        operations=(endpoint.id,),
        hit_share=share,
        invalidated_by=f"{', '.join(_writers(design, endpoint))}: the CDN is told to drop the object after the commit"
        if _writers(design, endpoint)
        else "its age alone",
        says=f"{words.rate(rate_hz)} over {objects:,} {of}, asked for unequally (Zipf {_POPULARITY}) and kept for "
        f"{duration(ttl_s)}: {words.share(round(share, 3))} are answered at the edge, {words.rate(origin_hz)} "
        f"arrive here. A change is seen after {duration(ttl_s)} at the latest, if the CDN is not told.",
    )


def _objects(resource: Resource | None) -> int:
    return resource.rows_initial if resource and resource.rows_initial else _OBJECTS_USUAL


def _writers(design: Design, endpoint: PlannedEndpoint) -> list[str]:
    return [e.id for e in design.endpoints if e.resource == endpoint.resource and not e.is_safe]


def _why_not(endpoint: PlannedEndpoint) -> str:
    rate = words.rate(endpoint.peak_hz or 0.0)
    return (
        f"{rate} at the peak, each for one caller's eyes: a shared cache would need the caller in its key, and would "
        f"hide a change that the caller made a moment ago. The ETag saves the body where nothing changed (304)."
    )


def _tokens(design: Design) -> Iterator[CachePlan]:
    scheme = design.auth.scheme if design.auth else ""
    asked_hz = sum(e.peak_hz or 0.0 for e in design.endpoints if not e.is_public)
    if scheme not in _SIGNED or asked_hz < _TOKENS_HZ or design.auth is None:
        return
    ttl_s = min(_TOKENS_S, design.auth.token_ttl_s)
    cores = asked_hz * figures.TOKEN_CPU_S
    yield CachePlan(
        what="verified tokens",
        layer="process",
        ttl_s=ttl_s,
        operations=tuple(e.id for e in design.endpoints if not e.is_public),
        invalidated_by=f"their age, never beyond exp; a key taken out of the issuer's set counts within "
        f"{duration(ttl_s)}",
        says=f"{words.rate(asked_hz)} × {figures.TOKEN_CPU_S * 1e6:.0f} µs = {amount(cores)} cores if every signature "
        f"were checked; a caller who comes again within {duration(ttl_s)} is checked once in each process. Kept "
        f"by digest, at most 10,000 in a process, the oldest goes first.",
    )
