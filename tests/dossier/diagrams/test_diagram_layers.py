"""Laws of the layout: nothing overlaps, and no line runs through a box or a label."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from nines.dossier.diagrams.layers import Box, Layout, Link, Placed, layout
from nines.dossier.diagrams.packing import packed

_SLACK = 0.3
"""Places are rounded to a tenth."""


@st.composite
def pictures(draw: st.DrawFn) -> tuple[list[Box], list[Link]]:
    sizes = st.integers(20, 320).map(float)
    boxes = [
        Box(
            id=str(number),
            width=draw(sizes),
            height=draw(st.integers(14, 120).map(float)),
            band=draw(st.integers(0, 2)),
        )
        for number in range(draw(st.integers(1, 10)))
    ]
    ends = st.sampled_from([box.id for box in boxes])
    links = [
        Link(source=a, target=b, width=wide, height=14.0 if wide else 0.0)
        for (a, b), wide in draw(
            st.lists(st.tuples(st.tuples(ends, ends), st.sampled_from([0.0, 40.0, 150.0])), max_size=16)
        )
        if a != b
    ]
    return boxes, links


Frame = tuple[float, float, float, float]


def frames(boxes: list[Box], links: list[Link], found: Layout) -> tuple[dict[str, Frame], list[tuple[int, Frame]]]:
    def around(place: Placed, width: float, height: float) -> Frame:
        return place.x - width / 2, place.y - height / 2, place.x + width / 2, place.y + height / 2

    labels = [
        (number, around(route.label, link.width, link.height))
        for number, (link, route) in enumerate(zip(links, found.routes, strict=True))
        if route.label is not None
    ]
    return {box.id: around(found.boxes[box.id], box.width, box.height) for box in boxes}, labels


def touch(one: Frame, other: Frame) -> bool:
    return (
        one[0] < other[2] - _SLACK
        and other[0] < one[2] - _SLACK
        and one[1] < other[3] - _SLACK
        and other[1] < one[3] - _SLACK
    )


@settings(max_examples=150, deadline=None)
@given(pictures(), st.booleans())
def test_nothing_overlaps_and_no_line_runs_through_a_box(
    picture: tuple[list[Box], list[Link]], is_packed: bool
) -> None:
    boxes, links = picture
    if is_packed:
        boxes = [Box(id=box.id, width=box.width, height=box.height) for box in boxes]
    found = packed(boxes, links) if is_packed else layout(boxes, links, framed=frozenset({1}))
    around, labels = frames(boxes, links, found)
    everything = [*around.values(), *(frame for _, frame in labels)]
    for one, other in itertools.combinations(everything, 2):
        assert not touch(one, other)
    for frame in everything:
        assert frame[0] >= -_SLACK
        assert frame[1] >= -_SLACK
        assert frame[2] <= found.width + _SLACK
        assert frame[3] <= found.height + _SLACK
    for number, route in enumerate(found.routes):
        mine = {links[number].source, links[number].target}
        others = [frame for name, frame in around.items() if name not in mine]
        others += [frame for at, frame in labels if at != number]
        for before, here in itertools.pairwise(route.points):
            # A bent piece stays within the box that its ends span.
            span = (min(before.x, here.x), min(before.y, here.y), max(before.x, here.x), max(before.y, here.y))
            wider = (span[0] - 0.5, span[1], span[2] + 0.5, span[3])
            assert not any(touch(wider, frame) for frame in others)


@settings(max_examples=80, deadline=None)
@given(pictures())
def test_lines_end_at_their_boxes_and_bands_are_below_one_another(picture: tuple[list[Box], list[Link]]) -> None:
    boxes, links = picture
    found = layout(boxes, links)
    around, _ = frames(boxes, links, found)
    for link, route in zip(links, found.routes, strict=True):
        for name, end in ((link.source, route.points[0]), (link.target, route.points[-1])):
            left, top, right, bottom = around[name]
            assert left <= end.x <= right
            assert min(abs(end.y - top), abs(end.y - bottom)) < _SLACK
    for one, other in itertools.permutations(boxes, 2):
        if one.band < other.band:
            assert around[one.id][3] <= around[other.id][1] + _SLACK


def test_a_wide_row_is_broken_into_about_equal_ones() -> None:
    boxes = [Box(id=str(number), width=180.0, height=40.0) for number in range(7)]
    found = layout(boxes, [])
    rows = {round(place.y) for place in found.boxes.values()}
    assert len(rows) == 2
    assert found.width <= 1_000


def test_a_ring_is_laid_out() -> None:
    boxes = [Box(id=each, width=60.0, height=30.0) for each in "abc"]
    links = [Link(source=a, target=b) for a, b in ("ab", "bc", "ca")]
    found = layout(boxes, links)
    assert found.boxes["a"].y < found.boxes["b"].y < found.boxes["c"].y
    assert found.routes[2].points[0].y > found.routes[2].points[-1].y
