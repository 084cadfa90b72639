"""What a new contract changes for those who call by the released one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nines.checkers.contracts import guards
from nines.checkers.contracts.answers import READERS, answered, joined, topmost
from nines.checkers.contracts.document import Document, Json, mapping
from nines.checkers.contracts.schemas import Comparison, members
from nines.model.change import ContractChange, Impact

CHANGES_MAX = 2_000
_PARAMETER = re.compile(r"\{([^{}]*)\}")
_SENDERS = "callers that send it"
_ALL = "every caller of it"

_REQUEST_RULES = {
    "type": ("request-type-narrowed", Impact.BREAKING),
    "enum": ("request-values-removed", Impact.BREAKING),
    "bound": ("request-bound-tightened", Impact.BREAKING),
    "form": ("request-form-changed", Impact.BREAKING),
    "member-required": ("request-member-required", Impact.BREAKING),
    "member-refused": ("request-member-removed", Impact.BREAKING),
    "closed": ("request-closed", Impact.RISKY),
    "unknown": ("request-changed", Impact.RISKY),
}

_REQUEST_SAYS = {
    "type": "is {0.limit} instead of {0.taken}",
    "enum": "may no longer be {0.taken}",
    "bound": "has {0.limit} instead of {0.taken}",
    "form": "has {0.limit} instead of {0.taken}",
    "member-required": "is required",
    "member-refused": "is refused",
    "closed": "refuses members that it does not know",
    "unknown": "{0.taken}",
}


def compare(before: Any, after: Any) -> tuple[ContractChange, ...]:
    """Every change from one OpenAPI document to the next, those that break first; pure, and never raises."""
    order = list(Impact)
    found = dict.fromkeys(_differences(Document(before), Document(after)))
    return tuple(sorted(found, key=lambda change: order.index(change.impact)))[:CHANGES_MAX]


def _differences(old: Document, new: Document) -> Iterator[ContractChange]:
    yield from guards.of_all(old, new)
    had, has = old.operations, new.operations
    places = {(_anonymous(path), method): path for path, method in has}
    for (path, method), operation in had.items():
        now = path if (path, method) in has else places.get((_anonymous(path), method))
        if now is None:
            announced = " after it was deprecated" if operation.get("deprecated") is True else ""
            says = f"is gone{announced}"
            yield _change("operation-removed", Impact.BREAKING, f"{method} {path}", says=says, whom=_ALL)
        else:
            yield from _Operation(old, new, (path, now), method).all()
    known = {(_anonymous(path), method) for path, method in had}
    for path, method in has:
        if (_anonymous(path), method) not in known:
            yield _change("operation-added", Impact.COMPATIBLE, f"{method} {path}", says="is new")


class _Operation:
    """One operation in both documents."""

    def __init__(self, old: Document, new: Document, paths: tuple[str, str], method: str) -> None:
        self.old, self.new, self.paths = old, new, paths
        self.name = f"{method} {paths[0]}"
        self.before = old.operations[paths[0], method]
        self.after = new.operations[paths[1], method]

    def all(self) -> Iterator[ContractChange]:
        yield from self._itself()
        yield from self._parameters()
        yield from self._body()
        yield from self._answers()

    def _itself(self) -> Iterator[ContractChange]:
        had, has = self.before.get("operationId"), self.after.get("operationId")
        if had and had != has:
            whom = "callers whose client was generated"
            yield self._change("operation-renamed", Impact.RISKY, "", f"{had} became {has or 'nameless'}", whom)
        if self.after.get("deprecated") is True and self.before.get("deprecated") is not True:
            yield self._change("operation-deprecated", Impact.COMPATIBLE, "", "is deprecated")
        if self.old.is_open(self.before) and not self.new.is_open(self.after):
            yield self._change("security-added", Impact.BREAKING, "", "asks who calls", "callers without a credential")
        elif self.new.is_open(self.after) and not self.old.is_open(self.before):
            yield self._change("security-removed", Impact.COMPATIBLE, "", "may be called by anybody")
        elif lost := self.old.schemes(self.before) - self.new.schemes(self.after):
            schemes = ", ".join(sorted("+".join(sorted(each)) for each in lost))
            yield self._change("security-changed", Impact.BREAKING, "", f"{schemes} is no longer enough", _ALL)
        yield from guards.of_operation(self.before, self.after, self.name)

    def _parameters(self) -> Iterator[ContractChange]:
        had = _by_position(self.old.parameters(self.before), self.paths[0])
        has = _by_position(self.new.parameters(self.after), self.paths[1])
        for (place, name), now in has.items():
            where = f"{place} {now.get('name', name)}"
            then = had.get((place, name))
            is_required = now.get("required") is True
            if then is None:
                yield self._added_parameter(where, is_required=is_required)
                continue
            if is_required and then.get("required") is not True:
                whom = "callers that leave it out"
                yield self._change("parameter-required", Impact.BREAKING, where, "is required now", whom)
            yield from self._requested(_schema(then), _schema(now), where)
        for (place, name), then in had.items():
            if (place, name) not in has:
                where = f"{place} {then.get('name', name)}"
                # An unknown header is ignored; an unknown query parameter is refused by a strict service.
                impact = Impact.RISKY if place in ("header", "cookie") else Impact.BREAKING
                yield self._change("parameter-removed", impact, where, "is gone", _SENDERS)

    def _added_parameter(self, where: str, *, is_required: bool) -> ContractChange:
        if is_required:
            return self._change("parameter-required", Impact.BREAKING, where, "is new and required", _ALL)
        return self._change("parameter-added", Impact.COMPATIBLE, where, "is new and optional")

    def _body(self) -> Iterator[ContractChange]:
        then = mapping(self.old.resolve(self.before.get("requestBody")))
        now = mapping(self.new.resolve(self.after.get("requestBody")))
        had, has = self.old.content(then), self.new.content(now)
        if not had and has:
            if now.get("required") is True:
                yield self._change("body-required", Impact.BREAKING, "body", "is new and required", _ALL)
            else:
                yield self._change("body-added", Impact.COMPATIBLE, "body", "is new and optional")
            return
        if had and not has:
            yield self._change("body-removed", Impact.RISKY, "body", "is gone", _SENDERS)
            return
        if now.get("required") is True and then.get("required") is not True and had:
            yield self._change("body-required", Impact.BREAKING, "body", "is required now", "callers without a body")
        for media_type, body in had.items():
            if media_type not in has:
                yield self._change("body-type-removed", Impact.BREAKING, "body", f"{media_type} is refused", _SENDERS)
            else:
                yield from self._requested(body.get("schema", {}), has[media_type].get("schema", {}), "body")
        yield from self._more("body-type-added", "body", set(has) - set(had))

    def _answers(self) -> Iterator[ContractChange]:
        had, has = _by_status(self.before), _by_status(self.after)
        for code, answer in had.items():
            if code in has:
                yield from self._answer(code, self.old.resolve(answer), self.new.resolve(has[code]))
            elif code.startswith(("2", "3")):
                yield self._change("answer-removed", Impact.BREAKING, code, "is no longer answered", READERS)
            else:
                yield self._change("answer-removed", Impact.COMPATIBLE, code, "is no longer answered")
        # A caller has to understand the class of a status, whatever its last two digits (RFC 9110, 15).
        for code in sorted(set(has) - set(had)):
            yield self._change("answer-added", Impact.COMPATIBLE, code, "may be answered")

    def _answer(self, code: str, then: Any, now: Any) -> Iterator[ContractChange]:
        had, has = self.old.content(then), self.new.content(now)
        for media_type, body in had.items():
            if media_type not in has:
                yield self._change("answer-type-removed", Impact.BREAKING, code, f"{media_type} is gone", READERS)
            else:
                schemas = (body.get("schema", {}), has[media_type].get("schema", {}))
                yield from answered(self.old, self.new, schemas, name=self.name, code=code)
        yield from self._more("answer-type-added", code, set(has) - set(had))
        old_headers = {str(each).lower(): str(each) for each in mapping(mapping(then).get("headers"))}
        new_headers = {str(each).lower() for each in mapping(mapping(now).get("headers"))}
        for lower, name in old_headers.items():
            if lower not in new_headers:
                where = f"{code} header {name}"
                yield self._change("answer-header-removed", Impact.BREAKING, where, "is gone", READERS)

    def _more(self, rule: str, where: str, media_types: set[str]) -> Iterator[ContractChange]:
        for each in sorted(media_types):
            yield self._change(rule, Impact.COMPATIBLE, where, f"{each} is possible, too")

    def _requested(self, then: Any, now: Any, where: str) -> Iterator[ContractChange]:
        required = set()
        for loss in Comparison(self.old, self.new, is_request=True).losses(then, now):
            required |= {loss.pointer} if loss.kind == "member-required" else set()
            rule, impact = _REQUEST_RULES[loss.kind]
            whom = "callers that leave it out" if loss.kind == "member-required" else _SENDERS
            says = _REQUEST_SAYS[loss.kind].format(loss)
            yield self._change(rule, impact, joined(where, loss.pointer), says, whom)
        had, has = members(self.old, then), members(self.new, now)
        for pointer in topmost(has - had):
            if pointer not in required:
                yield self._change("request-member-added", Impact.COMPATIBLE, joined(where, pointer), "is new")

    def _change(self, rule: str, impact: Impact, where: str, says: str, whom: str = "") -> ContractChange:
        return _change(rule, impact, self.name, where=where, says=says, whom=whom)


def _change(
    rule: str, impact: Impact, operation: str, *, where: str = "", says: str = "", whom: str = ""
) -> ContractChange:
    return ContractChange(rule=rule, impact=impact, operation=operation, where=where, says=says, whom=whom)


def _by_status(operation: Json) -> dict[str, Any]:
    """YAML reads 200 as a number, JSON as a text."""
    return {str(status): answer for status, answer in mapping(operation.get("responses")).items()}


def _anonymous(path: str) -> str:
    """The path whatever its parameters are called."""
    return _PARAMETER.sub("{}", path)


def _by_position(parameters: dict[tuple[str, str], Json], path: str) -> dict[tuple[str, str], Json]:
    """Parameters of the path by their position, for their names are nobody's business but the document's."""
    names = _PARAMETER.findall(path)
    return {
        (place, str(names.index(name)) if place == "path" and name in names else name): parameter
        for (place, name), parameter in parameters.items()
    }


def _schema(parameter: Json) -> Any:
    """Of a parameter; one that is sent as JSON has it below its content."""
    if "schema" in parameter:
        return parameter["schema"]
    return next((mapping(each).get("schema", {}) for each in mapping(parameter.get("content")).values()), {})
