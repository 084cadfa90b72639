"""Whether every name that a blueprint refers to is declared in it."""

from __future__ import annotations

import msgspec

from nines.model.blueprint import Blueprint, Event, FieldKind
from nines.readers.blueprint.document import Mark
from nines.readers.blueprint.reading import Collected, Reading, Referral, advice, nearest, shown

OWN_COLUMNS = ("id", "created_at", "updated_at", "version", "owner_id")
"""What every resource has by itself; one with states has `status`, and one of a tenant the tenancy's key."""

_TYPO = 0.8
"""So alike are a name and its misspelling."""
_WORDS = {
    "resource": "resource",
    "operation": "operation",
    "role": "role",
    "event": "event",
    "dependency": "dependency",
    "module": "module",
    "type": "type",
}


def check(collected: Collected, blueprint: Blueprint | None) -> None:
    """Reports every referral to a name that is declared nowhere."""
    names = _Names(collected, blueprint)
    for referral in collected.referrals:
        says = names.objection(referral)
        if says:
            Reading(collected, path=referral.path).report(referral.mark, says)
    if blueprint is not None and blueprint.tenancy is not None:
        _check_tenancy(collected, blueprint, blueprint.tenancy.key)


def _check_tenancy(collected: Collected, blueprint: Blueprint, key: str) -> None:
    """Every resource has the tenancy's key by itself."""
    if key in (*OWN_COLUMNS, "status"):
        _report_at(collected, "tenancy.key", f"{key} is a column of its own; name one such as customer_id")
    for resource in blueprint.resources:
        if resource.field(key) is not None:
            path = f"resources.{resource.name}.fields.{key}"
            _report_at(collected, path, f"every resource has {key} by itself: it is the tenancy's key")


def _report_at(collected: Collected, path: str, says: str) -> None:
    place = collected.places[path]
    Reading(collected, path=path).report(Mark(line=place.line, column=place.column), says)


class _Names:
    def __init__(self, collected: Collected, blueprint: Blueprint | None) -> None:
        self._declared = collected.declared
        self._blueprint = blueprint
        self._by_lower = {name.lower(): name for name in self.all("resource")}

    def objection(self, referral: Referral) -> str:
        """Why the name cannot stand there; empty: it can."""
        kind, name = referral.kind, referral.name
        if kind in _WORDS:
            known = [*self.all(kind), *referral.also]
            if name in known:
                return ""
            if kind == "resource" and referral.path.endswith(".ref"):
                return self._foreign(name, known)
            is_composed = kind == "type" and name[:1].isupper()
            then = self._composed(name) if is_composed else advice(name, known)
            return f"there is no {_WORDS[kind]} {shown(name)}: {then}"
        if kind in ("call", "saga", "own event"):
            return self._call(name) if kind != "own event" else _own_event(name, self.all("event"))
        if referral.of not in self.all("resource") and referral.of not in self.all("type"):
            named = self._by_lower.get(referral.of.lower(), "")
            if not named and (kind == "field" or not referral.of):
                word = "state" if kind == "state" else "field"
                return f"{shown(name)} is a {word} of which resource? Name it with `on`"
            if not named:
                return ""
            referral = msgspec.structs.replace(referral, of=named)
        if kind == "state":
            return self._state(referral)
        return self._column(referral)

    def _composed(self, name: str) -> str:
        """Built-in types are written small, so that one in capitals is composed, or a resource."""
        if name in self.all("resource"):
            return f"a reference to a resource is {{ref: {name}}}"
        near = nearest(name, self.all("type"))
        return f"did you mean {near}?" if near else f"declare it under types, each part with its type: {name}: {{...}}"

    def _foreign(self, name: str, known: list[str]) -> str:
        """What is near to no resource here belongs to another service: its identifier is kept."""
        near = nearest(name, known, likeness=_TYPO)
        elsewhere = "one of another service is kept with type: uuid"
        return f"there is no resource {shown(name)}: did you mean {near}? ({elsewhere})" if near else ""

    def all(self, kind: str, of: str = "") -> list[str]:
        return self._declared.get((kind, of), [])

    def _call(self, name: str) -> str:
        head, dot, _ = name.partition(".")
        if dot and head not in self.all("dependency"):
            return f"there is no dependency {shown(head)}: {advice(head, self.all('dependency'))}"
        if not dot and head not in self.all("operation"):
            return f"there is no operation {shown(head)}: {advice(head, self.all('operation'))}"
        return ""

    def _state(self, referral: Referral) -> str:
        known = self.all("state", referral.of)
        if referral.name in known:
            return ""
        if not known:
            return f"{referral.of} has no states; declare them with `states`"
        return f"{referral.of} has no state {shown(referral.name)}: {advice(referral.name, known)}"

    def _column(self, referral: Referral) -> str:
        head, dot, part = referral.name.partition(".")
        fields = self.all("field", referral.of)
        known = list(fields)
        if referral.kind == "column":
            known += OWN_COLUMNS
            known += ["status"] if self.all("state", referral.of) else []
            tenancy = self._blueprint.tenancy if self._blueprint else None
            known += [tenancy.key] if tenancy else []
        elif referral.kind == "settable":
            known += self._set_by_nobody()
        if head not in known:
            return f"{referral.of} has no field {shown(head)}: {advice(head, known)}"
        return self._part(referral, head, part) if dot or referral.kind == "column" else ""

    def _set_by_nobody(self) -> list[str]:
        """What every object has by itself, and an event has to tell where it makes one."""
        tenancy = self._blueprint.tenancy if self._blueprint else None
        return ["owner_id", *([tenancy.key] if tenancy else [])]

    def _part(self, referral: Referral, head: str, part: str) -> str:
        """Whether a field of a composite type is named down to its part, and any other is not."""
        composite = self._composite(referral.of, head)
        if composite is None:
            return ""
        parts = self.all("field", composite) if composite else []
        if not composite:
            return f"{head} has no parts: name it without {shown(f'.{part}')}" if part else ""
        if not parts:
            # The type is declared nowhere, which was told already.
            return ""
        if part:
            return "" if part in parts else f"{composite} has no part {shown(part)}: {advice(part, parts)}"
        return f"{head} is made of parts; name one of them: {', '.join(f'{head}.{each}' for each in parts)}"

    def _composite(self, resource: str, name: str) -> str | None:
        """The composite type of a field; empty: it has no parts; None: it could not be read."""
        found = self._blueprint.resource(resource) if self._blueprint else None
        field = found.field(name) if found else None
        if field is None:
            return "" if found is not None and name not in self.all("field", resource) else None
        return field.of if field.kind is FieldKind.VALUE else ""


def _own_event(name: str, known: list[str]) -> str:
    if name in known:
        return ""
    near = nearest(name, known, likeness=_TYPO)
    meant = f"did you mean {near}?" if near else "where another service tells it, say with `from` what carries it"
    return f"this service tells no event {shown(name)}: {meant}"


def resolve(blueprint: Blueprint) -> Blueprint:
    """With the resource of each event that is named after one."""
    by_name = {resource.name.lower(): resource.name for resource in blueprint.resources}

    def resolved(event: Event) -> Event:
        head = event.name.partition(".")[0].replace("_", "")
        if event.resource or head not in by_name:
            return event
        return msgspec.structs.replace(event, resource=by_name[head])

    events = msgspec.structs.replace(blueprint.events, types=tuple(map(resolved, blueprint.events.types)))
    return msgspec.structs.replace(blueprint, events=events)
