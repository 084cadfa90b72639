"""Which operation makes what another one needs: creators, their readers and listers, and who makes an id."""

from __future__ import annotations

from functools import cached_property

from nines.lab.requests import fields, paths
from nines.lab.requests.shapes import kind, properties, required, settled, singular, words
from nines.model.contract import Contract, Operation, Schema, path_shape

STEPS_MAX = 4
"""How many actions on a parent are tried when something cannot be created below it."""

_ENDINGS = frozenset(
    ("cancel", "delete", "remove", "void", "reject", "refuse", "close", "archive", "refund", "revoke",
     "deactivate", "disable", "fail", "expire", "abort")
)  # fmt: skip
_VERBS = frozenset(
    ("create", "new", "add", "register", "signup", "sign-up", "sign_up", "registration", "open", "insert",
     "submit")
)  # fmt: skip
_IDS = frozenset(
    ("id", "ids", "uuid", "guid", "key", "slug", "pk", "identifier", "number", "ref", "reference", "code")
)  # fmt: skip
_STRONG_IDS = frozenset(
    ("id", "ids", "uuid", "guid")
)  # fmt: skip
_SELF = frozenset(
    ("me", "self", "current", "whoami", "profile", "user", "account")
)  # fmt: skip
_PEOPLE = frozenset(
    ("user", "username", "login", "profile", "owner", "author", "creator", "member", "assignee", "account")
)  # fmt: skip
_DOORS = frozenset(
    ("login", "logout", "signin", "signout", "token", "refresh", "authenticate", "session", "sessions", "auth",
     "oauth")
)  # fmt: skip


def asks_password(operation: Operation) -> bool:
    """Whether its body has a password: a log-in, a registration, a change of credentials."""
    if operation.body is None:
        return False
    return _mentions(operation.body.schema, "password", 0)


def _mentions(schema: Schema, word: str, depth: int) -> bool:
    inner = {name: each for name, each in properties(settled(schema)).items() if each.get("readOnly") is not True}
    return any(word in words(name) for name in inner) or (
        depth < 2 and any(_mentions(each, word, depth + 1) for each in inner.values())
    )


def collection(operation: Operation) -> str:
    """The path shape of the collection that an operation works on, without a trailing verb."""
    parts = paths.segments(operation.path)
    while parts and (parts[-1].lower() in _VERBS):
        parts = parts[:-1]
    return path_shape("/".join(parts))


def noun(operation: Operation) -> tuple[str, ...]:
    """The words of what an operation's collection holds, in the singular: ("bank", "account")."""
    named = [part for part in paths.static_words(operation.path) if part.lower() not in _VERBS]
    found = words(named[-1]) if named else ()
    return (*found[:-1], singular(found[-1])) if found else ()


def stem(name: str) -> tuple[str, ...]:
    """The words of a reference without its id part: "fromAccountId" gives from, account."""
    found = words(name)
    while found and found[-1] in _IDS:
        found = found[:-1]
    return (*found[:-1], singular(found[-1])) if found else ()


def is_id_like(name: str) -> bool:
    found = words(name)
    return bool(found) and found[-1] in _STRONG_IDS


