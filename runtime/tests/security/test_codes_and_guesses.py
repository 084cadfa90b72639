from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.security.codes import Codes
from nines_runtime.security.guessing import FREE, WAIT_MAX_S, Failures, Guesses, network_of, refuse_blocked, wait_s
from nines_runtime.security.secret import Secret, digest_of, is_same
from nines_runtime.security.totp import STEP_S, Totp, code_at
from nines_runtime.web.problem import Problem

KEY = b"k" * 32


@pytest.mark.parametrize("digits", [6, 8])
def test_a_code_is_of_digits_and_fits_its_own_row_only(digits: int) -> None:
    codes, id = Codes(KEY, digits=digits), uuid4()
    code = codes.new(id)
    assert (len(code.text), code.text.isdecimal(), len(code.digest)) == (digits, True, 32)
    assert codes.matches(id, code.text, code.digest)
    assert codes.matches(id, f" {code.text[:3]}-{code.text[3:]} ", code.digest)
    assert not codes.matches(uuid4(), code.text, code.digest)
    assert not Codes(b"l" * 32, digits=digits).matches(id, code.text, code.digest)
    assert code.text not in f"{code} {code!r}"


@given(st.text(max_size=300))
def test_no_other_text_fits(text: str) -> None:
    codes, id = Codes(KEY), uuid4()
    code = codes.new(id)
    plain = text.strip().replace(" ", "").replace("-", "")
    assert codes.matches(id, text, code.digest) == (plain == code.text)


def test_codes_are_spread_over_all_numbers() -> None:
    codes = Codes(KEY)
    firsts = {codes.new(uuid4()).text[0] for _ in range(400)}
    assert firsts == set("0123456789")


def test_a_link_is_long() -> None:
    codes, id = Codes(KEY), uuid4()
    link = codes.new_link(id)
    assert len(link.text) == 43
    assert codes.matches(id, link.text, link.digest)
    assert not codes.matches(id, link.text[:-1], link.digest)


@pytest.mark.parametrize(("key", "digits"), [(b"short", 6), (KEY, 4), (KEY, 9)])
def test_codes_that_would_be_guessed_are_not_made(key: bytes, digits: int) -> None:
    with pytest.raises(ValueError, match=r"code|CODE_KEY"):
        Codes(key, digits=digits)


@pytest.mark.parametrize(("one", "other"), [("Ada@Example.com ", "ada@example.com"), ("STRASSE@x.y", "straße@x.y")])
def test_a_name_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert Guesses(KEY).account(one) == Guesses(KEY).account(other)
    assert len(Guesses(KEY).account(one)) == 32


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("unknown", "unknown", True),
    ],
)
def test_whoever_has_a_network_is_counted_once(one: str, other: str, are_same: bool) -> None:
    assert (Guesses(KEY).address(one) == Guesses(KEY).address(other)) == are_same


def test_accounts_and_addresses_are_told_apart() -> None:
    assert Guesses(KEY).account("192.0.2.1") != Guesses(KEY).address("192.0.2.1")
    assert network_of("2001:db8::1") == "2001:db8::/64"


def test_whoever_is_blocked_is_told_until_when() -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    refuse_blocked([], now=now)
    refuse_blocked([{"blocked_until": now}], now=now)
    rows = [{"blocked_until": now + timedelta(seconds=each)} for each in (5, 60, -5)]
    with pytest.raises(Problem) as caught:
        refuse_blocked(rows, now=now)
    assert (caught.value.code, caught.value.retry_after_s) == ("rate-limited", 60.0)


@given(st.integers(0, 10_000))
def test_each_failure_costs_more_up_to_a_limit(failures: int) -> None:
    assert wait_s(failures) <= wait_s(failures + 1) <= WAIT_MAX_S
    assert (wait_s(failures) == 0) == (failures <= FREE)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.booleans(), st.integers(0, 200)), max_size=60))
def test_failures_in_memory_against_a_model(steps: list[tuple[str, bool, int]]) -> None:
    clock = [0.0]
    failures = Failures(free_by_address=10, ttl_s=1_000.0, clock=lambda: clock[0])
    counts: dict[str, tuple[int, float]] = {}

    def left(name: str, free: int) -> float:
        count, at = counts.get(name, (0, 0.0))
        return at + wait_s(count, free=free) - clock[0] if count else 0.0

    for name, is_right, pause in steps:
        clock[0] += pause
        expected = max(left(name, FREE), left("address", 10))
        if expected > 0:
            with pytest.raises(Problem) as caught:
                failures.refuse_blocked(f" {name.upper()}", "192.0.2.1")
            assert caught.value.retry_after_s == pytest.approx(expected)
            continue
        failures.refuse_blocked(name, "192.0.2.1")
        if is_right:
            failures.succeeded(name)
            counts.pop(name, None)
        else:
            failures.failed(name, "192.0.2.1")
            for each in (name, "address"):
                count, at = counts.get(each, (0, 0.0))
                counts[each] = (count + 1 if clock[0] - at < 1_000.0 else 1, clock[0])


def test_failures_in_memory_are_bounded() -> None:
    failures = Failures(size=10)
    for each in range(1_000):
        failures.failed(str(each), f"192.0.2.{each % 250}")
    assert len(failures._counts) == 10


def test_secrets_are_long_told_once_and_never_printed() -> None:
    secret = Secret.new("rt")
    assert len(secret.text) == 46
    assert secret.digest == digest_of(secret.text)
    assert secret.text not in f"{secret} {secret!r}"
    assert len({Secret.new("rt").text for _ in range(100)}) == 100


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_same_is_the_same(one: str, other: str) -> None:
    assert is_same(one, other) == (one == other)
    assert is_same(one.encode("utf-8", "surrogatepass"), one)


@pytest.mark.parametrize(
    ("time_s", "code"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")],
)
def test_the_codes_of_rfc_6238(time_s: int, code: str) -> None:
    secret = b"12345678901234567890"
    assert code_at(secret, time_s // STEP_S) == code
    assert Totp(clock=lambda: float(time_s)).accepted(secret, f" {code[:3]} {code[3:]}") == time_s // STEP_S


def test_a_second_factor_works_once_and_near_its_time() -> None:
    secret, totp = Totp.new_secret(), Totp(clock=lambda: 3_000.0)
    step = 100
    for skew in (-1, 0, 1):
        assert totp.accepted(secret, code_at(secret, step + skew)) == step + skew
    for skew in (-2, 2):
        code = code_at(secret, step + skew)
        if code not in {code_at(secret, step + near) for near in (-1, 0, 1)}:
            assert totp.accepted(secret, code) is None
    assert totp.accepted(secret, code_at(secret, step), last_step=step) is None
    for wrong in ("", "12345", "1234567", "abcdef", "²²²²²²"):
        assert totp.accepted(secret, wrong) is None


def test_what_an_authenticators_app_reads() -> None:
    uri = Totp.uri(b"12345678901234567890", issuer="Log in", account="ada@example.com")
    assert uri.startswith("otpauth://totp/Log%20in%3Aada%40example.com?secret=")
    assert base64.b32decode(uri.partition("secret=")[2].partition("&")[0]) == b"12345678901234567890"
