"""Trials of a service as it runs: for tests alone, which need pytest and PyYAML; no service imports them.

    class TestContract(Contract):
        promises = Promises(ROOT / "openapi.yaml", makes={"createNote": "Note"})

with two fixtures, as `Contract` says."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.contract", f"{__name__}.graph", f"{__name__}.internal")

from nines_runtime.trials.contract import Contract, Promises  # noqa: E402 -- Only then are its assertions told in full.
from nines_runtime.trials.running import Answer, Running, running  # noqa: E402

__all__ = ["Answer", "Contract", "Promises", "Running", "running"]
