"""A blueprint from a file or a text; one BlueprintError tells everything that is wrong with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from nines.model.blueprint import Blueprint, Problem
from nines.model.errors import BlueprintError
from nines.readers.blueprint import references
from nines.readers.blueprint.document import BYTES_MAX, BrokenDocumentError, Document, Mark, Scalar, compose
from nines.readers.blueprint.reading import Collected, Reading, Unreadable, shown
from nines.readers.blueprint.shapes import Shape
from nines.readers.blueprint.upgrade import upgraded
from nines.readers.blueprint.vocabulary.blueprint import BLUEPRINT

PROBLEMS_MAX = 50
"""Problems that are shown; more are counted."""
_HINT = "The vocabulary: nines design --vocabulary; for completion in an editor: nines design --schema"


def read(path: Path) -> Blueprint:
    """The blueprint in a file; raises BlueprintError."""
    name = path.name
    try:
        # A pipe that nobody writes to would keep an ordinary open waiting for ever.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:  # noqa: PTH123 -- of a descriptor
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise _refused(name, "this is no file; a blueprint is a YAML file")
            content = stream.read(BYTES_MAX + 1)
    except OSError as error:
        raise _refused(str(path), f"it cannot be read: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:
        raise _refused(name, f"this is no file name: {error}") from None
    if len(content) > BYTES_MAX:
        raise _refused(name, f"it is larger than {BYTES_MAX // 1024} KiB")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise _refused(name, "it is not UTF-8; save it in that encoding", Mark(line=line, column=column)) from None
    return parse(text, name)


def parse(text: str, name: str = "blueprint.yaml") -> Blueprint:
    """The blueprint in a text; `name` is its file's in messages and places. Raises BlueprintError."""
    try:
        document = compose(text)
    except BrokenDocumentError as error:
        raise _refused(name, error.what, error.mark) from None
    collected = Collected(name)
    blueprint = _read(document, Reading(collected))
    references.check(collected, blueprint)
    if collected.problems or blueprint is None:
        raise _refusal(collected)
    placed = msgspec.structs.replace(blueprint, source=name, places=tuple(collected.places.items()))
    return references.resolve(placed)


def _read(document: Document, reading: Reading) -> Blueprint | None:
    for repeated in document.repeated:
        first = repeated.first
        reading.report(
            repeated.key, f"{shown(repeated.key.text)} stands here twice, first at {first.line}:{first.column}"
        )
    try:
        blueprint: Blueprint = BLUEPRINT.read(upgraded(document.root, reading), reading)
    except Unreadable:
        return None
    return blueprint


def _refused(name: str, says: str, mark: Mark | None = None) -> BlueprintError:
    collected = Collected(name)
    Reading(collected).report(mark or Mark(), says)
    return _refusal(collected)


def _refusal(collected: Collected) -> BlueprintError:
    unique: dict[str, Problem] = {str(problem): problem for problem in collected.problems}
    ordered = sorted(unique.values(), key=lambda problem: problem.place)
    return BlueprintError(
        ordered[:PROBLEMS_MAX], where=collected.file, hint=_HINT, hidden=max(0, len(ordered) - PROBLEMS_MAX)
    )


def problem_with(path: str, text: str) -> str:
    """Why a plain text cannot stand at a path such as "load.peak"; empty: it can. Raises KeyError for no such path."""
    shape: Shape = BLUEPRINT
    for name in path.split("."):
        shape = shape.key(name)
    reading = Reading(Collected(""))
    try:
        shape.read(Scalar(text=text), reading)
    except Unreadable:
        return "; ".join(problem.says for problem in reading.collected.problems)
    return ""
