"""Identifiers only grow, and are the same outside and inside."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime import identifier_of, identifier_text, new_id


def test_identifiers_grow_and_never_repeat() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {each.version for each in made} == {7}
    assert {each.variant for each in made} == {"specified in RFC 4122"}


def test_threads_share_one_order() -> None:
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda _: [new_id() for _ in range(2_000)], range(4)))
    assert len({each for part in parts for each in part}) == 8_000
    assert all(part == sorted(part) for part in parts)


@given(st.uuids(), st.sampled_from(["", "pay", "line_item"]))
def test_what_is_written_is_read_again(id: UUID, prefix: str) -> None:
    assert identifier_of(identifier_text(id, prefix), prefix) == id


@pytest.mark.parametrize(
    "text",
    ["", "pay_", "pay_0", "ord_01b8e0949b2e786fa1b1c875d24a343b", "pay_01B8E0949B2E786FA1B1C875D24A343B",
     "pay_01b8e0949b2e786fa1b1c875d24a343b0", "pay_01b8e0949b2e786fa1b1c875d24a343", "01b8e0949b2e786fa1b1c875d24a343b",
     "pay_01b8e094-9b2e-786f-a1b1-c875d24a34", "pay_٠١b8e0949b2e786fa1b1c875d24a343b"],
)  # fmt: skip
def test_what_this_service_would_not_write_is_nobodys(text: str) -> None:
    assert identifier_of(text, "pay") is None


def test_a_child_makes_others_than_its_parent() -> None:
    new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(new_id().bytes[8:] for _ in range(100)))
        os._exit(0)
    own = {new_id().bytes[8:] for _ in range(100)}
    os.waitpid(child, 0)
    told = os.read(reading, 100 * 8)
    assert len(told) == 100 * 8
    assert own.isdisjoint({told[at : at + 8] for at in range(0, len(told), 8)})
