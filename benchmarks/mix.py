"""The mix of the notifications blueprint: every operation with its share, on rows that the service made itself."""

from __future__ import annotations

import random
import re
from collections import deque

import msgspec
import yaml

from benchmarks.built import Built
from benchmarks.serving import open_loop
from nines.lab.launch.postgres import Cluster
from nines.lab.load.ending import Ending
from nines.lab.load.request import Request
from nines.model.experiment import Call

TENANTS = 16
SUBJECTS = 4
"""Products, and credentials of each; so many that the limits of the blueprint stand as they are."""
CYCLE = 1_000
"""The shares are told in tenths of a percent."""
MAKE_HZ = 5_000.0
READ_ROWS = 2_000
"""Of each kind, that reads choose from."""
SPARE = 1.1
_PLURALS = {"Push": "pushes", "Mail": "mails", "TextMessage": "text-messages"}
_BODIES = {
    "Push": b'{"device_token":"tok_7f3a9c51e2d04b68","title":"Two books","body":"Your order is on its way."}',
    "Mail": b'{"recipient":"ada@example.com","subject":"Your order","body":"Your order is on its way."}',
    "TextMessage": b'{"recipient":"+4915112345678","body":"Your order is on its way."}',
}
_HEAD = b"%s /v1/%s HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %s\r\n"
_SEND = _HEAD + b"content-type: application/json\r\nidempotency-key: %s-%010d\r\ncontent-length: %d\r\n\r\n%s"
_ROLES = {"create": "sender", "read": "sender", "list": "sender", "delivered": "provider", "accepted": "operator"}
_ID = re.compile(rb'"id":"([a-z]{3}_[0-9a-f]{32})"')


class Made(msgspec.Struct):
    """A row that stands in the tables."""

    id: bytes
    tenant: int


class Operation(msgspec.Struct, frozen=True):
    name: str
    kind: str
    does: str
    """create, read, list, or the state to which it moves."""
    tenths: int


