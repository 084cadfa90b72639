"""A blueprint that is built in a moment, and what stands in a folder."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from nines.verbs.build import Built, Wish, build

TODAY = date(2030, 1, 31)
NOTES = """\
nines: 1
service: {name: notes, purpose: Keeps notes.}
load: {steady: 5/s, peak: 20/s}
auth: {scheme: oauth2-jwt, issuer: "https://issuer.invalid", audience: notes, algs: [EdDSA]}
roles: {writer: {}}
resources:
  Note:
    id: {type: uuid7, prefix: note}
    fields:
      title: {type: string, max: 200}
    access: {read: owner, list: owner, write: owner}
    retention: 1y
operations:
  createNote: {on: Note, do: create, roles: [writer], idempotency: required}
  getNote: {on: Note, do: read, roles: [writer]}
  listNotes: {on: Note, do: list, roles: [writer]}
dependencies: {db: {type: postgres, replication: synchronous}}
limits: {default: 100/m per subject}
"""


def written(folder: Path, text: str = NOTES, **wish: Any) -> Built:
    """Built as `nines build` would, of a blueprint that stands in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "blueprint.yaml"
    source.write_text(text)
    return build(source, folder, Wish(**wish), today=TODAY)


def held(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
