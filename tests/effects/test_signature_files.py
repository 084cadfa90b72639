"""Signatures: what is shipped loads, what breaks the schema is refused with its file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from nines.effects.signatures import load
from nines.effects.signatures.load import read
from nines.model.effect import EffectKind
from nines.model.errors import SignatureError
from tests.effects.reading import service, trace


def test_shipped_files_load() -> None:
    signatures = load()
    assert signatures.calls["requests.get"].effect is EffectKind.REMOTE_CALL
    assert signatures.canonical("requests.sessions.Session.get") == "requests.Session.get"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[calls."a.b"]\nefect = "publish"\n', "a.b"),
        ('[types."a.T"]\nbasis = []\n', "a.T"),
        ("[calls\n", "TOML"),
        ('calls = "x"\n', "calls"),
    ],
)
def test_a_broken_file_is_refused(text: str, told: str) -> None:
    with pytest.raises(SignatureError) as caught:
        read(text, "mine.toml")
    assert caught.value.where == "mine.toml"
    assert told in str(caught.value)


def test_a_user_describes_a_wrapper(tmp_path: Path) -> None:
    files = {
        "main.py": "from flask import Flask\nimport payments\napp = Flask(__name__)\n"
        '@app.post("/pay")\ndef pay():\n    payments.charge("https://pay.example", 5)\n'
    }
    own = {
        "calls": {
            "payments.charge": {
                "effect": "remote_call",
                "parameters": ["url", "amount"],
                "target": "@url",
                "action": "POST",
                "deadline": {"default": "none"},
            }
        }
    }
    paid = trace(service(tmp_path, files, own), "POST /pay")
    assert [(e.kind, e.target) for e in paid.effects] == [(EffectKind.REMOTE_CALL, "https://pay.example")]