class Mix:
    """Requests in the proportions of the blueprint; `make` tells the next."""

    def __init__(self, built: Built) -> None:
        told = yaml.safe_load((built.folder / "blueprint.yaml").read_text(encoding="utf-8"))
        self.operations = [_operation(name, each) for name, each in told["operations"].items()]
        self._cycle = [each for each in self.operations for _ in range(each.tenths)]
        if len(self._cycle) != CYCLE:
            raise SystemExit(f"The shares of the blueprint make {len(self._cycle)} in {CYCLE}.")
        random.Random(1).shuffle(self._cycle)
        issuer = built.issuer()
        self._tokens = {
            role: [
                [
                    issuer.mint(f"{role}-{number}", tenant=f"product-{tenant}", roles=(role,), has_second_factor=True)
                    .encode()
                    for number in range(SUBJECTS)
                ]
                for tenant in range(TENANTS)
            ]
            for role in dict.fromkeys(_ROLES.values())
        }  # fmt: skip
        self._run = b""
        self._readable: dict[str, list[Made]] = {}
        self._waiting: dict[tuple[str, str], deque[Made]] = {}
        """Rows in the state from which an operation moves, by kind and the state to which."""
        # Marked as `stands` names them.
        self._calls = {
            each.name: Call(operation=each.name, method=_method(each), path="/", marker=f"{each.kind} {each.does}")
            for each in self.operations
        }

    async def prepare(self, port: int, cluster: Cluster, name: str, requests: int) -> None:
        """Makes rows through the service, and moves as many as the load will need to the states that it needs."""
        wanted = self._wanted(requests)
        made: dict[str, list[Made]] = {kind: [] for kind in _PLURALS}
        kinds = [kind for kind, count in wanted.items() for _ in range(count)]
        random.Random(2).shuffle(kinds)

        def make(index: int) -> Request:
            return self._sending(kinds[index], b"made", index)

        def ended(ending: Ending) -> None:
            found = _ID.search(ending.body)
            if ending.status == 202 and found is not None:
                made[ending.request.call.marker].append(Made(found[1], ending.request.call.group))

        took = await open_loop(port, MAKE_HZ, len(kinds) / MAKE_HZ, make, ended)
        if took.good != took.sent:
            raise SystemExit(f"The rows for the load could not be made: {took}")
        for kind, rows in made.items():
            await self._moved(cluster, name, kind, rows)
        await cluster.execute(name, "VACUUM ANALYZE")

    def _wanted(self, requests: int) -> dict[str, int]:
        return {
            kind: READ_ROWS
            + sum(
                int(SPARE * requests * each.tenths / CYCLE) + CYCLE
                for each in self.operations
                if each.kind == kind and each.does in ("delivered", "accepted")
            )
            for kind in _PLURALS
        }

    async def _moved(self, cluster: Cluster, name: str, kind: str, rows: list[Made]) -> None:
        self._readable[kind], rest = rows[:READ_ROWS], rows[READ_ROWS:]
        movers = [each for each in self.operations if each.kind == kind and each.does in ("delivered", "accepted")]
        total = sum(each.tenths for each in movers)
        for each in movers:
            count = len(rest) if each is movers[-1] else len(rest) * each.tenths // total
            taken, rest = rest[:count], rest[count:]
            self._waiting[kind, each.does] = deque(taken)
            before = {"delivered": "sent", "accepted": "dead"}[each.does]
            ids = ",".join(row.id.partition(b"_")[2].decode() for row in taken)
            table = _PLURALS[kind].replace("-", "_")
            await cluster.execute(
                name, f"UPDATE {table} SET status = '{before}', version = 1 WHERE id = ANY('{{{ids}}}'::uuid[])"
            )

    def start(self, run: bytes) -> None:
        self._run = run

    def make(self, index: int) -> Request:
        operation = self._cycle[index % CYCLE]
        if operation.does == "create":
            return self._sending(operation.kind, self._run, index, self._calls[operation.name])
        call = self._calls[operation.name]
        tokens, plural = self._tokens[_ROLES[operation.does]], _PLURALS[operation.kind].encode()
        if operation.does == "list":
            token = tokens[index % TENANTS][index % SUBJECTS]
            return Request(call, _HEAD % (b"GET", plural, token) + b"\r\n")
        if operation.does == "read":
            rows = self._readable[operation.kind]
            row = rows[index % len(rows)]
            wire = _HEAD % (b"GET", plural + b"/" + row.id, tokens[row.tenant][index % SUBJECTS])
            return Request(call, wire + b"\r\n")
        row = self._waiting[operation.kind, operation.does].popleft()
        does, more = (b"confirmations", b"") if operation.does == "delivered" else (b"dispatches", b'if-match: "1"\r\n')
        path = b"%s/%s/%s" % (plural, row.id, does)
        wire = _HEAD % (b"POST", path, tokens[row.tenant][index % SUBJECTS]) + more + b"content-length: 0\r\n\r\n"
        return Request(call, wire)

    def _sending(self, kind: str, run: bytes, index: int, call: Call | None = None) -> Request:
        tenant = index % TENANTS
        body = _BODIES[kind]
        token = self._tokens["sender"][tenant][index // TENANTS % SUBJECTS]
        wire = _SEND % (b"POST", _PLURALS[kind].encode(), token, run, index, len(body), body)
        if call is None:
            call = Call(operation="make", method="POST", path="/", marker=kind, group=tenant)
        return Request(call, wire)


def _operation(name: str, told: dict[object, str]) -> Operation:
    does = told["do"].removeprefix("-> ")
    # YAML 1.1 reads the key `on` as a truth value.
    return Operation(name, told[True], does, round(float(told["share"].removesuffix("%")) * 10))


def _method(operation: Operation) -> str:
    return "GET" if operation.does in ("read", "list") else "POST"


async def stands(cluster: Cluster, name: str) -> dict[str, int]:
    """How many rows of each kind there are, and how many were moved, as operations that take them there."""
    found = {}
    for kind, plural in _PLURALS.items():
        text = f"SELECT count(*), count(*) FILTER (WHERE status = 'delivered') FROM {plural.replace('-', '_')}"
        rows = await cluster.execute(name, text)
        found[f"{kind} create"], found[f"{kind} delivered"] = int(rows[0][0]), int(rows[0][1])
    return found
