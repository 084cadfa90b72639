"""A small service in memory, healthy or with faults planted by name."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import unquote

from nines.model.contract import Answer, Body, Contract, ContractParameter, Operation, SecurityScheme
from nines.model.experiment import Call

SECURED = (("bearer",),)
NAME: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 60}
ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": NAME, "quantity": {"type": "integer", "minimum": 0}},
}
SHOWN: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "name": NAME, "owner_id": {"type": "string"}},
}
LOGIN: dict[str, Any] = {
    "type": "object",
    "required": ["email", "password"],
    "properties": {"email": {"type": "string", "format": "email"}, "password": {"type": "string", "minLength": 8}},
}
ID = ContractParameter(name="item_id", location="path", is_required=True, schema={"type": "integer"})


def _operation(
    id: str,
    method: str,
    path: str,
    *,
    body: dict[str, Any] | None = None,
    shows: dict[str, Any] | None = None,
    parameters: tuple[ContractParameter, ...] = (),
    security: tuple[tuple[str, ...], ...] = SECURED,
) -> Operation:
    return Operation(
        id=id,
        method=method,
        path=path,
        parameters=parameters,
        body=Body(media_type="application/json", schema=body) if body else None,
        answers=(Answer(status="200", media_type="application/json", schema=shows or {}),),
        security=security,
    )


CONTRACT = Contract(
    operations=(
        _operation("register", "POST", "/users", body=LOGIN, security=()),
        _operation(
            "login",
            "POST",
            "/login",
            body=LOGIN,
            shows={"type": "object", "properties": {"access_token": {"type": "string"}}},
            security=(),
        ),
        _operation("listItems", "GET", "/items", shows={"type": "array", "items": SHOWN}),
        _operation("createItem", "POST", "/items", body=ITEM, shows=SHOWN),
        _operation("getItem", "GET", "/items/{item_id}", parameters=(ID,), shows=SHOWN),
        _operation("putItem", "PUT", "/items/{item_id}", parameters=(ID,), body=ITEM, shows=SHOWN),
        _operation("deleteItem", "DELETE", "/items/{item_id}", parameters=(ID,)),
        _operation("about", "GET", "/about", security=()),
    ),
    security_schemes=(SecurityScheme(name="bearer", kind="http", scheme="bearer"),),
)


USER_ID = ContractParameter(name="user_id", location="path", is_required=True, schema={"type": "string"})
ACCOUNT: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "email": {"type": "string"}, "nickname": NAME},
}
RENAMED: dict[str, Any] = {"type": "object", "properties": {"nickname": NAME}}
ACCOUNTS = Contract(
    operations=(
        *(operation for operation in CONTRACT.operations if operation.id in ("register", "login", "about")),
        _operation("listUsers", "GET", "/users", shows={"type": "array", "items": ACCOUNT}),
        _operation("getUser", "GET", "/users/{user_id}", parameters=(USER_ID,), shows=ACCOUNT),
        _operation("patchUser", "PATCH", "/users/{user_id}", parameters=(USER_ID,), body=RENAMED, shows=ACCOUNT),
    ),
    security_schemes=CONTRACT.security_schemes,
)
"""Where nothing but accounts is kept: `admin@example.com` alone may list them."""


class Service:
    """Answers calls; `faults` names what is wrong with it."""

    def __init__(self, *faults: str) -> None:
        self.faults = set(faults)
        self.users: dict[str, str] = {}
        self.nicknames: dict[str, str] = {}
        self.doubles: list[str] = []
        """Accounts beside the first of the same address."""
        self.items: dict[int, dict[str, Any]] = {}
        self.next_id = 1
        self.updates = 0
        self.is_up = True
        self.turns = 0
        self.is_strained = False
        self.rate_hz = 0.0
        self.looks_away = False
        """Stands for the moment between looking for a value and inserting it."""

    def answer(self, call: Call) -> tuple[int, Any]:
        """The status and the body."""
        self.turns += 1
        if "slow-errors" in self.faults and self.turns % 49 == 0:
            return 500, {"detail": "sometimes"}
        is_crowded = "narrow" in self.faults and self.rate_hz > 3.0 and self.turns % 10 == 0
        if self.is_strained or is_crowded:
            return 503, {"detail": "too much at once"}
        parts = [part for part in call.path.partition("?")[0].split("/") if part]
        if parts == ["about"]:
            return 200, {"name": "fake"}
        if parts in (["rpc"], ["graphql"]):
            return self._other(parts[0], call), {}
        body, wrong = self._body(call)
        if wrong:
            return wrong
        if parts in (["users"], ["login"]) and call.method == "POST":
            return self._door(parts[0], body)
        user = self._user(call)
        if user is None:
            return 401, {"detail": "who are you?"}
        if parts[0] == "users":
            return self._users(call.method, parts[1:], body, user)
        if "roles" in self.faults and not user.startswith("clerk"):
            return 403, {"detail": "for clerks only"}
        if parts == ["items"]:
            return self._collection(call.method, body, user)
        return self._item(call.method, parts[1], body, user)

    def _other(self, interface: str, call: Call) -> int:
        """The status by which the other interfaces would answer."""
        if self._user(call) is None and not (interface == "rpc" and "open-calls" in self.faults):
            return 401
        is_plain = call.body in (b"", b"{}")
        is_met = {"rpc": "messages" in self.faults, "graphql": "documents" in self.faults}[interface]
        return 200 if is_plain else 500 if is_met else 400

    def crash(self) -> None:
        """What a kill does: everything in memory is gone, which for a careless service is everything since start."""
        if "forgets" in self.faults:
            for id in sorted(self.items)[-2:]:
                del self.items[id]
        if "forgets-users" in self.faults:
            for email in list(self.users)[-2:]:
                del self.users[email]
        if "forgets-names" in self.faults:
            self.nicknames.clear()

    def statements(self, call: Call) -> int:
        """How many it asks of its database for this request."""
        mine = [item for item in self.items.values() if item["owner_id"] == self._user(call)]
        shown = {"listItems": len(mine), "listUsers": len(self.users)}.get(call.operation, 0)
        if call.path == "/graphql":
            return int(json.loads(call.body).get("n", 0)) if "aliases" in self.faults else 0
        return 2 + (shown if "n-plus-one" in self.faults else 0)

    def uses_database(self, call: Call) -> bool:
        return call.operation != "about"

    def _body(self, call: Call) -> tuple[Any, tuple[int, Any] | None]:
        if call.method not in ("POST", "PUT", "PATCH"):
            return None, None
        try:
            body = json.loads(call.body)
        except (ValueError, RecursionError):
            return None, (422, {"detail": "not JSON"})
        if not isinstance(body, dict):
            return None, (422, {"detail": "not an object"})
        if "items" in call.path:
            name, quantity = body.get("name"), body.get("quantity", 0)
            if not isinstance(name, str) or not 1 <= len(name) <= 60 or not isinstance(quantity, int) or quantity < 0:
                return None, (422, {"detail": "name or quantity"})
            if "leaks" in self.faults and quantity > 2**31:
                return None, (400, {"detail": "psycopg.errors.NumericValueOutOfRange: INSERT INTO items (id, name)"})
            if "\0" in name or any(0xD800 <= ord(c) < 0xE000 for c in name):
                return None, (500 if "nul" in self.faults else 422, {"detail": "text"})
        return body, None

    def _door(self, door: str, body: Any) -> tuple[int, Any]:
        email, password = body.get("email"), body.get("password")
        if not isinstance(email, str) or not isinstance(password, str) or "@" not in email or len(password) < 8:
            return 422, {"detail": "email or password"}
        if door == "users":
            if "silent" in self.faults:
                return self._silently(email, password)
            if email in self.users:
                return 409, {"detail": "taken"}
            self.users[email] = password
            return 201, {"email": email}
        if self.users.get(email) != password:
            return 401, {"detail": "no"}
        return 200, {"access_token": self._token({"sub": email})}

    def _silently(self, email: str, password: str) -> tuple[int, Any]:
        """The answer tells nobody whether the account exists."""
        if email in self.users and self.looks_away and "race" in self.faults:
            self.doubles.append(email)
        if email in self.users and self.looks_away and "tells" in self.faults:
            return 409, {"detail": "taken"}
        self.users.setdefault(email, password)
        return 202, {"detail": "a letter is on its way"}

    def _users(self, method: str, parts: list[str], body: Any, user: str) -> tuple[int, Any]:
        is_admin = user.startswith("admin")
        if not parts:
            shown = [{"id": email, "email": email} for email in (*self.users, *self.doubles)]
            return (200, shown) if is_admin else (403, {"detail": "for administrators only"})
        email = unquote(parts[0])
        is_open = {"GET": "reads-accounts", "PATCH": "writes-accounts"}.get(method) in self.faults
        if email not in self.users or not (email == user or is_admin or is_open):
            return 404, {"detail": "absent"}
        if method == "PATCH":
            self.nicknames[email] = body["nickname"]
        return 200, {"id": email, "email": email, "nickname": self.nicknames.get(email, "")}

    def _token(self, claims: dict[str, Any]) -> str:
        head = _encoded({"alg": "HS256", "typ": "JWT"}) + "." + _encoded(claims)
        return head + "." + _signed(head)

    def _user(self, call: Call) -> str | None:
        token = next((value for name, value in call.headers if name == "authorization"), "").removeprefix("Bearer ")
        head, _, signature = token.rpartition(".")
        if "open" in self.faults and call.operation == "listItems":
            return "somebody"
        if "unsigned" in self.faults and head and not signature:
            return str(_decoded(head.partition(".")[2])["sub"])
        if not head or not hmac.compare_digest(signature, _signed(head)):
            return None
        return str(_decoded(head.partition(".")[2])["sub"])

    def _collection(self, method: str, body: Any, user: str) -> tuple[int, Any]:
        if method == "GET":
            return 200, [item for item in self.items.values() if item["owner_id"] == user or "shared" in self.faults]
        is_checked = "twice" not in self.faults and not self.looks_away
        if is_checked and any(item["name"] == body["name"] for item in self.items.values()):
            return 409, {"detail": "taken"}
        most = 1 if "only-one" in self.faults else 12 if "fills" in self.faults else 10**9
        if len(self.items) >= most:
            return 409, {"detail": "there is one already"}
        shown = str(self.next_id) if "hides-names" in self.faults else body["name"]
        item = {"id": self.next_id, "name": shown, "owner_id": user}
        self.items[self.next_id] = item
        self.next_id += 1
        return 201, item

    def _item(self, method: str, id: str, body: Any, user: str) -> tuple[int, Any]:
        item = self.items.get(int(id)) if id.lstrip("-").isdigit() else None
        if item is None:
            return (404 if id.lstrip("-").isdigit() else 422), {"detail": "absent"}
        is_mine = item["owner_id"] == user or "shared" in self.faults
        is_open = ("peer-reads" in self.faults and method == "GET") or (
            "peer-writes" in self.faults and method != "GET"
        )
        if not (is_mine or is_open):
            return 404, {"detail": "absent"}
        if method == "DELETE":
            del self.items[int(id)]
            return 204, None
        if method == "PUT":
            self.updates += 1
            if "wears" in self.faults and self.updates > 10:
                return 409, {"detail": "changed often enough"}
            item |= {"name": body["name"]}
        return 200, item


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _decoded(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _signed(text: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(b"secret", text.encode(), hashlib.sha256)).rstrip(b"=").decode()
