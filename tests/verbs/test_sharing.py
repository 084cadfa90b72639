"""Work that is shared with copies of this process is done once, and nothing of a copy stays."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from nines.effects import analyse
from nines.readers import python, sql
from nines.verbs.sharing import PARTS_MAX, PARTS_MIN, shared

_COUNT = PARTS_MIN + 7
several = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="one processor only"
)


def _square(number: int) -> bytes:
    return f"{number * number} {'x' * 2_000}".encode()


def _copies() -> set[int]:
    """The children of this process; a database of other tests may be among them."""
    return {child.pid for child in psutil.Process().children()}


@several
def test_every_part_is_done_by_somebody() -> None:
    before = _copies()
    assert shared(_COUNT, _square) == {number: _square(number) for number in range(_COUNT)}
    assert _copies() == before


def test_few_parts_and_too_many_are_not_shared() -> None:
    assert shared(PARTS_MIN - 1, _square) == {}
    assert shared(PARTS_MAX + 1, _square) == {}


@several
def test_what_a_copy_did_not_end_is_missing() -> None:
    here = os.getpid()

    def failing_elsewhere(number: int) -> bytes:
        if os.getpid() != here:
            raise ValueError
        return _square(number)

    before = _copies()
    found = shared(_COUNT, failing_elsewhere)
    assert set(found.values()) <= {_square(number) for number in range(_COUNT)}
    assert _copies() == before


@several
def test_an_interruption_leaves_no_copy() -> None:
    def interrupted(_number: int) -> bytes:
        raise KeyboardInterrupt

    before = _copies()
    with pytest.raises(KeyboardInterrupt):
        shared(_COUNT, interrupted)
    assert _copies() == before


@several
def test_the_service_is_the_same_when_its_entry_points_are_shared(tmp_path: Path) -> None:
    functions = "".join(
        f"""
@app.get("/{number}")
def show_{number}(id: int):
    requests.get("https://example.com/{number % 3}")
    return helper(id, {number % 5})
"""
        for number in range(_COUNT)
    )
    (tmp_path / "main.py").write_text(
        f"""
import requests
from fastapi import FastAPI
app = FastAPI()
def helper(id, depth):
    requests.post("https://example.com", json=id)
    return helper(id, depth - 1) if depth else id
{functions}"""
    )
    program = python.read(tmp_path, jobs=1)
    counts: list[int] = []

    def counting(count: int, work: object) -> dict[int, bytes]:
        found = shared(count, work)  # type: ignore[arg-type]
        counts.append(len(found))
        return found

    assert analyse(program, read_statement=sql.read, share=counting) == analyse(program, read_statement=sql.read)
    assert counts == [_COUNT]
