"""Words as the recogniser compares them: lower case, without endings, in order."""

from __future__ import annotations

import functools
import re

_WORD = re.compile(r"\*|<[a-z]+>|[a-z0-9_]+(?:\+[0-9]+)?")
_DROPPED = re.compile(r"['\u2019](?=\w)")
_ENDINGS = (("ies", "y"), ("ied", "y"), ("ing", ""), ("edly", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", ""))
_STEM_MIN = 3
_GAP_MAX = 3
ANY = "*"


@functools.lru_cache(maxsize=8_192)
def stem(word: str) -> str:
    """ "queries" and "query", "timed" and "times", "caching" and "cache" become one."""
    if word.startswith("<") or word == ANY:
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM_MIN and not word.endswith("ss"):
            word = word.removesuffix(ending) + instead
            break
    return word[:-1] if len(word) > _STEM_MIN and word[-1] == word[-2] and word[-1] not in "sl" else word


def stems(text: str) -> tuple[str, ...]:
    """ "What's slow?" as "what", "slow": an apostrophe joins."""
    return tuple(stem(word) for word in _WORD.findall(_DROPPED.sub("", text.lower())))


def holds(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    """Whether the phrase stands in the words, each `*` of it over at most three of them."""
    return any(_begins(words, start, phrase) for start in range(len(words)))


def _begins(words: tuple[str, ...], at: int, phrase: tuple[str, ...]) -> bool:
    if not phrase:
        return True
    if phrase[0] == ANY:
        return any(_begins(words, at + gap, phrase[1:]) for gap in range(_GAP_MAX + 1))
    return at < len(words) and words[at] == phrase[0] and _begins(words, at + 1, phrase[1:])
