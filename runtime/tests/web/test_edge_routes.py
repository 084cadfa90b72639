"""The router against a reference that tries every pattern in turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.web.router import SEGMENTS_MAX, Missed, Router

_WORDS = ("a", "b", "c")
_segments = st.lists(st.sampled_from([*_WORDS, "{x}", "{y}"]), min_size=1, max_size=4).filter(
    lambda found: len([each for each in found if each[0] == "{"]) == len({each for each in found if each[0] == "{"})
)
_paths = _segments.map(lambda found: "/" + "/".join(found))
_asked = st.lists(st.sampled_from([*_WORDS, "d", ""]), min_size=1, max_size=5).map(lambda found: "/" + "/".join(found))
_methods = st.sampled_from(["GET", "POST", "DELETE"])


def _shape(path: str) -> str:
    return "/".join("{}" if each[:1] == "{" else each for each in path.split("/"))


def _matches(path: str, asked: str) -> dict[str, str] | None:
    ours, theirs = path.split("/")[1:], asked.split("/")[1:]
    if len(ours) != len(theirs):
        return None
    found = {}
    for own, given_ in zip(ours, theirs, strict=True):
        if own[:1] == "{":
            if not given_:
                return None
            found[own[1:-1]] = given_
        elif own != given_:
            return None
    return found


def _rank(path: str) -> list[int]:
    """Literal before parameter, from the left."""
    return [1 if each[:1] == "{" else 0 for each in path.split("/")[1:]]


@given(st.lists(st.tuples(_methods, _paths), max_size=12), _methods, _asked)
def test_finds_what_trying_every_pattern_finds(table: list[tuple[str, str]], method: str, asked: str) -> None:
    router: Router[str] = Router()
    known: dict[tuple[str, str], str] = {}
    for each, path in table:
        if (each, _shape(path)) in known:
            with pytest.raises(ValueError, match="twice"):
                router.add(each, path, path)
        else:
            known[each, _shape(path)] = path
            router.add(each, path, path)
    matching = [path for path in known.values() if _matches(path, asked) is not None]
    best = min((_rank(path) for path in matching), default=None)
    candidates = {
        of: path for (of, _), path in known.items() if _matches(path, asked) is not None and _rank(path) == best
    }
    try:
        target, parameters = router.find(method, asked)
    except Missed as missed:
        assert method not in candidates
        allowed = {each for each in missed.allow.decode().split(", ") if each} - {"OPTIONS", "HEAD"}
        assert allowed == set(candidates)
    else:
        assert target == candidates[method]
        assert parameters == _matches(target, asked)


def test_head_is_answered_by_get() -> None:
    router: Router[int] = Router()
    router.add("GET", "/things/{id}", 1)
    assert router.find("HEAD", "/things/7") == (1, {"id": "7"})
    assert router.allow("/things/7") == b"GET, HEAD, OPTIONS"
    assert router.allow("/nothing") == b""


@pytest.mark.parametrize("path", ["things", "/a{x}", "/{x}b", "/{a b}", "/{x}/{x}", "/" + "/".join("a" * 40)])
def test_a_path_that_cannot_be_meant_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|parameter"):
        Router[int]().add("GET", path, 1)


def test_a_path_of_many_segments_costs_nothing() -> None:
    router: Router[int] = Router()
    router.add("GET", "/{a}/{b}", 1)
    with pytest.raises(Missed):
        router.find("GET", "/x" * (SEGMENTS_MAX + 5_000))