class Graph:
    """The producers of a contract; pure, and computed once."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._gets = [operation for operation in contract.operations if operation.method == "GET"]

    @cached_property
    def creators(self) -> tuple[Operation, ...]:
        """Operations that create something which can be found again, best first."""
        found = [operation for operation in self.contract.operations if self._creates(operation)]
        return tuple(sorted(found, key=self._rank))

    def _creates(self, operation: Operation) -> bool:
        if operation.method != "POST" or operation.is_deprecated:
            return False
        last = paths.segments(operation.path)[-1:]
        if last and (set(words(last[0])) & _DOORS):
            return False
        return self.reader_of(operation) is not None or self.lister_of(operation) is not None

    def _rank(self, operation: Operation) -> tuple[object, ...]:
        schema = settled(operation.body.schema) if operation.body else {}
        markable = any(fields.can_carry(name) for name in properties(schema))
        references = len(operation.path_parameters) + sum(1 for name in required(schema) if is_id_like(name))
        both = (self.reader_of(operation) is not None) + (self.lister_of(operation) is not None)
        return (asks_password(operation), not operation.is_secured, not markable, -both, references)

    def reader_of(self, operation: Operation) -> Operation | None:
        """GET /x/{id} for POST /x: by a link, by the path, or by the last noun."""
        for link in operation.links:
            target = self.contract.operation(link.target)
            if target is not None and target.method == "GET" and target.path_parameters:
                return target
        shape = collection(operation) + "/{}"
        exact = next((get for get in self._gets if path_shape(get.path) == shape), None)
        if exact is not None:
            return exact
        tail = "/".join(shape.split("/")[-2:])
        known = set(operation.path_parameters)
        for get in self._gets:
            ends = path_shape(get.path).endswith("/" + tail) or path_shape(get.path) == tail
            if ends and tail != "{}" and set(get.path_parameters[:-1]) <= known:
                return get
        return None

    def lister_of(self, operation: Operation) -> Operation | None:
        """GET /x for POST /x, or GET /things for POST /thing."""
        shape = collection(operation)
        exact = next((get for get in self._gets if path_shape(get.path) == shape and _shows_many(get)), None)
        return exact or next((get for get in self._gets if self._is_plural(get, operation)), None)

    def _is_plural(self, get: Operation, operation: Operation) -> bool:
        """Whether it stands beside the operation under the plural of the same name and shows many for certain."""
        before, _, last = path_shape(get.path).strip("/").rpartition("/")
        beside, _, one = collection(operation).strip("/").rpartition("/")
        is_beside = before == beside and "{" not in last and last != one and noun(get) == noun(operation)
        return is_beside and _shows_many(get, strictly=True)

    def maker_of_path(self, operation: Operation, parameter: str) -> Operation | None:
        """The creator of what the path parameter names."""
        parts = paths.segments(operation.path)
        index = next((i for i, part in enumerate(parts) if f"{{{parameter}}}" in part), 0)
        shape = path_shape("/".join(parts[:index]))
        exact = next((creator for creator in self.creators if collection(creator) == shape), None)
        if exact is not None:
            return exact
        before = next((part for part in reversed(parts[:index]) if "{" not in part), "")
        named = words(before)
        by_segment = self._maker((*named[:-1], singular(named[-1]))) if named else None
        return by_segment or self.maker_of_name(parameter)

    def lister_of_path(self, operation: Operation, parameter: str) -> Operation | None:
        """The operation that lists what the path parameter chooses from."""
        parts = paths.segments(operation.path)
        index = next((i for i, part in enumerate(parts) if f"{{{parameter}}}" in part), 0)
        shape = path_shape("/".join(parts[:index]))
        exact = next((get for get in self._gets if path_shape(get.path) == shape and _shows_many(get)), None)
        return exact or self.lister_of_name(parameter)

    def maker_of_name(self, name: str) -> Operation | None:
        """The creator of what a field refers to by its name."""
        return self._maker(stem(name))

    def lister_of_name(self, name: str) -> Operation | None:
        wanted = stem(name)
        for get in self._gets:
            if wanted and not get.path_parameters and _shows_many(get) and noun(get) == wanted[-len(noun(get)) :]:
                return get
        return None

    def steps_before(self, maker: Operation) -> tuple[Operation, ...]:
        """Actions on the parent that may have to come first: POST /payments/{id}/capture before its refunds."""
        parent, _, _ = maker.path.rpartition("}")
        found: list[Operation] = []
        for operation in self.contract.operations:
            rest = operation.path.removeprefix(parent + "}/") if parent else operation.path
            is_step = rest != operation.path and "/" not in rest.rstrip("/") and operation != maker
            if operation.method in ("POST", "PUT", "PATCH") and is_step and not set(words(rest)) & _ENDINGS:
                found.append(operation)
        return tuple(found[:STEPS_MAX])

    def reader_of_self(self) -> Operation | None:
        """GET /users/me or the like: what tells an identity its own id."""
        plain = [get for get in self._gets if not get.path_parameters and paths.segments(get.path)]
        return next((get for get in plain if _is_self(get)), None)

    def is_registration(self, operation: Operation) -> bool:
        """Whether strangers become somebody by it."""
        return operation.method == "POST" and not operation.is_secured and asks_password(operation)

    def refers(self, name: str, schema: Schema) -> bool:
        """Whether a body field is a reference to something that another operation makes."""
        inner = settled(schema)
        if kind(inner) == "array":
            inner = settled(inner.get("items"))
        if kind(inner) in ("object", "array", "boolean") or "enum" in inner or "const" in inner:
            return False
        if is_id_like(name) and stem(name):
            return True
        looks = kind(inner) == "integer" or inner.get("format") == "uuid"
        maker = self._maker(words(name)) if looks else None
        return maker is not None and noun(maker) == tuple(singular(word) for word in words(name))

    def is_person(self, name: str) -> bool:
        found = stem(name)
        return bool(found) and found[-1] in _PEOPLE

    def _maker(self, wanted: tuple[str, ...]) -> Operation | None:
        if not wanted:
            return None
        exact = [c for c in self.creators if noun(c) == wanted]
        inside = [c for c in self.creators if noun(c) and wanted[-len(noun(c)) :] == noun(c)]
        around = [c for c in self.creators if noun(c)[-len(wanted) :] == wanted]
        found = exact or sorted((*inside, *around), key=lambda c: len(c.path_parameters))
        return found[0] if found else None


def _is_self(operation: Operation) -> bool:
    last = paths.segments(operation.path)[-1].lower()
    return last in _SELF and not _shows_many(operation, strictly=True)


def _shows_many(operation: Operation, *, strictly: bool = False) -> bool:
    """Whether a successful answer is, or holds, an array; an undocumented answer may be one unless asked strictly."""
    answer = operation.answer(200)
    schema = settled(answer.schema) if answer else {}
    if not schema:
        return not strictly
    if kind(schema) == "array":
        return True
    inner = [settled(each) for each in properties(schema).values()]
    if any(kind(each) == "array" for each in inner):
        return True
    deeper = [settled(e) for each in inner if kind(each) == "object" for e in properties(each).values()]
    return any(kind(each) == "array" for each in deeper) or (not strictly and not inner)
