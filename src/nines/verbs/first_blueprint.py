"""A first blueprint of a service, with comments that say what to think about next."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence

from nines.model.record import Record
from nines.verbs.answers import CALLERS, LOSSES, SENSITIVITIES, TIERS, Answers, Assumption, Caller

_ISSUED = frozenset({"oidc", "oauth2-jwt"})
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 -]*[A-Za-z0-9])?")
_NOT_TEXT = frozenset({"true", "false", "null"})
"""Words that YAML takes for something else."""
_VERBS = {
    "create": "create",
    "add": "create",
    "get": "read",
    "read": "read",
    "list": "list",
    "find": "list",
    "update": "update",
    "change": "update",
    "delete": "delete",
    "remove": "delete",
}
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_PEAK = 5
"""Times the ordinary load, where nobody said the peak."""
_RATE = re.compile(r"([0-9.]+) ?/ ?([a-z]+)")
_PERIODS_S = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}
_RATE_MAX_HZ = 1e9
_POOL = 8
_REPLICAS_USUAL = 10
_CONNECTIONS_USUAL = 200
_BUSY_S = 0.008
"""How long a request keeps a connection, with room for waiting."""
_PROCESS_HZ = 2_500.0
"""What one process with one core carries safely."""
_SPARE = 1.3
"""A rolling deployment, and a few sessions for people."""


def written(
    answers: Answers,
    *,
    keeps: Sequence[str],
    operations: Sequence[str],
    calls: Sequence[str],
    open_questions: Sequence[Assumption],
) -> str:
    """The YAML; whatever the answers are, it is read without a problem."""
    tier = answers.tier or "standard"
    caller = CALLERS[answers.callers or "people"]
    least = TIERS[tier].replicas_min
    replicas = _replicas(answers)
    found = _operations(keeps, operations)
    lines = [
        *_head(answers, tier),
        *_load(answers),
        *_callers(answers, caller),
        *_resources(answers, keeps, caller),
        *_operation_lines(answers, found, caller),
        *_dependencies(answers, calls, replicas),
        "",
        "# How often one caller may ask; whoever asks more gets 429 and is told when to come again.",
        f"limits: {{default: {caller.limit}}}",
        *_events(answers, calls),
        "",
        f"deploy: {{platform: {answers.platform or 'kubernetes'}, replicas: {{min: {least}, max: {replicas}}}}}",
        *_open(open_questions),
    ]
    return "\n".join(lines) + "\n"


def _head(answers: Answers, tier: str) -> Iterator[str]:
    promised = TIERS[tier]
    rpo, _ = LOSSES[answers.loss or "nothing"]
    yield "# Completion in an editor: nines design --schema > nines-blueprint-1.json"
    yield "# yaml-language-server: $schema=./nines-blueprint-1.json"
    yield "# Every key, with its meaning: nines design --vocabulary. Then: nines design blueprint.yaml -o dossier"
    yield "nines: 1"
    yield f"service: {{name: {answers.name or 'my-service'}, api: v1, tier: {tier}}}"
    yield ""
    yield "# What is promised; nines refuses promises that contradict one another or the rest of this file."
    yield "budgets:"
    yield f"  availability: {promised.availability}"
    yield f"  errors: {promised.errors}"
    yield f"  p95: {answers.p95 or '200ms'}"
    yield f"  recovery: {promised.recovery}"
    yield f"  rpo: {rpo}"


def _load(answers: Answers) -> Iterator[str]:
    steady = answers.steady or "10/s"
    yield f"load: {{steady: {steady}, peak: {_peak(answers)}, growth: {answers.growth or '2x/y'}}}"


def _peak(answers: Answers) -> str:
    if answers.peak:
        return answers.peak
    match = _RATE.fullmatch(answers.steady or "10/s")
    assert match is not None
    most = _RATE_MAX_HZ * _PERIODS_S[match[2]]
    return f"{min(float(match[1]) * _PEAK, most):.9f}".rstrip("0").rstrip(".") + f"/{match[2]}"


def _replicas(answers: Answers) -> int:
    """Processes that carry the peak, and whose pools do."""
    match = _RATE.fullmatch(_peak(answers))
    assert match is not None
    peak_hz = float(match[1]) / _PERIODS_S[match[2]]
    return min(max(_REPLICAS_USUAL, math.ceil(peak_hz / _PROCESS_HZ), math.ceil(peak_hz * _BUSY_S / _POOL)), 10_000)


def _callers(answers: Answers, caller: Caller) -> Iterator[str]:
    issuer = ', issuer: "${OIDC_ISSUER}"' if caller.scheme in _ISSUED else ""
    yield ""
    yield "# Who calls, and how a caller shows who it is."
    yield f"auth: {{scheme: {caller.scheme}{issuer}, algs: [EdDSA, ES256]}}"
    yield f"roles: {{{caller.role}: {{}}}}"
    if answers.tenant not in ("", "none"):
        yield f"tenancy: {{key: {answers.tenant}, isolation: row}}"


def _resources(answers: Answers, keeps: Sequence[str], caller: Caller) -> Iterator[str]:
    kept = SENSITIVITIES[answers.data or "personal"]
    access = _access(answers, caller)
    protected = (", pii: true" if kept.is_personal else "") + (", encrypted: true" if kept.is_encrypted else "")
    read = "public" if _is_public(answers, caller) else access
    yield ""
    yield "# What is kept. Add fields, states with those that may follow, unique keys and invariants."
    yield "resources:"
    for name in keeps:
        yield f"  {_key(name)}:"
        yield f"    fields: {{name: {{type: string, max: 200{protected}}}}}"
        yield f"    access: {{read: {read}, list: {read}, write: {access}}}"
        yield f"    audit: {kept.audit}"
        yield f"    retention: {kept.retention}"


def _access(answers: Answers, caller: Caller) -> str:
    """Whoever signed in may be of another tenant."""
    return "tenant" if answers.tenant not in ("", "none") and caller.access == "authenticated" else caller.access


def _is_public(answers: Answers, caller: Caller) -> bool:
    """Whether anybody may read: never what is personal."""
    return caller.is_public and not SENSITIVITIES[answers.data or "personal"].is_personal


class _Operation(Record):
    name: str
    on: str
    do: str


def _operations(keeps: Sequence[str], names: Sequence[str]) -> tuple[_Operation, ...]:
    if names:
        return tuple(_understood(name, keeps) for name in names)
    verbs = ("create", "get", "list", "update", "delete")
    found = {
        name: _Operation(name=name, on=each, do=_VERBS[verb])
        for each in keeps
        for verb in verbs
        for name in (f"{verb}{_plural(each) if verb == 'list' else each}",)
    }
    return tuple(found.values())


def _understood(name: str, keeps: Sequence[str]) -> _Operation:
    """ "listOrders" lists Order; a verb that says nothing is a function of the owner's."""
    verb = (_WORD.findall(name) or [""])[0]
    rest = name[len(verb) :]
    about = [each for each in keeps if rest in (each, _plural(each))] or [each for each in keeps if each in rest]
    on = max(about, key=len, default=keeps[0])
    return _Operation(name=name, on=on, do=_VERBS.get(verb, "custom"))


