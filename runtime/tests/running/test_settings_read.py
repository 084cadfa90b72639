"""Settings: everything that is wrong is told at once, by name, and no value is ever printed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime.running.settings import Duration, Hidden, SettingsError, Url, names, read_settings


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    db_url: Url
    cursor_key: Hidden
    drain_s: Duration = Duration(10)
    pool_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    share: float = 0.5
    is_quiet: bool = False
    environment: Literal["local", "production"] = "production"
    peers: tuple[str, ...] = ()
    gateway_url: Url | None = None


GOOD = {"DB_URL": "postgresql://user:hunter2@db:5432/x", "CURSOR_KEY": "hunter2hunter2"}


def test_reads_what_it_names() -> None:
    found = read_settings(
        Settings,
        GOOD
        | {
            "DRAIN_S": "1.5m", "POOL_SIZE": "7", "SHARE": "0.25", "IS_QUIET": "yes", "ENVIRONMENT": "local",
            "PEERS": "a, b,", "GATEWAY_URL": "http://gateway", "UNRELATED": "x",
        },
    )  # fmt: skip
    assert found.db_url == GOOD["DB_URL"]
    assert found.cursor_key.reveal() == GOOD["CURSOR_KEY"]
    assert (found.drain_s, found.pool_size, found.share, found.is_quiet) == (90.0, 7, 0.25, True)
    assert (found.environment, found.peers, found.gateway_url) == ("local", ("a", "b"), "http://gateway")
    assert "hunter2" not in repr(found)
    assert "DB_URL" in names(found)
    assert "GATEWAY_URL" not in names(read_settings(Settings, GOOD))


def test_everything_missing_and_wrong_is_told_at_once() -> None:
    wrong = dict.fromkeys(("DRAIN_S", "POOL_SIZE", "SHARE", "IS_QUIET", "ENVIRONMENT", "GATEWAY_URL"), "hunter2")
    with pytest.raises(SettingsError) as raised:
        read_settings(Settings, wrong)
    said = str(raised.value)
    assert "missing: DB_URL, CURSOR_KEY." in said
    for name in wrong:
        assert f"{name} (must be" in said
    assert "local, production" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("size", ["0", "101", "-1", "7.5", "", "1e2"])
def test_bounds_hold(size: str) -> None:
    with pytest.raises(SettingsError, match="POOL_SIZE"):
        read_settings(Settings, GOOD | {"POOL_SIZE": size})


@pytest.mark.parametrize("url", ["", "db:5432", "postgresql://", "http://host:99999999", "://x", "/etc/passwd"])
def test_a_url_has_a_scheme_and_a_host(url: str) -> None:
    with pytest.raises(SettingsError, match="DB_URL"):
        read_settings(Settings, GOOD | {"DB_URL": url})


@given(
    st.integers(0, 10**6), st.sampled_from([("ms", 0.001), ("s", 1), ("", 1), ("m", 60), ("h", 3_600), ("d", 86_400)])
)
def test_durations(count: int, unit: tuple[str, float]) -> None:
    found = read_settings(Settings, GOOD | {"DRAIN_S": f"{count}{unit[0]}"})
    assert found.drain_s == pytest.approx(count * unit[1])


def test_a_file_holds_what_the_environment_should_not(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    given_ = {"DB_URL": GOOD["DB_URL"], "CURSOR_KEY_FILE": str(tmp_path / "key")}
    assert read_settings(Settings, given_).cursor_key.reveal() == "from the file"
    for wrong in (
        given_ | {"CURSOR_KEY": "too"},
        given_ | {"CURSOR_KEY_FILE": str(tmp_path / "none")},
        given_ | {"CURSOR_KEY_FILE": str(tmp_path)},
    ):
        with pytest.raises(SettingsError, match="CURSOR_KEY"):
            read_settings(Settings, wrong)
    (tmp_path / "key").write_bytes(b"\xff" * 10)
    with pytest.raises(SettingsError, match="UTF-8"):
        read_settings(Settings, given_)
    (tmp_path / "key").write_bytes(b"a" * 100_000)
    with pytest.raises(SettingsError, match="larger"):
        read_settings(Settings, given_)
    (tmp_path / "key").write_text("\n")
    with pytest.raises(SettingsError, match="empty"):
        read_settings(Settings, given_)


def test_what_is_made_up_only_fills_gaps() -> None:
    made = {"CURSOR_KEY": lambda: "made up", "DB_URL": lambda: "postgresql://made"}
    assert read_settings(Settings, {"DB_URL": GOOD["DB_URL"]}, otherwise=made).cursor_key.reveal() == "made up"
    assert read_settings(Settings, GOOD, otherwise=made).db_url == GOOD["DB_URL"]


def test_a_secret_is_printed_nowhere() -> None:
    secret = Hidden("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {Url('http://a:hunter2@b')!r}"
    assert (secret == Hidden("hunter2"), secret == "hunter2", bool(Hidden(""))) == (True, False, False)
