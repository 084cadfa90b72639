"""`_generated/signing_shapes.py`: what is sent to and answered by the operations of signing in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from nines.building import names, python
from nines.building.accounts.facts import People
from nines.building.file import File
from nines.building.resources.annotations import annotation
from nines.building.resources.shapes import is_sent, sent
from nines.model.design import Shape

MODULE = "signing_shapes"
_REFERENCE = re.compile(r"#/components/schemas/(\w+)")
_WORD = "  # noqa: S105 -- a word of RFC 6749"
_SAYS = "What is sent to sign up, in and out, and what is answered; the contract says the same in JSON Schema."
_SENT = [
    "class _Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):",
    '    """What callers send: what is not known is refused, and nothing of it is printed."""',
    "",
    "    def __repr__(self) -> str:",
    '        return f"{type(self).__name__}([redacted])"',
]
_ANSWERED = [
    "class _Answered(msgspec.Struct, frozen=True, kw_only=True):",
    '    """What callers are answered; nothing of it is printed."""',
    "",
    "    def __repr__(self) -> str:",
    '        return f"{type(self).__name__}([redacted])"',
]


def write(people: People) -> Iterator[File]:
    imports = python.Imports(people.package)
    imports.add("msgspec")
    found = tuple(_used(people))
    lines: list[str] = []
    if any(is_sent(each) for each in found):
        lines += ["", *_SENT, ""]
    if not all(is_sent(each) for each in found):
        lines += ["", *_ANSWERED, ""]
    for shape in found:
        lines += ["", *_struct(shape, imports), ""]
    path = names.source(people.design, f"_generated/{MODULE}.py")
    yield File(path=path, text=python.module(_SAYS, imports, lines))


def _struct(shape: Shape, imports: python.Imports) -> list[str]:
    if is_sent(shape):
        return sent(shape, imports, base="_Sent, frozen=True", refuses_null=True)
    return _answered(shape, imports)


def _used(people: People) -> Iterator[Shape]:
    wanted = [endpoint.request for endpoint in people.endpoints]
    wanted += [answer.shape for endpoint in people.endpoints for answer in endpoint.answers if answer.status < 400]
    found: dict[str, Shape] = {}
    for name in wanted:
        _collect(people, name, found)
    yield from found.values()


def _collect(people: People, name: str, found: dict[str, Shape]) -> None:
    """A shape after those that it consists of."""
    shape = people.design.shape(name) if name and name not in found else None
    if shape is None:
        return
    for inner in _REFERENCE.findall(json.dumps(shape.schema)):
        _collect(people, inner, found)
    found[name] = shape


def _answered(shape: Shape, imports: python.Imports) -> list[str]:
    lines = [f"class {shape.name}(_Answered, frozen=True, kw_only=True):"]
    for name, schema in shape.schema.get("properties", {}).items():
        default = (
            f" = {python.quoted(schema['const'])}  # noqa: S105 -- a word of RFC 6749" if "const" in schema else ""
        )
        plain = schema if "const" not in schema else {"type": schema["type"]}
        lines.append(f"    {names.snake(name)}: {annotation(plain, imports, is_request=False)}{default}")
    return lines
