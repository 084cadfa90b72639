"""Articles follow how a noun is spoken."""

from __future__ import annotations

import pytest

from nines.model.words import an


@pytest.mark.parametrize(
    "said",
    [
        "an order",
        "a payment",
        "a user",
        "a unit",
        "an uninsured claim",
        "an item",
        "a usage",
        "an upload",
        "a euro",
        "a ",
    ],
)
def test_a_noun_gets_the_article_that_it_is_spoken_with(said: str) -> None:
    assert an(said.partition(" ")[2]) == said
