"""Which passwords are refused: too short, too long, or among the first that are tried (NIST SP 800-63B, 3.1.1.2)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from nines_runtime.security.passwords import LENGTH_MAX, LENGTH_MIN

_BASES = frozenset(
    """
    123 1234 12345 1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx a1b2c3 a1b2c3d4 abc abc123 abcd access admin administrator
    adobe amanda andrew angel anthony apple arsenal asdf asdfgh asdfghjkl ashley bailey banana baseball basketball
    batman biteme blink buster butterfly changeme charlie cheese chelsea chocolate computer cookie corvette dallas
    daniel default demo diamond donald dragon dubsmash eagle elephant falcon family ferrari filter flower football
    forever freedom friend fuckyou galaxy gandalf george ginger google guest guitar hallo hannah harley harry hello
    hockey hunter iloveyou internet jackson jasmine jennifer jessica jordan joshua justin killer king kitty knight
    letmein liverpool login london love lovely loveme maggie magic manager marina martin master matrix matthew
    melissa mercedes merlin michael michelle minecraft monkey monster morgan mother mustang mypass mypassword naruto
    nicole ninja nothing office oliver orange pass passw0rd passwd password passwort peanut pepper phoenix player
    please pokemon prince princess purple q1w2e3r4 qazwsx qwer qwert qwerty qwertyuiop qwertz rainbow ranger robert
    root samantha sample samsung secret service shadow silver skywalker snoopy soccer sommer sophie spiderman spring
    starwars steelers summer sunshine superman system taylor temp tennis test tester thomas thunder tiger tigger
    trustno trustnoone unknown user username victoria viking welcome whatever willkommen winter wizard yankees
    yellow zaq zxcv zxcvbn zxcvbnm
    """.split()  # noqa: SIM905 -- a list of two hundred literals would be no clearer
)
"""Words and rows of keys that passwords are made of most often; with figures and signs around them they stay that."""
_WRITTEN = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "01234567890")
_DIFFERENT_MIN = 4
_ABOUT_LENGTH_MIN = 4


def objection(password: str, *, about: Iterable[str] = (), length_min: int = LENGTH_MIN) -> str:
    """Why a password may not be used, as a sentence for its owner; empty: it may. `about` is what is known of them:
    their name, their address, the service's name."""
    plain = unicodedata.normalize("NFKC", password)
    if len(plain) < length_min:
        return f"A password has at least {length_min} characters."
    if len(password) > LENGTH_MAX:
        return f"A password has at most {LENGTH_MAX} characters."
    lower = plain.casefold()
    if len(set(lower)) < _DIFFERENT_MIN or _is_run(lower):
        return "This password is the same few characters again and again, or a row of keys."
    if _is_common(lower):
        return "This password is among the first that are tried."
    words = {word for each in about for word in (each.casefold(), each.casefold().partition("@")[0])}
    core = _core(lower)
    if any(len(word) >= _ABOUT_LENGTH_MIN and core in (word, _core(word)) for word in words):
        return "This password is what everybody knows of you."
    return ""


def _is_common(lower: str) -> bool:
    forms = {lower, _core(lower), _core(lower.translate(_WRITTEN)), lower.translate(_WRITTEN)}
    return any(form in _BASES or _half(form) in _BASES for form in forms)


def _core(lower: str) -> str:
    """Without the figures and signs around it; all of it where nothing else is there."""
    return lower.strip("0123456789!?.,;:-_*+#$%&/()=@ ") or lower


def _half(form: str) -> str:
    """What is written twice."""
    length = len(form) // 2
    return form[:length] if length and form == form[:length] * 2 else form


def _is_run(lower: str) -> bool:
    """Whether it is one row of keys, forwards, backwards, or a shorter one again and again."""
    for length in range(1, len(lower) // 2 + 1):
        if length <= _DIFFERENT_MIN and lower == (lower[:length] * len(lower))[: len(lower)]:
            return True
    rows = [row * 2 for row in _ROWS]
    return any(lower in row or lower in row[::-1] for row in rows)
