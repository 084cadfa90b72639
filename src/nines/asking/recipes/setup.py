"""How nines itself is used."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources

import msgspec

from nines.asking.answer import Answer, Basis, Claim, Step, Sureness
from nines.asking.material import Material
from nines.asking.recognise import Asked
from nines.asking.words import holds, stems
from nines.model.record import StrictRecord


class _Topic(StrictRecord):
    words: tuple[str, ...]
    says: str
    commands: tuple[str, ...]


class _Topics(StrictRecord):
    topics: tuple[_Topic, ...]


@functools.cache
def topics() -> tuple[_Topic, ...]:
    text = resources.files("nines.asking").joinpath("setup.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), type=_Topics).topics


def answer(asked: Asked, material: Material) -> Answer:
    del material
    words = stems(asked.text)
    found = [topic for topic in topics() if any(holds(words, stems(phrase)) for phrase in topic.words)]
    topic = (found or list(topics()[-1:]))[0]
    return Answer(
        question=asked.text,
        intent="setup",
        understood="you ask how nines is used",
        headline=topic.says,
        sureness=Sureness.HIGH if found else Sureness.MEDIUM,
        because="for it is how this version works.",
        reasoning=tuple(Claim(says=each.says, basis=Basis.PAGE, source="nines --help") for each in found[1:2]),
        steps=tuple(Step(command=command, why="runs it") for command in topic.commands),
    )
