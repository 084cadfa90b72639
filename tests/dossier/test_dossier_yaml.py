"""YAML of manifests: short on one line, and the same to every reader."""

from __future__ import annotations

from typing import Any

import yaml as reader
from hypothesis import given
from hypothesis import strategies as st

from nines.dossier import yaml

_texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")) | st.just("\n"), max_size=60)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_texts, _values, min_size=1, max_size=4))
def test_a_manifest_says_what_the_document_says(document: dict[str, Any]) -> None:
    assert reader.safe_load(yaml.manifest(document)) == reader.safe_load(yaml.dump(document))


def test_what_is_short_takes_a_line_and_lists_of_objects_a_line_for_each() -> None:
    document = {
        "kind": "Deployment",
        "spec": {
            "selector": {"matchLabels": {"app": "shop"}},
            "args": ["python", "-m", "shop"],
            "ports": [{"name": "http", "containerPort": 8000}],
            "long": {f"label-{number}": "x" * 20 for number in range(5)},
        },
    }
    assert yaml.manifest(document) == (
        "kind: Deployment\n"
        "spec:\n"
        "  selector: {matchLabels: {app: shop}}\n"
        "  args: [python, -m, shop]\n"
        "  ports:\n"
        "    - {name: http, containerPort: 8000}\n"
        "  long:\n" + "".join(f"    label-{number}: {'x' * 20}\n" for number in range(5))
    )
