"""Blueprints of older versions of the vocabulary are rewritten, step by step, before they are read."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map

from nines.readers.blueprint.document import Mapping, Node, Scalar
from nines.readers.blueprint.reading import Reading, shown
from nines.readers.blueprint.vocabulary.blueprint import NEWEST

Upgrade = Callable[[Mapping], Mapping]

UPGRADES: dict[int, Upgrade] = {}
"""From a version to the next one: each takes the nodes of a whole blueprint, places kept, and changes its `nines`."""


def upgraded(root: Node, reading: Reading, *, upgrades: Map[int, Upgrade] = UPGRADES, newest: int = NEWEST) -> Mapping:
    """The blueprint in today's words; raises Unreadable for a version that is not known."""
    if not isinstance(root, Mapping):
        raise reading.refuse(root, "a blueprint is a mapping that begins with `nines: 1` and `service: {name: ...}`")
    named = root.get("nines")
    if named is None:
        raise reading.refuse(root, f"nines is missing: the version of the vocabulary, nines: {newest}")
    version = named.value if isinstance(named, Scalar) else None
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        found = shown(named.text) if isinstance(named, Scalar) else "something else"
        raise reading.under("nines").refuse(named, f"expected a version such as {newest}, found {found}")
    if version > newest:
        raise reading.under("nines").refuse(
            named,
            f"this blueprint is of version {version}, and this nines knows versions up to {newest}: "
            "install a newer one (pip install --upgrade threenines)",
        )
    for step in range(version, newest):
        root = upgrades[step](root)
    return root
