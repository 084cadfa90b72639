from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.calls.attempt import retry_after_s
from nines_runtime.calls.credential import Credential
from nines_runtime.calls.reply import REASON_LENGTH_MAX, reason_of
from nines_runtime.calls.tracing import child_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["error", "code", "detail", "x"]), inner),
    max_leaves=10,
)


@given(st.binary(max_size=300))
def test_any_body_has_a_harmless_reason(body: bytes) -> None:
    for said in reason_of(body, secret="abc"):
        assert len(said) <= REASON_LENGTH_MAX
        assert "abc" not in said
        assert said.isprintable()


@given(st.text(alphabet="abcdefghijk0123456789", min_size=6, max_size=60), st.text(max_size=40), st.text(max_size=40))
def test_a_secret_that_is_echoed_is_cut_out(secret: str, before: str, after: str) -> None:
    body = msgspec.json.encode({"detail": before + secret + after, "code": secret})
    assert all(secret not in said for said in reason_of(body, secret=secret))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"type":"/problems/no-funds","title":"No funds","detail":"Not enough"}',
            ("Not enough", "/problems/no-funds"),
        ),
        (b'{"error":"invalid_grant","error_description":"Gone"}', ("Gone", "invalid_grant")),
        (b'{"error":{"message":"Bad\\ncard","code":"bad"}}', ("Bad card", "bad")),
        (b'{"message":"token eyJhbGciOi.J9.sig and Bearer abc"}', ("token [redacted] and [redacted]", "")),
        (b"<html>no</html>", ("", "")),
        (b"[1]", ("", "")),
        (b"[" * 5_000, ("", "")),
        (b'{"detail":"' + b"x" * 20_000 + b'"}', ("", "")),
    ],
)
def test_where_a_reason_stands(body: bytes, expected: tuple[str, str]) -> None:
    assert reason_of(body) == expected


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("5", 5.0),
        (" 0 ", 0.0),
        ("99999999999999", 3_600.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 60.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
    ],
)
def test_retry_after_in_both_forms(told: str, seconds: float | None) -> None:
    assert retry_after_s(told, now_s=40.0) == seconds


def test_a_credential_is_never_printed_and_never_ends_a_header() -> None:
    assert "s3cret" not in f"{Credential('s3cret')} {Credential('s3cret')!r}"
    with pytest.raises(ValueError, match="control character"):
        Credential("s3cret\n")


@pytest.mark.parametrize("parent", ["", "x", "00-1-2-3", f"01-{'a' * 32}-{'b' * 16}-01"])
def test_no_trace_goes_out_where_none_came_in(parent: str) -> None:
    assert child_of(parent) == ""
