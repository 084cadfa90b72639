"""The methods that a service offers over gRPC, as the .proto files of its project say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nines.model.record import Record
from nines.model.report import Unexamined

FOLDERS_DEEP = 4
ENTRIES_MAX = 4_000
TEXT_BYTES_MAX = 4 * 1024 * 1024
METHODS_MAX = 60
_LEFT_OUT = frozenset(
    ("node_modules", ".venv", "venv", "dist", "build", "tests", "test", "dossier", "site-packages", "google", "vendor",
     "third_party", "gateways", "clients", "client", "upstreams")
)  # fmt: skip
"""Folders that hold the protocols of others."""
_UNREAD = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', re.DOTALL)
"""Comments and texts, in which a bracket is none."""
_PACKAGE = re.compile(r"(?:^|;)\s*package\s+([\w.]+)\s*;", re.MULTILINE)
_SERVICE = re.compile(r"\bservice\s+(\w+)\s*\{")
_METHOD = re.compile(r"\brpc\s+(\w+)\s*\(\s*(stream\s+)?[\w.]+\s*\)\s*returns\s*\(\s*(stream\s+)?[\w.]+\s*\)")


class TypedMethod(Record):
    """One method that takes one message and answers with one."""

    service: str
    """With its package: "stays.v1.StaysService"."""
    name: str

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"


class TypedCalls(Record):
    """What can be called, and where it was read."""

    methods: tuple[TypedMethod, ...]
    source: str


def unasked(found: TypedCalls, *, has_port: bool) -> Unexamined:
    """Methods that were not called: for want of an address, or of the library."""
    why = "grpcio is not installed beside nines" if has_port else "no variable of the service holds {grpc.port}"
    ways = (
        "Give the variable that says where the service listens for gRPC the value {grpc.port}, in service.env.",
        "Install grpcio into the environment of nines: pip install grpcio",
    )
    return Unexamined(
        what="calls over gRPC of the running service",
        reason=f"{found.source} offers {len(found.methods)} methods, and {why}",
        hint=ways[has_port],
    )


def find(root: Path) -> TypedCalls | None:
    """Those of the files nearest to the root of the project; None where no file there offers any."""
    for level in _levels(root):
        found: list[TypedMethod] = []
        names: list[str] = []
        for file in level:
            try:
                text = file.read_text("utf-8", "replace") if file.stat().st_size <= TEXT_BYTES_MAX else ""
            except OSError:
                continue
            methods = list(methods_in(text))
            found += methods
            names += [str(file.relative_to(root))] if methods else []
        if found:
            return TypedCalls(methods=tuple(dict.fromkeys(found))[:METHODS_MAX], source=", ".join(names))
    return None


def methods_in(text: str) -> Iterator[TypedMethod]:
    """The methods of all services of one file; streams are left out."""
    plain = _UNREAD.sub(" ", text)
    package = _PACKAGE.search(plain)
    prefix = f"{package[1]}." if package else ""
    for service in _SERVICE.finditer(plain):
        for method in _METHOD.finditer(_block(plain, service.end())):
            if not method[2] and not method[3]:
                yield TypedMethod(service=prefix + service[1], name=method[1])


def _block(text: str, start: int) -> str:
    """What stands between a bracket and the one that closes it."""
    depth = 1
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if not depth:
            return text[start:at]
    return text[start:]


def _levels(root: Path) -> Iterator[list[Path]]:
    seen = 0
    level = [root]
    for _ in range(FOLDERS_DEEP):
        below: list[Path] = []
        files: list[Path] = []
        for folder in level:
            try:
                entries = sorted(folder.iterdir())
            except OSError:
                continue
            seen += len(entries)
            if seen > ENTRIES_MAX:
                return
            for entry in entries:
                if entry.is_symlink() or entry.name in _LEFT_OUT or entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    below.append(entry)
                elif entry.suffix == ".proto":
                    files.append(entry)
        yield files
        level = below
