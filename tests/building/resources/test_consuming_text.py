"""What is written of events that are taken: names are defined, and what nobody consumes is not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nines import building
from nines.planning.plan import plan
from nines.readers.blueprint.read import read

ORDERS = (Path(__file__).parents[2] / "verbs" / "orders.yaml").read_text()
SEALED = ORDERS.replace("pii: true}", "pii: true, encrypted: true}")
_HEAD, _CONSUMES = ORDERS.split("consumes:")
TENANTED = _HEAD.replace("types:", "tenancy: {key: shop_id, isolation: row}\ntypes:") + "consumes:"
TENANTED += _CONSUMES.replace("order: {ref: Order}", "order: {ref: Order}\n      shop_id: {type: string, max: 40}")


def files(text: str, folder: Path) -> dict[str, str]:
    path = folder / "orders.yaml"
    path.write_text(text)
    return {each.path: each.text for each in building.write(plan(read(path)))}


@pytest.mark.parametrize("text", [ORDERS, SEALED, TENANTED], ids=["plain", "encrypted", "tenants"])
def test_every_name_is_defined_and_used(text: str, tmp_path: Path) -> None:
    written = files(text, tmp_path)
    for path, content in written.items():
        if path.endswith(".py"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(content)
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--isolated", "--select", "F,E9", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2_000:]
    assert "src/orders/_generated/consumers.py" in written


def test_a_row_of_a_tenant_is_found_within_it(tmp_path: Path) -> None:
    written = files(TENANTED, tmp_path)["src/orders/_generated/consumers.py"]
    assert 'sql.FIND_ORDER_OF_EVENT, as_identifier(data.order_id, "ord"), data.shop_id' in written
    assert 'tenant=row["shop_id"]' in written


def test_what_nobody_consumes_leaves_no_trace(tmp_path: Path) -> None:
    alone = ORDERS[: ORDERS.index("consumes:")] + ORDERS[ORDERS.index("dependencies:") :]
    alone = alone.replace("placed: [paid, cancelled], paid: [shipped]", "placed: [shipped, cancelled]")
    written = files(alone, tmp_path)
    assert "src/orders/_generated/consumers.py" not in written
    assert not [path for path, text in written.items() if "onsumer" in text and path.endswith(".py")]
