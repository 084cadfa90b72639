from __future__ import annotations

import base64
import os
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.security.encryption import OVERHEAD_BYTES, Cipher, Lookup, Undecipherable

ONE, TWO = os.urandom(32), os.urandom(32)
ROW = UUID(int=7)
PLACE = "accounts.gateway_token"


@given(st.text(max_size=300), st.uuids(), st.sampled_from([PLACE, "a.b"]))
def test_what_goes_in_comes_out(value: str, row: UUID, place: str) -> None:
    cipher = Cipher({1: ONE})
    sealed = cipher.encrypt(value, place, row)
    assert cipher.decrypt(sealed, place, row) == value
    assert len(sealed) == len(value.encode()) + OVERHEAD_BYTES
    assert sealed[:2] == b"\0\1"


@given(st.binary(max_size=100))
def test_bytes_as_well(value: bytes) -> None:
    cipher = Cipher({7: ONE})
    assert cipher.decrypt_bytes(cipher.encrypt(value, PLACE, ROW), PLACE, ROW) == value


def test_the_same_twice_is_not_seen() -> None:
    cipher = Cipher({1: ONE})
    assert len({cipher.encrypt("same", PLACE, ROW) for _ in range(50)}) == 50


@given(st.integers(0, (OVERHEAD_BYTES + 6) * 8 - 1))
def test_one_changed_bit_is_seen(bit: int) -> None:
    cipher = Cipher({1: ONE, 0: TWO, 3: TWO})
    sealed = bytearray(cipher.encrypt("secret", PLACE, ROW))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Undecipherable):
        cipher.decrypt(bytes(sealed), PLACE, ROW)


@given(st.integers(0, OVERHEAD_BYTES + 5))
def test_what_is_cut_off_is_seen(length: int) -> None:
    cipher = Cipher({1: ONE, 0: TWO})
    with pytest.raises(Undecipherable):
        cipher.decrypt(cipher.encrypt("secret", PLACE, ROW)[:length], PLACE, ROW)


@pytest.mark.parametrize(
    ("place", "row"), [("accounts.other", ROW), (PLACE, UUID(int=8)), ("accounts.gateway_toke", f"n{ROW}")]
)
def test_it_opens_in_its_own_row_and_column_only(place: str, row: UUID | str) -> None:
    cipher = Cipher({1: ONE})
    with pytest.raises(Undecipherable):
        cipher.decrypt(cipher.encrypt("secret", PLACE, ROW), place, row)


def test_rotation() -> None:
    """For reading first, then for writing, then the old one goes when no row has its number."""
    old, reading, writing, new = Cipher({1: ONE}), Cipher({1: ONE, 2: TWO}), Cipher({2: TWO, 1: ONE}), Cipher({2: TWO})
    first = old.encrypt("secret", PLACE, ROW)
    assert reading.decrypt(first, PLACE, ROW) == "secret"
    assert reading.is_current(first)
    second = writing.encrypt("secret", PLACE, ROW)
    assert reading.decrypt(second, PLACE, ROW) == new.decrypt(second, PLACE, ROW) == "secret"
    assert writing.decrypt(first, PLACE, ROW) == "secret"
    assert (writing.is_current(first), writing.is_current(second)) == (False, True)
    with pytest.raises(Undecipherable, match="key"):
        new.decrypt(first, PLACE, ROW)


def test_keys_as_they_are_written() -> None:
    plain, urlsafe = base64.b64encode(ONE).decode(), base64.urlsafe_b64encode(TWO).decode().rstrip("=")
    both = Cipher.parse(f" 2:{urlsafe},\n1:{plain}\n")
    assert both.number == 2
    assert Cipher.parse(plain).decrypt(Cipher({1: ONE}).encrypt("x", PLACE, ROW), PLACE, ROW) == "x"
    assert Cipher.parse(f"3:{TWO.hex()}").decrypt(Cipher({3: TWO}).encrypt("x", PLACE, ROW), PLACE, ROW) == "x"
    assert urlsafe not in f"{both} {both!r}"
    for wrong in ("", "1:", "1:abc", f"x:{plain}", f"1:{plain},1:{urlsafe}", f"70000:{plain}", f"-1:{plain}"):
        with pytest.raises(ValueError, match="key"):
            Cipher.parse(wrong)


@given(st.text(max_size=40), st.text(max_size=40))
def test_equal_values_have_equal_digests_in_one_place_only(one: str, other: str) -> None:
    lookup = Lookup(ONE)
    assert (lookup.digest(one, PLACE) == lookup.digest(other, PLACE)) == (one == other)
    assert len(lookup.digest(one, PLACE)) == 32
    assert lookup.digest(one, PLACE) != lookup.digest(one, "a.b")
    assert lookup.digest(one, PLACE) != Lookup(TWO).digest(one, PLACE)


def test_a_lookup_key_is_long_enough() -> None:
    with pytest.raises(ValueError, match="LOOKUP_KEY"):
        Lookup(b"short")
