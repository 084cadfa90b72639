from __future__ import annotations

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.lab.load.request import encode, request_of, target_of
from nines.model.errors import LabError
from nines.model.experiment import Call

HOST = "127.0.0.1:8000"


class Seen:
    """What a server's parser reads."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete += 1


def parsed(wire: bytes) -> Seen:
    seen = Seen()
    httptools.HttpRequestParser(seen).feed_data(wire)
    return seen


@given(
    path=st.text(max_size=40),
    names=st.lists(st.from_regex(r"x-[a-z0-9]{1,8}", fullmatch=True), unique=True, max_size=4),
    value=st.text(max_size=30),
    body=st.binary(max_size=200),
)
def test_a_server_reads_one_whole_request_whatever_the_values(
    path: str, names: list[str], value: str, body: bytes
) -> None:
    headers = [(name, value) for name in names]
    if names and any(character in value for character in "\r\n\0"):
        with pytest.raises(LabError):
            encode("POST", path, headers, body, HOST)
        return
    # Other control characters are for the service to refuse; this parser refuses them too.
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in value):
        return
    seen = parsed(encode("POST", path, headers, body, HOST))
    assert seen.complete == 1
    assert seen.body == body
    assert seen.url == target_of(path).encode()
    assert [name.decode() for name, _ in seen.headers if name.startswith(b"x-")] == names


def test_credentials_replace_what_the_call_says() -> None:
    call = Call(operation="get", method="GET", path="/x", headers=(("Authorization", "Bearer old"), ("x-a", "1")))
    request = request_of(call, host=HOST, credentials=(("authorization", "Bearer new"),))
    assert request.headers == (("x-a", "1"), ("authorization", "Bearer new"))
    assert b"Bearer old" not in request.wire
    assert b"host: 127.0.0.1:8000\r\n" in request.wire


def test_a_length_is_said_where_a_body_could_be_and_only_there() -> None:
    assert b"content-length: 0\r\n" in encode("POST", "/", (), b"", HOST)
    assert b"content-length" not in encode("GET", "/", (), b"", HOST)
    assert b"content-length: 3\r\n" in encode("DELETE", "/", (), b"abc", HOST)
    chunked = encode("POST", "/", (("Transfer-Encoding", "chunked"),), b"0\r\n\r\n", HOST)
    assert b"content-length" not in chunked


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/a%20b?c=d&e=%2F", "/a%20b?c=d&e=%2F"),
        ("/a b", "/a%20b"),
        ("/ü\r\nx: y", "/%C3%BC%0D%0Ax:%20y"),
        ("a", "/a"),
        ("*", "*"),
        ("/../etc", "/../etc"),
    ],
)
def test_targets_are_encoded_only_where_they_must(path: str, target: str) -> None:
    assert target_of(path) == target


@pytest.mark.parametrize(("method", "header"), [("GE T", ("a", "b")), ("GET", ("a b", "c")), ("GET", ("", "c"))])
def test_what_cannot_be_sent_is_said(method: str, header: tuple[str, str]) -> None:
    with pytest.raises(LabError, match="cannot be sent"):
        encode(method, "/", (header,), b"", HOST)
