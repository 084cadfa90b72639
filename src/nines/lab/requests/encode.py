"""Bodies and queries as bytes: JSON, forms, multipart."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from nines.lab.requests import paths
from nines.lab.requests.shapes import as_schema, properties, settled
from nines.model.contract import Body, Schema

BOUNDARY = "nines-7d1f3c"


def is_json(media_type: str) -> bool:
    plain = media_type.split(";", maxsplit=1)[0].strip().lower()
    return plain == "application/json" or plain.endswith("+json")


def encoded(body: Body, value: Any) -> tuple[bytes, str]:
    """The bytes and the content type for a value of this body."""
    media = body.media_type.split(";")[0].strip().lower()
    if is_json(media) or media in ("", "*/*"):
        return as_json(value), media if is_json(media) else "application/json"
    if media == "application/x-www-form-urlencoded":
        pairs = query_pairs(value if isinstance(value, dict) else {})
        return urlencode(pairs, errors="surrogatepass").encode(), media
    if media == "multipart/form-data":
        return _multipart(settled(body.schema), value), f"{media}; boundary={BOUNDARY}"
    return paths.plain(value).encode("utf-8", "surrogatepass"), media


def as_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def query_pairs(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Pairs in order; a list repeats its name."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        each = value if isinstance(value, list) else [value]
        pairs.extend((name, json.dumps(item) if isinstance(item, dict) else paths.plain(item)) for item in each)
    return pairs


def _multipart(schema: Schema, value: Any) -> bytes:
    known = properties(schema)
    lines: list[bytes] = []
    for name, item in (value if isinstance(value, dict) else {}).items():
        for each in item if isinstance(item, list) else [item]:
            is_file = _is_file(known.get(name, {}))
            extra = '; filename="nines.txt"\r\nContent-Type: text/plain' if is_file else ""
            head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
            text = json.dumps(each) if isinstance(each, dict) else paths.plain(each)
            lines.append(head.encode() + text.encode("utf-8", "surrogatepass") + b"\r\n")
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


def _is_file(schema: Schema) -> bool:
    rules = settled(schema)
    if rules.get("items"):
        rules = settled(as_schema(rules["items"]))
    return rules.get("format") == "binary" or "contentMediaType" in rules or "contentEncoding" in rules
