from __future__ import annotations

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from nines.lab.load.curl import curl_of
from nines.lab.load.request import request_of
from nines.model.experiment import Call

URL = "http://127.0.0.1:8000/"
# A stand-in that prints its arguments and its input, one per zero byte.
_FAKE = 'curl() { for each; do printf "%s\\0" "$each"; done; case "$*" in *@-*) cat;; esac; }; '


def arguments(command: str) -> list[bytes]:
    return subprocess.run(["sh", "-c", _FAKE + command], capture_output=True, check=True).stdout.split(b"\0")


def call(**fields: object) -> Call:
    return Call(**({"operation": "op", "method": "POST", "path": "/p"} | fields))  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=60))
def test_a_text_body_and_a_header_survive_the_shell(text: str) -> None:
    request = request_of(call(headers=(("x-note", text),), body=text.encode()), host="h")
    got = arguments(curl_of(request, url=URL))
    assert f"x-note: {text}".encode() in got
    data = b"--data-raw" if b"--data-raw" in got else b"--data-binary"
    assert (got[got.index(data) + 1] if data == b"--data-raw" else got[-1]) == text.encode()
    assert got[0] == b"-i"
    assert b"http://127.0.0.1:8000/p" in got


@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=60).map(lambda body: body + b"\xff"))
def test_any_other_body_travels_through_printf(body: bytes) -> None:
    command = curl_of(request_of(call(body=body), host="h"), url=URL)
    printed = subprocess.run(["sh", "-c", _FAKE + command], capture_output=True, check=True).stdout
    assert printed.endswith(body)


def test_a_path_is_left_as_it_is() -> None:
    command = curl_of(request_of(call(method="GET", path="/a/../b?x[0]=1"), host="h"), url=URL)
    assert "--path-as-is" in command
    assert "--globoff" in command
    assert "-X" not in command


def test_a_head_request_waits_for_no_body() -> None:
    assert "--head" in curl_of(request_of(call(method="HEAD"), host="h"), url=URL)


def test_a_large_body_is_cut_and_says_so() -> None:
    command = curl_of(request_of(call(body=b"x" * 100_000), host="h"), url=URL)
    assert len(command) < 40_000
    assert command.endswith("# body cut from 100000 bytes")


@settings(max_examples=40, deadline=None)
@given(before=st.text(alphabet="ab \"$`!\\'", max_size=8), after=st.text(alphabet="ab \"$`!\\'", max_size=8))
def test_a_secret_gives_way_to_its_variable(before: str, after: str) -> None:
    secret = "s3cr3t/token"
    text = f"x{before}{secret}{after}x"
    request = request_of(call(headers=(("authorization", f"Bearer {secret}"),), body=text.encode()), host="h")
    command = curl_of(request, url=URL, secrets={secret: "OWNER_TOKEN"})
    assert secret not in command
    got = arguments(f"OWNER_TOKEN={secret}; {command}")
    assert f"authorization: Bearer {secret}".encode() in got
    assert text.encode() in got
