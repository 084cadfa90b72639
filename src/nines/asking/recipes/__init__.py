"""How each intent is answered: one file per intent with `answer(asked, material)`, found by its name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import cast

from nines.asking.answer import Answer
from nines.asking.material import Material
from nines.asking.recognise import Asked

Recipe = Callable[[Asked, Material], Answer]


def names() -> tuple[str, ...]:
    """The intents that have a recipe."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(__path__)))


def recipe(intent: str) -> Recipe:
    return cast("Recipe", importlib.import_module(f"{__name__}.{intent}").answer)
