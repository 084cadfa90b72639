"""Exit codes, baselines, allowances, configuration: what a pipeline builds on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nines.cli.main import run
from tests.cli.projects import CLEAN, FINDING, MAIN, backend, write

Captured = pytest.CaptureFixture[str]
ALLOWED = MAIN.replace(
    "    return requests", "    # nines: allow call-without-deadline -- a batch job waits\n    return requests"
)


def rules(folder: Path, capsys: Captured, *flags: str) -> tuple[int, list[str]]:
    code = run(["review", str(folder), "-q", "-f", "json", *flags])
    report = json.loads(capsys.readouterr().out)
    return code, [finding["rule"] for finding in report["findings"]]


def test_found_is_1_and_clean_is_0(tmp_path: Path, capsys: Captured) -> None:
    assert rules(backend(tmp_path / "a"), capsys) == (1, [FINDING])
    assert rules(backend(tmp_path / "b", CLEAN), capsys) == (0, [])


@pytest.mark.parametrize("file", ["nines.toml", "pyproject.toml", "other.toml"])
def test_settings_are_heeded_wherever_they_stand(tmp_path: Path, capsys: Captured, file: str) -> None:
    heading = "[tool.nines]\n" if file == "pyproject.toml" else ""
    write(backend(tmp_path), {file: f'{heading}rules_off = ["call-without-deadline"]\n'})
    flags = ["--config", str(tmp_path / file)] if file == "other.toml" else []
    assert rules(tmp_path, capsys, *flags) == (0, [])


def test_below_the_failing_tier_nothing_fails(tmp_path: Path, capsys: Captured) -> None:
    write(backend(tmp_path, ALLOWED.replace('today")', 'today", timeout=2)')), {"nines.toml": 'fail_on = "features"\n'})
    assert rules(tmp_path, capsys) == (0, ["nines/unused-allowance"])
    write(tmp_path, {"nines.toml": 'fail_on = "convenience"\n'})
    assert rules(tmp_path, capsys) == (1, ["nines/unused-allowance"])


def test_an_allowance_silences_with_a_reason_and_is_reported_when_it_hides_nothing(
    tmp_path: Path, capsys: Captured
) -> None:
    assert rules(backend(tmp_path, ALLOWED), capsys) == (0, [])
    write(tmp_path, {"app/main.py": ALLOWED.replace(" -- a batch job waits", "")})
    assert rules(tmp_path, capsys) == (1, [FINDING, "nines/allowance-without-reason"])
    write(tmp_path, {"app/main.py": ALLOWED.replace('today")', 'today", timeout=2)')})
    assert rules(tmp_path, capsys) == (0, ["nines/unused-allowance"])


def test_a_baseline_accepts_what_is_there_and_fails_when_it_is_stale(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "accepted.json"
    backend(tmp_path)
    assert run(["review", str(tmp_path), "-q", "--write-baseline", str(file)]) == 0
    assert "1 finding accepted" in capsys.readouterr().err
    assert rules(tmp_path, capsys, "--baseline", str(file)) == (0, [])
    write(tmp_path, {"app/main.py": "\n\n" + MAIN})
    assert rules(tmp_path, capsys, "--baseline", str(file)) == (0, [])
    write(tmp_path, {"app/main.py": CLEAN})
    assert run(["review", str(tmp_path), "-q", "--baseline", str(file)]) == 1
    said = capsys.readouterr()
    assert "stale baseline entry: deadlines/call-without-deadline" in said.out


def test_a_baseline_named_in_the_settings_can_be_written_for_the_first_time_and_again(
    tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "accepted.json"
    write(backend(tmp_path), {"nines.toml": 'baseline = "accepted.json"\n'})
    assert run(["review", str(tmp_path), "-q"]) == 2
    assert f"--write-baseline {file}" in capsys.readouterr().err
    for _ in range(2):
        assert run(["review", str(tmp_path), "-q", "--write-baseline", str(file)]) == 0
        assert len(json.loads(file.read_text())["entries"]) == 1
    capsys.readouterr()
    assert rules(tmp_path, capsys) == (0, [])


def test_progress_is_silent_with_q_and_plain_without(tmp_path: Path, capsys: Captured) -> None:
    backend(tmp_path, CLEAN)
    assert run(["review", str(tmp_path), "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert run(["review", str(tmp_path)]) == 0
    assert capsys.readouterr().err.splitlines() == ["· reading the code", "· judging"]


def test_every_format_goes_where_it_is_sent(tmp_path: Path, capsys: Captured) -> None:
    backend(tmp_path)
    arguments = ["review", str(tmp_path), "-q", "-f", "terminal"]
    for name in ("json", "sarif", "junit", "markdown", "html"):
        arguments += ["--format", name, "--output", str(tmp_path / f"report.{name}")]
    assert run(arguments) == 1
    assert "rates" in capsys.readouterr().out
    assert all("call-without-deadline" in (tmp_path / f"report.{n}").read_text() for n in ("json", "sarif", "html"))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".report")]