def _plural(name: str) -> str:
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "ch", "sh")) else f"{name}s"


def _operation_lines(answers: Answers, found: Sequence[_Operation], caller: Caller) -> Iterator[str]:
    yield ""
    yield "# What callers may do; `share` says how the load is spread over them."
    yield "operations:"
    for each in found:
        told = [f"on: {each.on}", f"do: {each.do}"]
        told += [f"hook: {_snake(each.name)}"] if each.do == "custom" else []
        is_open = each.do in ("read", "list") and _is_public(answers, caller)
        told += ["public: true" if is_open else f"roles: [{caller.role}]"]
        told += ["idempotency: required"] if each.do in ("create", "custom") else []
        told += ["if_match: required"] if each.do in ("update", "delete") else []
        told += ['order: "created_at desc"', "page: {default: 50, max: 200}"] if each.do == "list" else []
        yield f"  {_key(each.name)}: {{{', '.join(told)}}}"


def _snake(name: str) -> str:
    return "_".join(word.lower() for word in _WORD.findall(name))[:40].rstrip("_")


def _dependencies(answers: Answers, calls: Sequence[str], replicas: int) -> Iterator[str]:
    _, replication = LOSSES[answers.loss or "nothing"]
    connections = max(_CONNECTIONS_USUAL, math.ceil(replicas * _POOL * _SPARE))
    yield ""
    yield "# What it needs of others. Secrets and addresses stand in the environment."
    yield "dependencies:"
    yield f"  {_free('db', calls)}:"
    yield f"    {{type: postgres, need: hard, replication: {replication}, pool: {_POOL}, connections: {connections}}}"
    if answers.stale not in ("", "never"):
        yield f"  # Answers may be {answers.stale} old: what is read often is kept here."
        yield f"  {_free('cache', calls)}: {{type: redis, need: soft, timeout: 50ms, p95: 2ms, fallback: default}}"
    if answers.broker not in ("", "none"):
        yield f"  {_free('bus', calls)}: {{type: {answers.broker}, need: soft, fallback: queue}}"
    for name in calls:
        yield f"  # Name it where it is called (calls: [{name}.verb]), and say its p95 when it was measured."
        yield f"  {_key(name)}:"
        yield f'    {{type: http, need: soft, url: "${{{_variable(name)}}}", external: true,'
        yield "     timeout: 2s, retry: {max: 2, only: idempotent}, breaker: {errors: 50%, of: 20, open: 15s},"
        yield "     bulkhead: 32, fallback: queue}"


def _free(name: str, taken: Sequence[str]) -> str:
    return name if name not in taken else f"own-{name}"


def _variable(name: str) -> str:
    return f"{name.upper().replace('-', '_')}_URL"


def _events(answers: Answers, calls: Sequence[str]) -> Iterator[str]:
    broker = f", broker: {_free('bus', calls)}" if answers.broker not in ("", "none") else ""
    yield ""
    yield "# What others hear of: add events such as `order.shipped: {version: 1}`, and `emits` to operations."
    yield f"events: {{transport: outbox{broker}}}"


def _open(questions: Sequence[Assumption]) -> Iterator[str]:
    if not questions:
        return
    yield ""
    yield "# Nobody answered these yet. Answer one by changing what was assumed, and take it out."
    yield "open:"
    for each in questions:
        yield f"  - path: {each.path}"
        yield f"    question: {_quoted(each.question)}"
        yield f"    assumed: {_quoted(each.assumed)}"
        yield f"    matters: {_quoted(each.matters)}"


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    return json.dumps(name) if name.lower() in _NOT_TEXT else name
