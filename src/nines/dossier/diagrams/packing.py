"""What is not linked is laid out apart and put side by side, in shelves."""

from __future__ import annotations

from collections.abc import Sequence

from nines.dossier.diagrams.layers import ROW_MAX, Box, Layout, Link, Placed, Route, layout

_GAP = 30.0


def packed(boxes: Sequence[Box], links: Sequence[Link]) -> Layout:
    """Like `layers.layout` for boxes of one band: the largest part first, those without a link last."""
    parts = sorted(_parts(boxes, links), key=len, reverse=True)
    routes: dict[int, Route] = {}
    places: dict[str, Placed] = {}
    x = top = bottom = right = 0.0
    for part in parts:
        numbers = [number for number, link in enumerate(links) if link.source in part]
        found = layout([box for box in boxes if box.id in part], [links[number] for number in numbers])
        if x and x + found.width > ROW_MAX:
            x, top = 0.0, bottom + _GAP
        places |= {name: _moved(place, x, top) for name, place in found.boxes.items()}
        routes |= {number: _route(route, x, top) for number, route in zip(numbers, found.routes, strict=True)}
        bottom = max(bottom, top + found.height)
        right = max(right, x + found.width)
        x += found.width + _GAP
    ordered = tuple(routes[number] for number in range(len(links)))
    return Layout(width=right, height=bottom, boxes=places, routes=ordered, bands={})


def _parts(boxes: Sequence[Box], links: Sequence[Link]) -> list[frozenset[str]]:
    parts: list[set[str]] = [{box.id} for box in boxes]
    for link in links:
        joined = [part for part in parts if link.source in part or link.target in part]
        if len(joined) > 1:
            joined[0].update(joined[1])
            parts.remove(joined[1])
    return [frozenset(part) for part in parts]


def _moved(place: Placed, x: float, y: float) -> Placed:
    return Placed(x=place.x + x, y=place.y + y)


def _route(route: Route, x: float, y: float) -> Route:
    label = _moved(route.label, x, y) if route.label else None
    return Route(points=tuple(_moved(point, x, y) for point in route.points), label=label)
