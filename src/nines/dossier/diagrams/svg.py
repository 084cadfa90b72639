"""The few elements of SVG that diagrams are made of; every text is escaped here and measured before."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from html import escape

from nines.dossier.diagrams.layers import Placed
from nines.dossier.diagrams.widths import legible

SIZE = 13.0
SMALL = 11.5
LINE = 1.28
"""The height of a line, in sizes."""
_HEAD = 7.0


def figure(title: str, says: str, width: float, height: float, parts: Iterable[str]) -> str:
    """The whole picture with its name and description; colours come from the page's style sheet (`style.css`)."""
    body = "".join(parts)
    key = hashlib.sha256(f"{title}{says}{body}".encode()).hexdigest()[:12]
    names = f"t{key} d{key}" if says else f"t{key}"
    about = f'<title id="t{key}">{escape(legible(title))}</title>' + (
        f'<desc id="d{key}">{escape(legible(says))}</desc>' if says else ""
    )
    return (
        f'<svg class="diagram" xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{names}" '
        f'viewBox="0 0 {number(width)} {number(height)}" width="{number(width)}" height="{number(height)}">'
        f"{about}{body}</svg>"
    )


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def rectangle(kind: str, x: float, y: float, width: float, height: float, *, radius: float = 6) -> str:
    return (
        f'<rect class="{kind}" x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f'rx="{number(radius)}"/>'
    )


def text(kind: str, x: float, y: float, says: str, *, anchor: str = "middle") -> str:
    """One line; y is its base line."""
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}"{at}>{escape(legible(says))}</text>'


def lines(kind: str, x: float, top: float, says: Sequence[str], size: float, *, anchor: str = "middle") -> str:
    """Lines below one another, the first beginning at the top."""
    height = size * LINE
    return "".join(text(kind, x, top + height * (at + 0.78), line, anchor=anchor) for at, line in enumerate(says))


def path(kind: str, data: str) -> str:
    return f'<path class="{kind}" d="{data}"/>'


def curve(points: Sequence[Placed]) -> str:
    """A line through the points that bends only between rows: upright where two points stand above one another."""
    said = [f"M{number(points[0].x)} {number(points[0].y)}"]
    for before, here in itertools.pairwise(points):
        if before.x == here.x:
            if before.y != here.y:
                said.append(f"V{number(here.y)}")
            continue
        middle = (before.y + here.y) / 2
        said.append(
            f"C{number(before.x)} {number(middle)} {number(here.x)} {number(middle)} {number(here.x)} {number(here.y)}"
        )
    return "".join(said)


def head(tip: Placed, *, dx: float = 0.0, dy: float = 0.0) -> str:
    """The head of an arrow that comes from the direction (-dx, -dy), a unit along one axis."""
    back_x, back_y = tip.x - dx * _HEAD, tip.y - dy * _HEAD
    side_x, side_y = dy * _HEAD * 0.5, dx * _HEAD * 0.5
    corners = ((tip.x, tip.y), (back_x + side_x, back_y + side_y), (back_x - side_x, back_y - side_y))
    return path("head", "M" + "L".join(f"{number(x)} {number(y)}" for x, y in corners) + "Z")
