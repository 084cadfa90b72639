"""The recogniser on phrasings that it was written with, and on as many that it was not."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nines.asking.recognise import intents, recognise

SEEN_SHARE_MIN = 0.9
HELD_OUT_SHARE_MIN = 0.75
PHRASINGS: dict[str, list[str]] = tomllib.loads((Path(__file__).parent / "corpus.toml").read_text("utf-8"))["phrasings"]


def share(half: int) -> tuple[float, list[str]]:
    wrong: list[str] = []
    count = 0
    for intent, phrasings in PHRASINGS.items():
        for phrasing in phrasings[half::2]:
            count += 1
            found = recognise(phrasing)
            if found.intent != intent:
                wrong.append(f"{intent} taken for {found.intent or 'nothing'}: {phrasing}")
    return 1 - len(wrong) / count, wrong
