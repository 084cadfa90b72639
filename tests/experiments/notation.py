"""Reads the short histories that stand in the experiments' pages.

A line is one of

    PHASE: METHOD OPERATION STATUS|timeout|reset|refused [Nms] [at Ts] [as IDENTITY] [marker=M] [xN] ["BODY"]
    rounds N OPERATION: STATUS STATUS ...
    silent rounds N OPERATION: STATUS STATUS ...
    mark EVENT [NAME] ["DETAIL"] [at Ts]
    seen MARKER [twice] | seen FIRST..LAST
    count NAME X Y
    check SUBJECT VARIANT expected TEXT got TEXT passes|fails|open [#EXCHANGE]
    skip SUBJECT: REASON
    load N/s [spoiled REASON]

Several words that belong together stand in double quotes. A marker that ends with * is numbered from 1; those of silent
rounds are m1, m2 and so on."""

from __future__ import annotations

import re
import shlex

from nines.model.history import Check, Count, Exchange, History, LoadReport, Mark, Outcome, Seen, Skip

_ERRORS = {"timeout": Outcome.INDEFINITE, "reset": Outcome.INDEFINITE, "refused": Outcome.FAILED}


def read(text: str) -> History:
    """Raises ValueError for a line that it does not understand."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                reader.line(line.strip())
            except (ValueError, IndexError, KeyError) as error:
                raise ValueError(f"line {number}: {line!r}: {error}") from error
    return reader.history()


class _Reader:
    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.marks: list[Mark] = []
        self.seen: list[Seen] = []
        self.counts: list[Count] = []
        self.checks: list[Check] = []
        self.skips: list[Skip] = []
        self.loads: list[LoadReport] = []
        self.rounds = 0

    def line(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        readers = {
            "rounds": self.race,
            "silent": self.race_silently,
            "mark": self.mark,
            "seen": self.see,
            "count": self.count,
            "check": self.check,
            "skip": self.skip,
            "load": self.load,
        }
        if word in readers:
            readers[word](rest)
        else:
            self.exchange(line)

    def history(self) -> History:
        return History(
            exchanges=tuple(self.exchanges),
            marks=tuple(self.marks),
            seen=tuple(self.seen),
            counts=tuple(self.counts),
            checks=tuple(self.checks),
            skips=tuple(self.skips),
            loads=tuple(self.loads),
        )

    def exchange(self, line: str) -> None:
        phase, colon, rest = line.partition(": ")
        if not colon:
            raise ValueError("there is no phase")
        method, operation, result, *more = shlex.split(rest)
        latency_ms, at_s, identity, marker, times, body = 10.0, float(len(self.exchanges)) / 50.0, "", "", 1, ""
        while more:
            word = more.pop(0)
            if word.endswith("ms") and word[:-2].replace(".", "").isdigit():
                latency_ms = float(word[:-2])
            elif word == "at":
                at_s = float(more.pop(0).rstrip("s"))
            elif word == "as":
                identity = more.pop(0)
            elif word.startswith("marker="):
                marker = word.removeprefix("marker=")
            elif re.fullmatch(r"x\d+", word):
                times = int(word[1:])
            else:
                body = word
        for number in range(1, times + 1):
            named = f"{marker[:-1]}{number}" if marker.endswith("*") else marker
            self.add(phase, method, operation, result, latency_ms, at_s, identity, named, body)

    def add(
        self,
        phase: str,
        method: str,
        operation: str,
        result: str,
        latency_ms: float = 10.0,
        at_s: float = 0.0,
        identity: str = "",
        marker: str = "",
        body: str = "",
        group: int = 0,
    ) -> None:
        status = int(result) if result.isdigit() else None
        self.exchanges.append(
            Exchange(
                operation=operation,
                method=method,
                path=f"/{operation}",
                outcome=_outcome(status) if status is not None else _ERRORS[result],
                status=status,
                error="" if status is not None else result,
                identity=identity,
                marker=marker,
                phase=phase,
                group=group,
                body=body,
                intended_s=at_s,
                sent_s=at_s,
                ended_s=at_s + latency_ms / 1000.0,
            )
        )

    def race(self, rest: str, phase: str = "race") -> None:
        head, _, results = rest.partition(": ")
        times, operation = head.split()
        for _ in range(int(times)):
            self.rounds += 1
            marker = f"m{self.rounds}" if phase != "race" else ""
            for result in results.split():
                self.add(phase, "POST", operation, result, group=self.rounds, marker=marker)

    def race_silently(self, rest: str) -> None:
        self.race(rest.removeprefix("rounds "), "silent race")

    def mark(self, rest: str) -> None:
        words = shlex.split(rest)
        at_s = 0.0
        if "at" in words:
            at_s = float(words[words.index("at") + 1].rstrip("s"))
            words = words[: words.index("at")]
        event, name, detail = [*words, "", ""][:3]
        self.marks.append(Mark(time_s=at_s, event=event, name=name, detail=detail))

    def see(self, rest: str) -> None:
        first, dots, last = rest.partition("..")
        if not dots:
            marker, _, twice = first.partition(" ")
            self.seen.append(Seen(marker=marker, count=2 if twice else 1))
            return
        stem = first.rstrip("0123456789")
        for number in range(int(first[len(stem) :]), int(last[len(stem) :]) + 1):
            self.seen.append(Seen(marker=f"{stem}{number}"))

    def count(self, rest: str) -> None:
        name, x, y = shlex.split(rest)
        self.counts.append(Count(name=name, x=float(x), y=float(y)))

    def check(self, rest: str) -> None:
        subject, variant, _, expected, _, got, result, *index = shlex.split(rest)
        passed = {"passes": True, "fails": False, "open": None}[result]
        exchanges = tuple(int(each[1:]) for each in index)
        self.checks.append(
            Check(subject=subject, variant=variant, expected=expected, got=got, passed=passed, exchanges=exchanges)
        )

    def skip(self, rest: str) -> None:
        subject, _, reason = rest.partition(": ")
        self.skips.append(Skip(subject=subject, reason=reason))

    def load(self, rest: str) -> None:
        rate, *more = shlex.split(rest)
        spoiled = more[:1] == ["spoiled"]
        rate_hz = float(rate.removesuffix("/s"))
        self.loads.append(LoadReport(rate_hz=rate_hz, duration_s=60.0, is_spoiled=spoiled, reason=" ".join(more[1:])))


def _outcome(status: int) -> Outcome:
    if status < 400:
        return Outcome.OK
    return Outcome.FAILED if status < 500 else Outcome.INDEFINITE
