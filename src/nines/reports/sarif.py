"""SARIF 2.1.0 (OASIS), as code scanning services read it."""

from __future__ import annotations

from typing import Any

import msgspec

from nines.model import page
from nines.model.errors import SourceError
from nines.model.finding import Finding, Standing
from nines.model.place import Place
from nines.model.report import Report, RuleSummary
from nines.model.rule import Severity

SUFFIX = ".sarif"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
_SECURITY_SEVERITY = {
    Severity.CRITICAL: "9.0",
    Severity.HIGH: "7.5",
    Severity.MEDIUM: "5.0",
    Severity.LOW: "3.0",
}
"""Scores in the bands that code scanning services show as critical, high, medium and low."""


def render(report: Report, *, width: int, is_coloured: bool) -> str:  # noqa: ARG001
    """One run with one result for each finding; refuted ones are kept as suppressed results."""
    described = {rule.id: rule for rule in report.rules}
    ids = sorted({finding.rule for finding in report.findings} | set(described))
    index = {id: position for position, id in enumerate(ids)}
    run = {
        "tool": {
            "driver": {
                "name": "nines",
                "semanticVersion": report.version,
                "rules": [_rule(id, described.get(id), report) for id in ids],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [_result(finding, index) for finding in report.findings],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _rule(id: str, rule: RuleSummary | None, report: Report) -> dict[str, Any]:
    severity = min((f.severity for f in report.findings if f.rule == id), key=lambda s: s.rank, default=Severity.LOW)
    described: dict[str, Any] = {"id": id, "defaultConfiguration": {"level": _LEVELS[severity]}}
    if rule is None:
        return described
    tags = [rule.tier.value, *(standard.id for standard in rule.standards)]
    properties: dict[str, Any] = {"tags": tags, "tier": rule.tier.value}
    if rule.tier.value == "security":
        properties["security-severity"] = _SECURITY_SEVERITY[severity]
    described |= {
        "name": "".join(part.title() for part in id.rsplit("/", 1)[-1].split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": _lead(rule)},
        "help": {"text": _help(rule, report), "markdown": _help(rule, report)},
        "properties": properties,
    }
    urls = [standard.url for standard in rule.standards if standard.url]
    return described | ({"helpUri": urls[0]} if urls else {})


def _help(rule: RuleSummary, report: Report) -> str:
    """The rule's page, and what to do instead."""
    found = report.patterns_of(rule.id)
    lines = [f"- **{pattern.title}** (`nines explain {pattern.id}`): {pattern.summary}" for pattern in found]
    return "\n".join([rule.help.rstrip(), "", "## Patterns", "", *lines, ""]) if lines else rule.help


def _lead(rule: RuleSummary) -> str:
    try:
        return page.parse(rule.help, rule.id).lead or rule.title
    except SourceError:
        return rule.title


def _invocation(report: Report) -> dict[str, Any]:
    """What was not examined travels as notifications, so that silence is not taken for a pass."""
    notes = [
        {"level": "note", "message": {"text": f"not examined: {item.what}: {item.reason} ({item.count})"}}
        for item in report.unexamined
    ]
    return {"executionSuccessful": True, "toolExecutionNotifications": notes}


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    text = finding.message + (f". {finding.consequence}" if finding.consequence else "")
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_location(finding.place)] if finding.place else [],
        "partialFingerprints": {"nines/v1": finding.fingerprint},
        "properties": {
            "tier": finding.tier.value,
            "confidence": finding.confidence.value,
            "standing": finding.standing.value,
            "endpoints": list(finding.endpoints),
        },
    }
    if finding.path and finding.place:
        result["codeFlows"] = [{"threadFlows": [{"locations": _flow(finding, finding.place)}]}]
    if finding.related:
        result["relatedLocations"] = [
            _location(place) | {"id": position, "message": {"text": words}}
            for position, (words, place) in enumerate(finding.related)
        ]
    if finding.standing is Standing.REFUTED:
        says = "; ".join(evidence.says for evidence in finding.evidence)
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": f"refuted: {says}"}]
    return result


def _flow(finding: Finding, place: Place) -> list[dict[str, Any]]:
    steps = [(step.place, f"calls {step.function}") for step in finding.path]
    steps.append((place, finding.message))
    return [{"location": _location(at) | {"message": {"text": words}}} for at, words in steps]


def _location(place: Place) -> dict[str, Any]:
    region = {"startLine": max(1, place.line), "startColumn": max(1, place.column)}
    if place.end_line > place.line:
        region["endLine"] = place.end_line
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(place.file), "uriBaseId": "%SRCROOT%"}, "region": region}
    }


def _uri(file: str) -> str:
    """A relative path as a URI reference (RFC 3986): spaces and percent signs must be encoded."""
    kept = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/"
    return "".join(c if c in kept else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "replace")) for c in file)
