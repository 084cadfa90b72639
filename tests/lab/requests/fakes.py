"""A service that stores whatever is posted, by path."""

from __future__ import annotations

import json
import re
import uuid
from datetime import date
from typing import Any

from nines.lab.requests.planner import Planner
from nines.model.contract import Contract
from nines.model.experiment import Call
from nines.model.history import Exchange, Outcome

TODAY = date(2026, 1, 1)


class Store:
    """Collections by path; `refuses` maps "METHOD /path pattern" to a status."""

    def __init__(self, **refuses: int) -> None:
        self.refuses: dict[str, int] = dict(refuses)
        self.calls: list[Call] = []
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.approved: set[str] = set()
        self.wants_approval = False

    def paths(self, phase: str = "setup") -> list[str]:
        return [f"{call.method} {call.path}" for call in self.calls if call.phase == phase]

    async def send(self, call: Call) -> Exchange:
        self.calls.append(call)
        status, body = self._answer(call)
        outcome = Outcome.OK if status < 400 else Outcome.FAILED
        return Exchange(
            operation=call.operation,
            method=call.method,
            path=call.path,
            outcome=outcome,
            status=status,
            identity=call.identity,
            marker=call.marker,
            phase=call.phase,
            body=json.dumps(body),
        )

    def _answer(self, call: Call) -> tuple[int, Any]:
        path = call.path.partition("?")[0].rstrip("/")
        for pattern, status in self.refuses.items():
            if re.fullmatch(pattern, f"{call.method} {path} {call.identity}".strip()):
                return status, {"detail": "no"}
        if path == "/users/me":
            return 200, {"id": str(uuid.uuid5(uuid.NAMESPACE_DNS, call.identity)), "name": call.identity}
        if path.endswith("/approve"):
            self.approved.add(path.split("/")[-2])
            return 200, {}
        if path.endswith("/refunds") and self.wants_approval and path.split("/")[-2] not in self.approved:
            return 409, {"detail": "not approved"}
        if call.method == "POST":
            row = {"id": str(uuid.UUID(int=len(self.calls) + 10_000)), **json.loads(call.body or b"{}")}
            self.rows.setdefault(path, []).append(row)
            return 201, row
        if path in self.rows:
            return 200, {"items": self.rows[path]}
        collection, _, id = path.rpartition("/")
        found = [row for row in self.rows.get(collection, ()) if row["id"] == id]
        return (200, found[0]) if found else (404, {"detail": "absent"})


def planner(contract: Contract, store: Store, **options: Any) -> Planner:
    notes: list[str] = options.pop("notes", [])
    return Planner(contract, send=store.send, note=notes.append, seed=1, today=TODAY, **options)
