"""Reads the signature files, unfolds their shorthand, and refuses what breaks the schema."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from nines.effects.limits import ALIAS_HOPS_MAX
from nines.effects.signatures.lookup import Signatures
from nines.effects.signatures.schema import CallSignature, Described, SignatureFile, TypeSignature
from nines.model.errors import SignatureError

_FOLDER = Path(__file__).parent
_GROUP = re.compile(r"\{([^{}]*)\}")
_HINT = "The schema is described in nines/effects/signatures/README.md."


def load(extra: Mapping[str, Any] | None = None) -> Signatures:
    """The shipped signatures with the user's own laid over them; raises SignatureError naming file and key."""
    shipped = _shipped()
    if not extra:
        return shipped
    files = [(file, name) for name, file in _shipped_files()]
    return _merge([*files, (_convert(extra, "signatures"), "signatures")])


@cache
def _shipped() -> Signatures:
    return _merge([(file, name) for name, file in _shipped_files()])


@cache
def _shipped_files() -> tuple[tuple[str, SignatureFile], ...]:
    return tuple((path.name, read(path.read_text("utf-8"), path.name)) for path in sorted(_FOLDER.glob("*.toml")))


def read(text: str, name: str) -> SignatureFile:
    """One file's text as a checked record."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SignatureError(f"not valid TOML: {error}", where=name, hint=_HINT) from error
    return _convert(data, name)


def _convert(data: Mapping[str, Any], name: str) -> SignatureFile:
    data = dict(data)
    for part in ("types", "calls"):
        entries = data.get(part, {})
        if not isinstance(entries, Mapping):
            raise SignatureError(f"`{part}` must be a table of tables", where=name, hint=_HINT)
        data[part] = dict(_unfold(entries))
        for key, entry in data[part].items():
            _check(entry, part, key, name)
    try:
        return msgspec.convert(data, SignatureFile)
    except msgspec.ValidationError as error:
        raise SignatureError(str(error), where=name, hint=_HINT) from error


def _check(entry: Any, part: str, key: str, name: str) -> None:
    record: type[msgspec.Struct] = CallSignature if part == "calls" else TypeSignature
    try:
        msgspec.convert(entry, record)
    except msgspec.ValidationError as error:
        raise SignatureError(f"{part}.{key!r}: {error}", where=name, hint=_HINT) from error


def _unfold(entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`a.{get,post}` stands for two entries; "$1" in their texts for the chosen word."""
    for key, entry in entries.items():
        for name, chosen in _choices(key):
            yield name, _fill(entry, chosen)


def _choices(key: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    group = _GROUP.search(key)
    if not group:
        yield key, ()
        return
    for word in group[1].split(","):
        rest = key[: group.start()] + word.strip() + key[group.end() :]
        for name, chosen in _choices(rest):
            yield name, (word.strip(), *chosen)


def _fill(entry: Any, chosen: tuple[str, ...]) -> Any:
    if not chosen:
        return entry
    if isinstance(entry, str):
        for number, word in enumerate(chosen, 1):
            entry = entry.replace(f"${number}", word)
        return entry
    if isinstance(entry, dict):
        return {key: _fill(value, chosen) for key, value in entry.items()}
    if isinstance(entry, list):
        return [_fill(value, chosen) for value in entry]
    return entry


def _merge(files: list[tuple[SignatureFile, str]]) -> Signatures:
    merged: dict[str, dict[str, Any]] = {part: {} for part in Described.__struct_fields__}
    libraries: dict[str, str] = {}
    harmless: set[str] = set()
    tables: set[str] = set()
    words: list[str] = []
    plain: set[str] = set()
    credentials: list[str] = []
    for file, name in files:
        for part in merged:  # noqa: PLC0206
            merged[part].update(getattr(file, part))
        libraries.update(dict.fromkeys(file.calls, file.library or name.removesuffix(".toml")))
        harmless.update(file.harmless)
        tables.update(file.url_tables)
        words.extend(file.blind.words)
        plain.update(file.plain.words)
        credentials.extend(file.credentials.words)
    merged["calls"] = {key: _resolve(key, merged["calls"]) for key in merged["calls"]}
    packages = {key.split(".")[0] for part in ("types", "calls", "aliases") for key in merged[part]}
    return Signatures(
        **merged,
        libraries=libraries,
        harmless=frozenset(harmless),
        packages=frozenset(packages | {name.split(".")[0] for name in harmless}),
        url_tables=frozenset(tables),
        words=tuple(words),
        credential_words=tuple(credentials),
        plain_methods=frozenset(plain),
    )


def _resolve(key: str, calls: dict[str, CallSignature]) -> CallSignature:
    """Follows `same_as`; what the entry says itself wins over what it refers to."""
    signature = calls[key]
    for _ in range(ALIAS_HOPS_MAX):
        if not signature.same_as:
            return signature
        other = calls.get(signature.same_as)
        if other is None:
            raise SignatureError(
                f"calls.{key!r}: same_as names {signature.same_as!r}, which is not described", hint=_HINT
            )
        own = {
            name: getattr(signature, name)
            for name in CallSignature.__struct_fields__
            if name != "same_as" and getattr(signature, name) != getattr(_EMPTY, name)
        }
        signature = msgspec.structs.replace(other, **own)
    raise SignatureError(f"calls.{key!r}: same_as goes round in a circle", hint=_HINT)


_EMPTY = CallSignature()
