"""A wheel of a pure Python package, the same bytes wherever it is made."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any

from nines.model.record import Record

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest moment that an archive can tell."""
_MODE = 0o100644 << 16
_TAG = "py3-none-any"


class Wheel(Record):
    name: str
    """ "nines_runtime-0.1.0-py3-none-any.whl"."""
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256, as lock files write it."""
        return hashlib.sha256(self.content).hexdigest()


def make(project: Mapping[str, Any], version: str, files: Mapping[str, bytes]) -> Wheel:
    """`project` is the table of pyproject.toml; `files` are the package's by their path in the wheel."""
    name = str(project["name"]).replace("-", "_")
    info = f"{name}-{version}.dist-info"
    held = {
        **files,
        f"{info}/METADATA": _metadata(project, version).encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: nines\nRoot-Is-Purelib: true\nTag: {_TAG}\n".encode(),
    }
    record = f"{info}/RECORD"
    held[record] = "".join([*(_row(path, held[path]) for path in sorted(held)), f"{record},,\n"]).encode()
    stream = io.BytesIO()
    # Not compressed: two versions of zlib make different bytes of the same text, and a lock holds their hash.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(held, key=lambda path: (path.startswith(info), path)):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.external_attr = _MODE
            entry.create_system = 3
            archive.writestr(entry, held[path])
    return Wheel(name=f"{name}-{version}-{_TAG}.whl", content=stream.getvalue())


def _row(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"{path},sha256={digest},{len(content)}\n"


def _metadata(project: Mapping[str, Any], version: str) -> str:
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {version}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {each}" for each in project["dependencies"]),
    ]
    for extra, needs in project.get("optional-dependencies", {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {each}; extra == '{extra}'" for each in needs]
    return "\n".join(lines) + "\n"
