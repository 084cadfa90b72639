"""A real session from start to end: review, trace, explain, a prove that is cancelled and one that is not, compare."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from mcp import Client, StdioServerParameters

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPERIMENT = "contract/no-5xx"
"""The shortest."""


def workers() -> set[int]:
    """Everything that the server has started; other tests of this process have servers of their own."""
    own = [each for each in psutil.Process().children() if each.cmdline()[-4:-2] == ["nines", "mcp"]]
    return {each.pid for server in own for each in server.children(recursive=True)}


@pytest.mark.lab
def test_a_session_from_start_to_end(tmp_path: Path) -> None:
    """On a copy: what is measured is kept for later questions."""
    left_out = shutil.ignore_patterns(".nines", "__pycache__")
    shutil.copytree(EXAMPLES / "payments-careless", tmp_path / "payments-careless", ignore=left_out)
    anyio.run(_session, tmp_path)


async def _session(root: Path) -> None:
    server = StdioServerParameters(command=sys.executable, args=["-P", "-m", "nines", "mcp", "--root", str(root)])
    async with Client(server) as client:
        assert client.server_info is not None
        assert client.server_info.name == "nines"
        assert "No claim" in (client.instructions or "") or "Claim nothing" in (client.instructions or "")
        names = {each.name for each in (await client.list_tools()).tools}
        assert {"review", "trace", "explain", "prove", "check", "compare", "design", "build"} <= names

        review = await _called(client, "review", path="payments-careless", limit=5)
        assert review["total"] > 30
        finding = review["findings"][0]

        trace = await _called(client, "trace", path="payments-careless", endpoint=finding["entry_point"])
        assert "remote call" in trace["traces"][0]["tree"]

        explained = await _called(client, "explain", what=finding["id"])
        assert explained["detail"]["options"]

        await _cancelled(client)

        seen: list[tuple[float, float | None, str | None]] = []

        async def follow(progress: float, total: float | None, message: str | None) -> None:
            seen.append((progress, total, message))

        first = await _called(client, "prove", follow, path="payments-careless", only=[EXPERIMENT], seed=1)
        assert [each[0] for each in seen] == sorted(each[0] for each in seen)
        assert any(total and total > progress for progress, total, _ in seen)
        assert any("Bad input" in (message or "") for _, _, message in seen)
        (trial,) = first["trials"]
        assert trial["verdict"] == "broken"
        assert trial["reproduction"][0].count("curl") >= 1
        assert all(budget["standing"] == "not shown" for budget in first["budgets"])

        compared = await _called(client, "compare", before=review["report"], after=first["report"])
        assert any("cannot be compared" in each["says"] for each in compared["other"])
        asked = await _called(client, "ask", question="it sometimes answers 500", path="payments-careless")
        assert asked["sureness"] == "high"
        assert "wrong requests were answered with a 5xx" in asked["answer"]
        read = await client.read_resource(f"nines://report/{first['report']}")
        assert "5xx" in getattr(read.contents[0], "text", "")
    assert not workers()


async def _called(client: Client, name: str, follow: Any = None, **arguments: Any) -> dict[str, Any]:
    found = await client.call_tool(name, arguments, progress_callback=follow)
    assert not found.is_error, found.content
    result: dict[str, Any] = found.structured_content
    return result


async def _cancelled(client: Client) -> None:
    """Cancelled while the service runs: everything that was started is gone soon after."""
    is_up = anyio.Event()

    async def follow(progress: float, total: float | None, message: str | None) -> None:
        if "ready after" in (message or ""):
            is_up.set()

    async with anyio.create_task_group() as group:

        async def prove() -> None:
            await client.call_tool(
                "prove", {"path": "payments-careless", "only": [EXPERIMENT]}, progress_callback=follow
            )

        group.start_soon(prove)
        with anyio.fail_after(120):
            await is_up.wait()
        assert len(workers()) > 3
        group.cancel_scope.cancel()
    with anyio.fail_after(60):
        while workers():  # noqa: ASYNC110 -- processes tell nobody that they are gone
            await anyio.sleep(0.1)
