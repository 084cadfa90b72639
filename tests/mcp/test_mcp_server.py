"""The server as a client sees it, in both generations of the protocol."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import mcp_types as types
import pytest

from mcp import Client, MCPError
from nines.mcp import tool
from nines.mcp.roots import Roots
from nines.mcp.server import Engineer

EXAMPLES = Path(__file__).parents[2] / "examples"
SCHEMAS = {each.name: each.output_schema for each in tool.discover()}
RESULT_CHARACTERS_MAX = 12_000

Session = Callable[[Callable[[Client], Awaitable[None]]], None]


@pytest.fixture(params=["legacy", "auto"])
def session(request: pytest.FixtureRequest) -> Session:
    return in_session(request.param)


@pytest.fixture
def modern_session() -> Session:
    """For what costs seconds and does not depend on the protocol's generation."""
    return in_session("auto")


def in_session(mode: str) -> Session:
    def run(body: Callable[[Client], Awaitable[None]], *, folder: Path = EXAMPLES, roots: Path | None = None) -> None:
        async def offer(context: Any) -> types.ListRootsResult:
            assert roots is not None
            return types.ListRootsResult(roots=[types.Root(uri=roots.as_uri())])  # type: ignore[arg-type]

        async def main() -> None:
            server = Engineer(Roots.of((folder,))).server()
            more: dict[str, Any] = {"list_roots_callback": offer} if roots else {}
            async with Client(server, mode=mode, **more) as client:
                await body(client)

        anyio.run(main)

    return run


