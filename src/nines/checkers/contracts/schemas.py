"""What one schema takes that another refuses: the same question for requests and, the other way round, for answers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from nines.checkers.contracts.document import Document, Json, mapping, sequence
from nines.model.record import Record

COMPARISONS_MAX = 20_000
"""Pairs of schemas that are compared for one body; what is beyond is told as not understood."""
DEPTH_MAX = 60
MEMBERS_MAX = 20_000
"""Schemas that are looked through for the names of members."""
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_SIZES = (("minLength", "string"), ("minItems", "array"), ("minProperties", "object"))
_LIMITS = (("maxLength", "string"), ("maxItems", "array"), ("maxProperties", "object"))
_EXACT = ("pattern", "format", "multipleOf", "contentEncoding", "uniqueItems")
_WITHIN = (("int32", "int64"), ("float", "double"))
"""Formats, each with one that holds all of its values."""
_CHOICES = ("anyOf", "oneOf")
_OPAQUE = ("not", "if", "then", "else", "patternProperties", "prefixItems", "propertyNames", "contains")
"""Compared by their text: equal or not understood."""


class Spot(Record):
    """Where two schemas are compared."""

    pointer: str = ""
    ring: frozenset[tuple[Any, Any]] = frozenset()
    """The pairs of references that lie between the top and here."""
    depth: int = 0

    def below(self, name: str) -> Spot:
        return replace(self, pointer=f"{self.pointer}/{name}")

    def deeper(self) -> Spot:
        return replace(self, depth=self.depth + 1)


class Loss(Record):
    """Something that the wide schema takes and the narrow one refuses."""

    kind: str
    """type, enum, bound, form, member-required, member-refused, closed, unknown."""
    pointer: str
    taken: str = ""
    """What the wide one takes; for what is not understood, why."""
    limit: str = ""
    """What the narrow one takes instead."""


class Comparison:
    """Compares schemas of two documents; `is_request` says which way objects are read.

    In a request the wide schema is the old one: a member that it knows and the new one refuses is lost. In an answer
    the wide schema is the new one; objects stay open, so only what is promised counts there."""

    def __init__(self, wide: Document, narrow: Document, *, is_request: bool) -> None:
        self.wide, self.narrow, self.is_request = wide, narrow, is_request
        self._left = COMPARISONS_MAX

    def losses(self, wide: Any, narrow: Any, at: Spot | None = None) -> Iterator[Loss]:
        """Every loss; nothing when both are the same. A ring of references holds where it closes."""
        at = at or Spot()
        names = (mapping(wide).get("$ref"), mapping(narrow).get("$ref"))
        if all(isinstance(name, str) for name in names):
            if names in at.ring:
                return
            at = replace(at, ring=at.ring | {names})
        if isinstance(wide, bool) or isinstance(narrow, bool):
            yield from _of_truths(wide, narrow, at.pointer)
            return
        yield from self._of_schemas(self._merged(wide), mapping(self.narrow.resolve(narrow)), at.deeper())

    def _of_schemas(self, wide: Json, narrow: Json, at: Spot) -> Iterator[Loss]:
        """The narrow one is the sum of its keywords, of its alternatives, and of the parts that must hold together."""
        self._left -= 1
        if self._left < 0 or at.depth > DEPTH_MAX:
            yield Loss(kind="unknown", pointer=at.pointer, taken="is too large to be compared as a whole")
            return
        choices = [narrow[keyword] for keyword in _CHOICES if sequence(narrow.get(keyword))]
        for each in self._alternatives(wide, is_split=bool(choices)):
            if any(keyword in each for keyword in _CHOICES):
                yield from self._of_schemas(each, narrow, at.deeper())
                continue
            yield from self._of_keywords(each, narrow, at)
            for options in choices:
                yield from self._of_options(each, options, at)
            for part in sequence(narrow.get("allOf")):
                yield from self.losses(each, part, at)

    def _of_keywords(self, wide: Json, narrow: Json, at: Spot) -> Iterator[Loss]:
        yield from _of_types(wide, narrow, at.pointer)
        yield from _of_values(wide, narrow, at.pointer)
        yield from _of_bounds(wide, narrow, at.pointer)
        yield from self._of_members(wide, narrow, at)
        if "array" in _types(wide) and "items" in narrow:
            yield from self.losses(wide.get("items", {}), narrow["items"], at.below("*"))
        for keyword in _OPAQUE:
            if keyword in narrow and _text(wide.get(keyword)) != _text(narrow[keyword]):
                yield Loss(kind="unknown", pointer=at.pointer, taken=f"has another {keyword}")

    def _merged(self, schema: Any) -> Json:
        """The wide schema with the parts of allOf laid over one another, which can only make it wider."""
        found = mapping(self.wide.resolve(schema))
        whole = {key: value for key, value in found.items() if key != "allOf"}
        for part in sequence(found.get("allOf")):
            flat = mapping(self.wide.resolve(part))
            members = mapping(flat.get("properties")) | mapping(whole.get("properties"))
            required = [*sequence(whole.get("required")), *sequence(flat.get("required"))]
            whole = flat | whole | ({"properties": members} if members else {})
            if required:
                whole["required"] = list(dict.fromkeys(map(str, required)))
        return whole

    def _alternatives(self, wide: Json, *, is_split: bool) -> list[Json]:
        """The alternatives of anyOf or oneOf, each with what stands beside them; types are alternatives, too."""
        for keyword in _CHOICES:
            if sequence(wide.get(keyword)):
                beside = {key: value for key, value in wide.items() if key != keyword}
                return [beside | self._merged(each) for each in wide[keyword] if each is not False]
        return _by_type(wide) if is_split else [wide]

    def _of_options(self, wide: Json, narrow: list[Any], at: Spot) -> Iterator[Loss]:
        """The wide one must be taken whole by one of the narrow ones; else what the nearest of them refuses."""
        tried = []
        for each in narrow:
            losses = list(self.losses(wide, each, at))
            if not losses:
                return
            tried.append(losses)
        yield from min(tried, key=lambda losses: (losses[0].kind == "type", len(losses)))

    def _of_members(self, wide: Json, narrow: Json, at: Spot) -> Iterator[Loss]:
        if "object" not in _types(wide) or "object" not in _types(narrow):
            return
        had, has = mapping(wide.get("properties")), mapping(narrow.get("properties"))
        given = {str(each) for each in sequence(wide.get("required"))}
        for name in (str(each) for each in sequence(narrow.get("required"))):
            if name not in given:
                yield Loss(kind="member-required", pointer=at.below(name).pointer)
        is_closed = narrow.get("additionalProperties") is False
        for name, schema in had.items():
            if name in has:
                yield from self.losses(schema, has[name], at.below(name))
            elif is_closed and self.is_request:
                yield Loss(kind="member-refused", pointer=at.below(name).pointer)
        before, after = wide.get("additionalProperties"), narrow.get("additionalProperties")
        if self.is_request and is_closed and before is not False:
            yield Loss(kind="closed", pointer=at.pointer)
        if isinstance(after, dict):
            yield from self.losses(before if isinstance(before, dict) else {}, after, at.below("*"))


def _of_types(wide: Json, narrow: Json, pointer: str) -> Iterator[Loss]:
    before, after = _types(wide), _types(narrow)
    lost = [each for each in _TYPES if each in before and each not in after]
    if lost == ["integer"] and "number" in after:
        lost = []
    if lost:
        yield Loss(kind="type", pointer=pointer, taken=_listed(before), limit=_listed(after))


def _of_truths(wide: Any, narrow: Any, pointer: str) -> Iterator[Loss]:
    """`true` takes everything and `false` nothing."""
    if narrow is False and wide is not False:
        yield Loss(kind="type", pointer=pointer, taken="anything", limit="nothing")
    elif wide is True and isinstance(narrow, dict) and narrow:
        yield Loss(kind="type", pointer=pointer, taken="anything", limit="something narrower")


def _of_values(wide: Json, narrow: Json, pointer: str) -> Iterator[Loss]:
    allowed = _allowed(narrow)
    if allowed is not None:
        known = _allowed(wide)
        if known is None:
            yield Loss(kind="enum", pointer=pointer, taken=f"anything but {_values(allowed)}")
        else:
            lost = [each for each in known if _text(each) not in {_text(other) for other in allowed}]
            if lost:
                yield Loss(kind="enum", pointer=pointer, taken=_values(lost))
    for keyword in _EXACT:
        is_within = _is_multiple(wide, narrow, keyword) or _is_number_within(wide, narrow, keyword)
        if keyword not in narrow or narrow[keyword] is False or is_within:
            continue
        if _text(wide.get(keyword)) != _text(narrow[keyword]):
            before = f"{keyword} {wide[keyword]}" if keyword in wide else f"no {keyword}"
            yield Loss(kind="form", pointer=pointer, taken=before, limit=f"{keyword} {narrow[keyword]}")


def _is_number_within(wide: Json, narrow: Json, keyword: str) -> bool:
    """Every int32 is an int64."""
    return keyword == "format" and (wide.get(keyword), narrow.get(keyword)) in _WITHIN


def _is_multiple(wide: Json, narrow: Json, keyword: str) -> bool:
    """Multiples of 4 are multiples of 2."""
    before, after = _number(wide.get(keyword)), _number(narrow.get(keyword))
    return keyword == "multipleOf" and bool(before and after) and (before or 0) % (after or 1) == 0


def _by_type(schema: Json) -> list[Json]:
    """A schema of several types as one for each, so that each can be taken by another alternative."""
    said = schema.get("type")
    return [schema | {"type": each} for each in said] if isinstance(said, list) and said else [schema]


def _allowed(schema: Json) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return schema["enum"] if isinstance(schema.get("enum"), list) else None


def _of_bounds(wide: Json, narrow: Json, pointer: str) -> Iterator[Loss]:
    if {"integer", "number"} & _types(wide):
        is_whole = "number" not in _types(wide)
        for keyword, sign in (("inimum", 1), ("aximum", -1)):
            before = _edge(wide, keyword, sign, is_whole=is_whole)
            after = _edge(narrow, keyword, sign, is_whole=is_whole)
            if after > before:
                yield Loss(kind="bound", pointer=pointer, taken=_shown(before, sign), limit=_shown(after, sign))
    for keywords, is_upper in ((_SIZES, False), (_LIMITS, True)):
        for keyword, type in keywords:
            limit, had = _number(narrow.get(keyword)), _number(wide.get(keyword))
            if limit is None or type not in _types(wide):
                continue
            had = 0.0 if had is None and not is_upper else had
            if had is None or (limit < had if is_upper else limit > had):
                taken = f"no {keyword}" if had is None else f"{keyword} {had:g}"
                yield Loss(kind="bound", pointer=pointer, taken=taken, limit=f"{keyword} {limit:g}")


Edge = tuple[float, bool]
"""A bound, turned so that a larger one is tighter, and whether it is itself outside."""


def _edge(schema: Json, keyword: str, sign: int, *, is_whole: bool) -> Edge:
    inside, outside = _number(schema.get(f"m{keyword}")), _number(schema.get(f"exclusiveM{keyword}"))
    edges = [(sign * inside, False)] if inside is not None else []
    if outside is not None:
        edges.append((math.floor(sign * outside) + 1.0, False) if is_whole else (sign * outside, True))
    found = max(edges, default=(-math.inf, False))
    return (float(math.ceil(found[0])), False) if is_whole and math.isfinite(found[0]) else found


def _shown(edge: Edge, sign: int) -> str:
    name = "minimum" if sign > 0 else "maximum"
    if math.isinf(edge[0]):
        return f"no {name}"
    beyond = ("above " if sign > 0 else "below ") if edge[1] else ""
    return f"{name} {beyond}{sign * edge[0]:.15g}"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _types(schema: Json) -> frozenset[str]:
    """The types that it takes; all of them where it says none, an integer being a number, too."""
    said = schema.get("type")
    names = [said] if isinstance(said, str) else [str(each) for each in sequence(said)]
    if schema.get("nullable") is True and names:
        names.append("null")
    if not names and (allowed := _allowed(schema)) is not None:
        names = [_type_of(each) for each in allowed]
    if not names:
        return frozenset(_TYPES)
    return frozenset(names) | (frozenset({"integer"}) if "number" in names else frozenset())


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    kinds = {int: "integer", float: "number", str: "string", list: "array"}
    return next((name for kind, name in kinds.items() if isinstance(value, kind)), "object")


def _listed(types: frozenset[str]) -> str:
    if len(types) == len(_TYPES):
        return "anything"
    shown = types - {"integer"} if "number" in types else types
    return " or ".join(each for each in _TYPES if each in shown)


def _values(values: list[Any]) -> str:
    return ", ".join(each if isinstance(each, str) else _text(each) for each in values)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def members(document: Document, schema: Any) -> set[str]:
    """Pointers to every member that a schema names; items of a list are "*"."""
    found: set[str] = set()
    waiting: list[tuple[Any, str, frozenset[str]]] = [(schema, "", frozenset())]
    for _ in range(MEMBERS_MAX):
        if not waiting:
            break
        one, pointer, ring = waiting.pop()
        target = mapping(one).get("$ref")
        if isinstance(target, str):
            if target in ring:
                continue
            ring |= {target}
        flat = mapping(document.resolve(one))
        for name, inner in mapping(flat.get("properties")).items():
            found.add(f"{pointer}/{name}")
            waiting.append((inner, f"{pointer}/{name}", ring))
        for keyword in ("anyOf", "oneOf", "allOf"):
            waiting += [(each, pointer, ring) for each in sequence(flat.get(keyword))]
        waiting += [(flat[key], f"{pointer}/*", ring) for key in ("items", "additionalProperties") if key in flat]
    return found
