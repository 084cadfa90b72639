"""Valid values from a JSON Schema: seeded, preferring what the contract and the owner say over what is made up."""

from __future__ import annotations

import base64
import copy
import math
import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from nines.lab.requests import fields
from nines.lab.requests.shapes import DEPTH_MAX, kind, properties, required, settled, types
from nines.lab.requests.spaces import bounds, matching
from nines.lab.requests.validate import allows
from nines.lab.requests.variety import Path
from nines.model.contract import Schema

OPTIONAL_MAX = 3
"""How many optional fields are filled in where nothing is required."""
MARKER_DIGITS = 10
NARROW = 10_000
"""Among fewer numbers than these chance would soon meet one twice."""
_FORMATTED = {
    "email": "{marker}@example.com",
    "idn-email": "{marker}@example.com",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "uri": "https://example.com/{marker}",
    "url": "https://example.com/{marker}",
    "iri": "https://example.com/{marker}",
    "uri-reference": "https://example.com/{marker}",
    "hostname": "{marker}.example.com",
    "idn-hostname": "{marker}.example.com",
    "ipv4": "192.0.2.7",
    "ip": "192.0.2.7",
    "ipv6": "2001:db8::7",
    "password": fields.PASSWORD,
}
_ALPHABET = "0123456789abcdefghijkmnpqrstuvwxyz"


def fresh_marker(rng: random.Random) -> str:
    """An unguessable lower-case word that survives slugs, e-mail addresses and case folding."""
    return "n9" + "".join(rng.choice(_ALPHABET) for _ in range(MARKER_DIGITS))