async def called(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
    """The structured answer, which is what its schema says, and small."""
    found = await client.call_tool(name, arguments)
    assert not found.is_error, found.content
    result: dict[str, Any] = found.structured_content
    jsonschema.validate(result, SCHEMAS[name])
    assert isinstance(found.content[0], types.TextContent)
    if name not in ("design", "explain", "ask"):
        assert len(found.content[0].text) < RESULT_CHARACTERS_MAX
    return result


async def refused(client: Client, name: str, **arguments: Any) -> str:
    found = await client.call_tool(name, arguments)
    assert found.is_error
    assert isinstance(found.content[0], types.TextContent)
    assert "Traceback" not in found.content[0].text
    return found.content[0].text


def test_from_review_to_a_finding_and_its_page(session: Session) -> None:
    async def body(client: Client) -> None:
        first = await called(client, "review", path="payments-careless", limit=4)
        assert len(first["findings"]) == 4
        assert first["total"] == sum(each["count"] for each in first["counts"]) > 20
        found = [each["id"] for each in first["findings"]]
        page = first
        while page.get("next_cursor"):
            page = await called(client, "review", cursor=page["next_cursor"], limit=20)
            found += [each["id"] for each in page["findings"]]
        assert len(found) == first["total"]

        detail = (await called(client, "explain", what=found[0]))["detail"]
        assert detail["finding"]["id"] == found[0]
        assert detail["path"]
        assert len(detail["options"]) >= 2
        assert "requests.post" in detail["code"]
        text = await called(client, "explain", what=detail["page"])
        assert text["page_id"] == "deadlines/call-without-deadline"
        assert "## Options" in text["page"]

    session(body)


def test_findings_can_be_narrowed(session: Session) -> None:
    async def body(client: Client) -> None:
        security = await called(client, "review", path="payments-careless", rule="security/", limit=50)
        assert {each["tier"] for each in security["findings"]} == {"security"}
        reliable = await called(client, "review", path="payments-careless", tier="reliability", limit=50)
        assert {each["tier"] for each in reliable["findings"]} == {"reliability"}
        refund = await called(client, "review", path="payments-careless", entry_point="/refunds", limit=50)
        assert 0 < refund["total"] < 37

    session(body)


def test_trace_lists_and_shows(session: Session) -> None:
    async def body(client: Client) -> None:
        listed = await called(client, "trace", path="payments-careless", limit=5)
        assert len(listed["entry_points"]) == 5
        assert listed["total"] == 20
        assert "traces" not in listed
        rest = await called(client, "trace", cursor=listed["next_cursor"], limit=50)
        assert len(rest["entry_points"]) == 15
        shown = await called(client, "trace", path="payments-careless", endpoint="POST /v1/payments")
        tree = shown["traces"][0]["tree"]
        assert tree.index("INSERT payments") < tree.index("remote call") < tree.index("COMMIT")
        assert "no deadline" in tree

    session(body)


def test_design_asks_refuses_and_plans_without_writing(modern_session: Session, tmp_path: Path) -> None:
    async def body(client: Client) -> None:
        asked = await called(client, "design")
        assert {"name", "steady", "peak", "data", "loss"} <= {each["key"] for each in asked["questions"]}
        found = await called(client, "design", blueprint="blueprints/login.yaml")
        assert "dossier" in found
        assert found["availability"] > found["availability_promised"]
        paths = [each["path"] for each in found["files"]]
        assert "README.md" in paths
        read = await client.read_resource(f"nines://dossier/{found['dossier']}/README.md")
        assert "login" in getattr(read.contents[0], "text", "")

        text = (
            (EXAMPLES / "blueprints" / "login.yaml")
            .read_text("utf-8")
            .replace("availability: 99.95%", "availability: 99.9999%")
        )
        refused_ = await called(client, "design", text=text)
        assert refused_["is_refused"]
        assert len(refused_["reasons"][0]["options"]) >= 2
        assert "dossier" not in refused_

        made = await called(client, "design", answers={"name": "orders", "keeps": "Order", "peak": "600/s"})
        assert "name: orders" in made["blueprint"]
        assert made["questions"]
        assert "nothing asked for colour" in await refused(client, "design", answers={"colour": "red"})
        assert "one source" in await refused(client, "design", text="x", blueprint="y")

    modern_session(body)
    assert not (EXAMPLES / "dossier").exists()


def test_writing_happens_only_when_asked_and_inside(modern_session: Session, tmp_path: Path) -> None:
    folder, outside = tmp_path / "allowed", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    shutil.copy(EXAMPLES / "blueprints" / "login.yaml", folder / "login.yaml")

    async def body(client: Client) -> None:
        await called(client, "design", blueprint="login.yaml", output="dossier")
        told = await called(client, "build", blueprint="login.yaml", output="service")
        assert told["is_written"] is False if "is_written" in told else True
        assert told["files"] > 20
        assert sorted(path.name for path in folder.iterdir()) == ["link", "login.yaml"]
        for output in ("../outside/dossier", "link/dossier", "/tmp/dossier", "link"):
            assert "outside the allowed folders" in await refused(
                client, "design", blueprint="login.yaml", output=output, write=True
            )
            assert "outside the allowed folders" in await refused(
                client, "build", blueprint="login.yaml", output=output, write=True
            )
        written = await called(client, "design", blueprint="login.yaml", output="dossier", write=True)
        assert (folder / "dossier" / "README.md").is_file()
        assert written["written"]

    modern_session(body, folder=folder)  # type: ignore[call-arg]
    assert not list(outside.iterdir())


def test_init_proposes_and_never_replaces(modern_session: Session, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "payments-careless", tmp_path / "s", ignore=shutil.ignore_patterns(".nines"))

    async def body(client: Client) -> None:
        assert "there is a nines.toml already" in await refused(client, "init", path="s", write=True)
        (tmp_path / "s" / "nines.toml").unlink()
        found = await called(client, "init", path="s")
        assert "careless.main:app" in found["text"]
        assert not (tmp_path / "s" / "nines.toml").exists()
        found = await called(client, "init", path="s", write=True)
        assert (tmp_path / "s" / "nines.toml").read_text("utf-8") == found["text"]

    modern_session(body, folder=tmp_path)  # type: ignore[call-arg]


def test_a_question_is_answered(modern_session: Session) -> None:
    async def body(client: Client) -> None:
        found = await called(client, "ask", question="review my schema", path="payments-careless")
        assert "users.email" in found["answer"]
        assert found["next"][-1]["is_heavy"]

    modern_session(body)


def test_errors_say_what_to_do_next(session: Session) -> None:
    async def body(client: Client) -> None:
        assert "there is no such directory" in await refused(client, "review", path="nowhere")
        assert "Allowed:" in await refused(client, "review", path="/etc")
        assert "It takes:" in await refused(client, "review", folder="x")
        assert "Near it" in await refused(client, "trace", path="payments-careless", endpoint="POST /v1/paymets")
        assert "cursor" in await refused(client, "review", cursor="nonsense")
        assert "no finding" in await refused(client, "explain", what="0123456789abcdef")
        assert "Did you mean" in await refused(client, "explain", what="outbx")
        assert "there is no report" in await refused(client, "compare", before="r99")
        assert "no experiment called" in await refused(client, "prove", path="payments-careless", only=["nonsense"])
        with pytest.raises(MCPError, match="there is no tool"):
            await client.call_tool("rm", {})

    session(body)


def test_two_reports_are_compared(modern_session: Session, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "payments-careless", tmp_path / "s", ignore=shutil.ignore_patterns(".nines"))
    http = tmp_path / "s" / "careless" / "clients" / "http.py"

    async def body(client: Client) -> None:
        before = await called(client, "review", path="s")
        http.write_text(http.read_text("utf-8").replace("requests.post(", "requests.post(timeout=2, "), "utf-8")
        after = await called(client, "review", path="s")
        found = await called(client, "compare", before=before["report"], after=after["report"])
        assert found["says"].startswith("Better")
        assert found["worse"] == []
        assert "call-without-deadline" in found["better"][0]["says"]
        back = await called(client, "compare", before=after["report"], after=before["report"])
        assert back["says"].startswith("Worse")

    modern_session(body, folder=tmp_path)  # type: ignore[call-arg]


def test_folders_that_the_client_offers_are_allowed_too(session: Session, tmp_path: Path) -> None:
    offered, other = tmp_path / "offered", tmp_path / "other"
    shutil.copytree(EXAMPLES / "payments-careless", offered, ignore=shutil.ignore_patterns(".nines"))
    other.mkdir()

    async def body(client: Client) -> None:
        found = await called(client, "review", path=str(offered))
        assert found["total"] > 20
        assert "outside the allowed folders" in await refused(client, "review", path=str(tmp_path / "other"))

    session(body, roots=offered)  # type: ignore[call-arg]


def test_prompts_are_the_tasks(session: Session) -> None:
    async def body(client: Client) -> None:
        listed = (await client.list_prompts()).prompts
        assert [each.name for each in listed] == ["design-service", "make-ready", "review-change", "why-slow"]
        found = await client.get_prompt("review-change", {"path": "api", "since": "origin/main"})
        text = getattr(found.messages[0].content, "text", "")
        assert "Reliability > Security > Performance" in text
        assert "- since: origin/main" in text
        with pytest.raises(MCPError, match="needs purpose"):
            await client.get_prompt("design-service", {})
        with pytest.raises(MCPError, match="there is no prompt"):
            await client.get_prompt("nonsense", {})

    session(body)


def test_resources_are_pages_and_reports(session: Session) -> None:
    async def body(client: Client) -> None:
        await called(client, "review", path="payments-careless")
        page = await client.list_resources()
        uris = [str(each.uri) for each in page.resources]
        while page.next_cursor:
            page = await client.list_resources(cursor=page.next_cursor)
            uris += [str(each.uri) for each in page.resources]
        assert uris[0] == "nines://report/r1"
        assert len(set(uris)) == len(uris)
        assert {
            "nines://page/rule/transactions/remote-call-in-transaction",
            "nines://page/experiment/load/steady",
            "nines://page/pattern/outbox",
        } <= set(uris)
        for uri in (uris[0], "nines://report/r1/json", uris[-1], "nines://page/pattern/outbox"):
            read = await client.read_resource(uri)
            assert len(getattr(read.contents[0], "text", "")) > 100
        for uri in (
            "nines://report/r9",
            "nines://page/rule/none",
            "file:///etc/passwd",
            "nines://report/r1/../x",
            "nines://",
        ):
            with pytest.raises(MCPError):
                await client.read_resource(uri)
        assert len((await client.list_resource_templates()).resource_templates) == 4
        with pytest.raises(MCPError):
            await client.list_resources(cursor="nonsense")

    session(body)
