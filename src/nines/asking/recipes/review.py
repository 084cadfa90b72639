"""A review: what was found, most serious first."""

from __future__ import annotations

from nines.asking.answer import Answer
from nines.asking.material import Material
from nines.asking.recognise import Asked
from nines.asking.reviewing import reviewed


def answer(asked: Asked, material: Material) -> Answer:
    return reviewed(asked, material, intent="review", understood="you ask for a review of the code")
