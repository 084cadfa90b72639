"""A baseline: the findings that a project has accepted for now, as a multiset of fingerprints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from nines.model.errors import SettingsError
from nines.model.finding import Finding
from nines.model.record import Record

BASELINE_FORMAT = 1
BYTES_MAX = 50_000_000


class Entry(Record, order=True):
    """One accepted finding; rule and place are there for people, the fingerprint decides."""

    rule: str
    place: str
    fingerprint: str
    count: int = 1


class Baseline(Record):
    format: int = BASELINE_FORMAT
    entries: tuple[Entry, ...] = ()


class Compared(Record):
    """What is new against a baseline, how much it covered, and which entries no longer match anything."""

    findings: tuple[Finding, ...]
    covered: int = 0
    stale: tuple[Entry, ...] = ()


def load(path: Path) -> Baseline:
    try:
        with path.open("rb") as stream:
            content = stream.read(BYTES_MAX + 1)
        baseline = msgspec.json.decode(content, type=Baseline)
    except OSError as error:
        hint = f"Write one with: nines review --write-baseline {path}"
        raise SettingsError(f"the baseline cannot be read: {error.strerror}", where=str(path), hint=hint) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        hint = f"Write one to another file with: nines review --write-baseline {path.with_name('nines-baseline.json')}"
        raise SettingsError(f"this is not a baseline: {error}", where=str(path), hint=hint) from error
    if baseline.format != BASELINE_FORMAT:
        raise SettingsError(
            f"the baseline has format {baseline.format}, this nines reads {BASELINE_FORMAT}",
            where=str(path),
            hint=f"Write it anew with: nines review --write-baseline {path}",
        )
    return baseline


def of(findings: Iterable[Finding]) -> Baseline:
    """The baseline that accepts exactly these findings."""
    counts = Counter(finding.fingerprint for finding in findings)
    named = {f.fingerprint: Entry(rule=f.rule, place=str(f.place or ""), fingerprint=f.fingerprint) for f in findings}
    entries = (msgspec.structs.replace(named[key], count=count) for key, count in counts.items())
    return Baseline(entries=tuple(sorted(entries)))


def dump(baseline: Baseline) -> str:
    """The text of a baseline file."""
    return msgspec.json.format(msgspec.json.encode(baseline), indent=2).decode() + "\n"


def either(one: Baseline, other: Baseline | None) -> Baseline:
    """What one of two baselines accepts: the same finding, accepted by both, is accepted once."""
    entries: dict[str, Entry] = {}
    for entry in _summed(one) + (_summed(other) if other else []):
        known = entries.get(entry.fingerprint)
        if known is None or known.count < entry.count:
            entries[entry.fingerprint] = entry
    return Baseline(entries=tuple(sorted(entries.values())))


def _summed(baseline: Baseline) -> list[Entry]:
    """One entry for each fingerprint."""
    counts: Counter[str] = Counter()
    for entry in baseline.entries:
        counts[entry.fingerprint] += entry.count
    named = {entry.fingerprint: entry for entry in baseline.entries}
    return [msgspec.structs.replace(named[key], count=count) for key, count in counts.items()]


def compare(findings: Iterable[Finding], baseline: Baseline) -> Compared:
    """Findings beyond what each fingerprint may cover are new; what covers nothing is stale."""
    left = Counter({entry.fingerprint: 0 for entry in baseline.entries})
    for entry in baseline.entries:
        left[entry.fingerprint] += entry.count
    fresh: list[Finding] = []
    covered = 0
    for finding in findings:
        if left[finding.fingerprint] > 0:
            left[finding.fingerprint] -= 1
            covered += 1
        else:
            fresh.append(finding)
    stale = tuple(entry for entry in baseline.entries if left[entry.fingerprint] > 0)
    return Compared(findings=tuple(fresh), covered=covered, stale=stale)