class Inventor:
    """Builds the values of one request; `is_marked` tells whether its marker travels in it."""

    def __init__(
        self,
        rng: random.Random,
        *,
        marker: str,
        today: date,
        operation: str = "",
        overrides: Mapping[str, Any] | None = None,
        given: Mapping[Path, Any] | None = None,
        fresh: Callable[[Schema, str], tuple[Any, bool]] | None = None,
    ) -> None:
        self.rng = rng
        self.marker = marker
        self.today = today
        self.operation = operation
        self.overrides = overrides or {}
        self.given = given or {}
        self.fresh = fresh
        self.renewed: set[str] = set()
        """The names of fields whose values no other request has, without the marker in them."""
        self.is_marked = False

    def override(self, name: str) -> Any:
        """What the owner's settings say about this name; the module's own `_NOTHING` where they say nothing."""
        for key in (f"{self.operation}.{name}", name):
            if key in self.overrides:
                return copy.deepcopy(self.overrides[key])
        return _NOTHING

    def value(self, schema: Any, name: str = "", path: Path = (), hint: Any = None) -> Any:
        """A value that the schema allows; `hint` is an example of the whole, used where it fits."""
        told = self.override(name) if name else _NOTHING
        if told is not _NOTHING:
            self._notice(told)
            return told
        if path in self.given:
            return copy.deepcopy(self.given[path])
        rules = settled(schema)
        fixed = self._fixed(rules, name, hint)
        if fixed is not _NOTHING:
            return fixed
        found = kind(rules)
        if found == "object":
            return self._object(rules, path, hint)
        if found == "array":
            return self._array(rules, name, path, hint)
        return self._scalar(found, rules, name)

    def _scalar(self, found: str, rules: Schema, name: str) -> Any:
        if found in ("integer", "number"):
            return self._integer(rules, name) if found == "integer" else self._number(rules, name)
        if found == "boolean" or types(rules) == ("null",):
            return True if found == "boolean" else None
        return self._text(rules, name)

    def _fixed(self, rules: Schema, name: str, hint: Any) -> Any:
        """What the contract itself says: a constant, an alternative, an example or a default that is consistent."""
        if "const" in rules:
            return rules["const"]
        choices = [item for item in rules.get("enum") or () if item is not None]
        if choices:
            return hint if hint in choices else rules["default"] if rules.get("default") in choices else choices[0]
        if kind(rules) in ("object", "array") or fields.looks_unique(name) or "date" in str(rules.get("format")):
            return _NOTHING
        listed = rules.get("examples")
        examples = list(listed.values()) if isinstance(listed, dict) else listed if isinstance(listed, list) else []
        for candidate in (hint, rules.get("example"), *examples, rules.get("default")):
            if candidate not in (None, "") and allows(rules, candidate) is not False and not _is_stand_in(candidate):
                return copy.deepcopy(candidate)
        return _NOTHING

    def _object(self, rules: Schema, path: Path, hint: Any) -> dict[str, Any]:
        if len(path) > DEPTH_MAX:
            return {}
        known = properties(rules)
        hints = hint if isinstance(hint, dict) else _example(rules)
        result: dict[str, Any] = {}
        for name in self._chosen(rules, path, hints):
            value = self.value(known.get(name, {}), name, (*path, name), hints.get(name))
            if value is not None or name in required(rules):
                result[name] = value
        least = rules.get("minProperties")
        extra = rules.get("additionalProperties")
        while isinstance(least, int) and len(result) < least and extra is not False and len(result) < OPTIONAL_MAX:
            result[f"key{len(result) + 1}"] = self.value(extra, "", (*path, "*"))
        return result

    def _chosen(self, rules: Schema, path: Path, hints: Mapping[str, Any]) -> Iterator[str]:
        """The required fields, then those optional ones that were asked for or can carry the marker."""
        known = {name: settled(each) for name, each in properties(rules).items() if each.get("readOnly") is not True}
        wanted = [name for name in required(rules) if name in known or name not in properties(rules)]
        yield from wanted
        rest = [name for name in known if name not in wanted]
        asked = [n for n in rest if self.override(n) is not _NOTHING or (*path, n) in self.given]
        yield from asked
        if self.is_marked:
            return
        texts = [name for name in rest if name not in asked and self._can_mark(known[name], name)]
        yield from texts[:1]
        if not wanted and not asked and not texts:
            simple = [n for n in rest if kind(known[n]) in ("integer", "number", "boolean") or n in hints]
            yield from simple[:OPTIONAL_MAX]

    def _can_mark(self, rules: Schema, name: str) -> bool:
        plain = not any(word in rules for word in ("enum", "const", "pattern", "format"))
        return kind(rules) == "string" and fields.can_carry(name) and plain and "mail" not in name.lower()

    def _array(self, rules: Schema, name: str, path: Path, hint: Any) -> list[Any]:
        least = rules.get("minItems") if isinstance(rules.get("minItems"), int) else 0
        most = rules.get("maxItems") if isinstance(rules.get("maxItems"), int) else 1
        wanted = max(int(least or 0), min(1, int(most or 0)))
        hints = hint if isinstance(hint, list) else []
        items: list[Any] = []
        for index in range(min(wanted, 100)):
            item = self.value(rules.get("items"), name, (*path, "[]"), hints[index] if index < len(hints) else None)
            if rules.get("uniqueItems") is True and item in items:
                choices = [each for each in settled(rules.get("items")).get("enum") or () if each not in items]
                item = choices[0] if choices else f"{item}{index}" if isinstance(item, str) else item
            items.append(item)
        return items

    def _integer(self, rules: Schema, name: str) -> int:
        low, high = bounds(rules)
        step = rules.get("multipleOf")
        size = int(step) if isinstance(step, int | float) and step >= 1 else 1
        wanted = fields.plain_number(name)
        start = wanted if wanted is not None else self.rng.randint(1, 100)
        if fields.looks_unique(name):
            distinct = self._distinct(rules, name) if high - low < NARROW else None
            if isinstance(distinct, int):
                return distinct
            self.renewed.add(name)
            top = math.floor(min(high, max(low + 1_000, 2**31 - size - 1)))
            start = self.rng.randint(min(top, math.ceil(max(low, 1))), top)
        inside = math.ceil(max(low, min(high, start)))
        rounded = -(-inside // size) * size
        return int(rounded if rounded <= high else (high // size) * size)

    def _distinct(self, rules: Schema, name: str) -> Any:
        """A value that no request had before; None where nobody keeps account of them."""
        found, lasts = self.fresh(rules, name) if self.fresh is not None else (None, False)
        if lasts:
            self.renewed.add(name)
        return found

    def _number(self, rules: Schema, name: str) -> float:
        low, high = bounds(rules)
        step = rules.get("multipleOf")
        wanted = fields.plain_number(name)
        start = wanted if wanted is not None else float(self.rng.randint(1, 100))
        inside = max(low, min(high, start))
        if isinstance(step, int | float) and step > 0:
            inside = math.ceil(inside / step) * step
        return int(inside) if float(inside).is_integer() else inside

    def _text(self, rules: Schema, name: str) -> str:
        shaped = self._formatted(str(rules.get("format") or ""), name, rules)
        if shaped is not None:
            self._notice(shaped)
            if rules.get("format") == "uuid":
                self.renewed.add(name)
            return shaped
        least = rules["minLength"] if isinstance(rules.get("minLength"), int) else 0
        most = rules["maxLength"] if isinstance(rules.get("maxLength"), int) else 200
        for text in self._candidates(name):
            fitted = text if len(text) >= least else text + "x" * (least - len(text))
            if len(fitted) <= most and allows(rules, fitted) is not False:
                self._notice(fitted)
                return fitted
        distinct = self._distinct(rules, name)
        if isinstance(distinct, str):
            # There is no room for a marker, so chance would meet what is there already.
            return distinct
        if isinstance(rules.get("pattern"), str):
            found = matching(rules["pattern"], self.rng, least, most)
            if found is not None:
                return found
        return fresh_marker(self.rng)[2:].ljust(least, "x")[: max(most, 0)]

    def _candidates(self, name: str) -> Iterator[str]:
        plain = fields.plain_text(name)
        number = fields.plain_number(name)
        if plain is not None:
            yield plain
        if "mail" in name.lower():
            yield f"{self.marker}@example.com"
        if number is not None and not fields.can_carry(name):
            yield f"{number:.2f}"
            yield str(int(number))
        if fields.looks_unique(name) and not any(part in name.lower() for part in ("title", "subject", "summary")):
            yield self.marker
        yield f"Nines {self.marker}"
        yield self.marker
        yield f"Nines{self.marker}"

    def _formatted(self, form: str, name: str, rules: Schema) -> str | None:
        if form == "uuid":
            return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        if form in ("date", "date-time"):
            day = fields.day_for(name, self.today).isoformat()
            return day if form == "date" else f"{day}T12:00:00Z"
        if form == "byte":
            return base64.b64encode(self.marker.encode()).decode()
        if form == "decimal":
            return f"{fields.plain_number(name) or 10:.2f}"
        text = _FORMATTED.get(form)
        shaped = text.replace("{marker}", self.marker) if text is not None else None
        return shaped if shaped is not None and allows(rules, shaped) is not False else None

    def _notice(self, value: Any) -> None:
        if isinstance(value, str) and self.marker in value:
            self.is_marked = True


def _example(rules: Schema) -> dict[str, Any]:
    """An example of the whole object that stands in its schema."""
    listed = rules.get("examples")
    for candidate in (rules.get("example"), *(listed if isinstance(listed, list) else ())):
        if isinstance(candidate, dict):
            return candidate
    return {}


def _is_stand_in(value: Any) -> bool:
    """Whether an example only repeats its type, as some generators write: "string", 0."""
    return value in ("string", "user@example.com") or (value == 0 and not isinstance(value, bool))


class _Nothing:
    """Stands for "no value was told", for None is a value."""


_NOTHING = _Nothing()
