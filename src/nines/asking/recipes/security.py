"""Security: what was read and what an experiment tried."""

from __future__ import annotations

from nines.asking.answer import Answer, Open
from nines.asking.material import Material
from nines.asking.recognise import Asked
from nines.asking.reviewing import reviewed

_EXPERIMENTS = ("security/object-authorization", "security/authentication", "contract/no-5xx")
_PATTERNS = ("deny-by-default", "role-and-row-rules", "token-handling", "bound-parameters", "strict-input")


def answer(asked: Asked, material: Material) -> Answer:
    return reviewed(
        asked,
        material,
        intent="security",
        understood="you ask who can do what they should not",
        prefixes=("security/",),
        experiments=_EXPERIMENTS,
        patterns=_PATTERNS,
        nothing="Reading found no hole; whether strangers are really kept out is shown by trying, see Next.",
        questions=(
            Open(
                question="Which operations are open to everybody on purpose, and which rows are shared?",
                assumed="none",
                matters="`[security] public` and `shared` in nines.toml; otherwise every opening counts as a hole",
            ),
        ),
    )
