"""What is tested of this design, one kind of test after the other."""

from __future__ import annotations

from nines.checkers.binomial import samples_needed
from nines.dossier.markdown import bullets, code, fence, link, table
from nines.dossier.words import count, duration, share
from nines.model.design import Design, FailureMode, StepKind

FAILURES = (0, 1, 5)
_P95 = 0.95
_CONTRACT = "contract:"


def p95_samples() -> int:
    """The fewest answers of which one lies above the p95 with 95 % confidence."""
    return samples_needed(0, 1 - _P95)


def unit(design: Design) -> str:
    blueprint = design.blueprint
    if blueprint is None:
        return "What the service's own functions do is not in what was read of it; its owner knows."
    rows = []
    for resource in blueprint.resources:
        states = tuple(dict.fromkeys([*(s.name for s in resource.states), *(t for s in resource.states for t in s.to)]))
        if states:
            allowed = [f"{s.name} → {target}" for s in resource.states for target in s.to]
            refused = len(states) * (len(states) - 1) - len(allowed)
            says = f"allowed: {', '.join(allowed)}; the other {refused} moves are refused"
            rows.append((code(resource.name), says))
        rows += [
            (code(resource.name), f"holds for every row, and a row that breaks it is refused: {code(each)}")
            for each in resource.invariants
        ]
    hooks = [(each.hook, each.name) for each in blueprint.operations if each.hook]
    hooks += [(each.hook, each.name) for each in blueprint.jobs if each.hook]
    rows += [
        (
            code(hook),
            f"the owner's function behind {code(name)}: its own cases; a failure in it leaves nothing half done",
        )
        for hook, name in hooks
    ]
    return (
        table(("of what", "what"), rows)
        or "There is no state, no invariant and no function of the owner's: nothing to test without the parts "
        "around it."
    )


def integration(design: Design) -> str:
    branches = [branch for each in design.endpoints for step in each.flow.steps for branch in step.branches]
    branches += [branch for job in design.jobs for step in job.flow.steps for branch in step.branches]
    indexed = [each for each in design.queries if each.index]
    found = []
    if design.queries:
        found.append(
            f"Each of the {count(len(design.queries))} statements runs on PostgreSQL with the real schema, and "
            f"{count(len(indexed))} of them use "
            "the index that they name, on tables filled to the size of a year (`EXPLAIN`)."
        )
    if branches:
        found.append(
            f"Each of the {count(len(branches))} branches of the flows is taken once: what was left is what the "
            "branch says."
        )
    keyed = [each.id for each in design.endpoints if each.idempotency]
    if keyed:
        found.append(
            f"A key repeated one after the other and at once, with the same body and another, on {_listed(keyed)}: "
            "one effect."
        )
    matched = [each.id for each in design.endpoints if each.needs_if_match]
    if matched:
        found.append(
            f"Two changes at once under the same ETag, on {_listed(matched)}: one takes place, the other gets 412."
        )
    found += [
        f"{code(job.name)}: a worker dies after its claim, and another takes the piece up when the lease ends; after "
        f"{job.attempts_max} attempts it is a dead letter."
        for job in design.jobs
        if job.dead_letter
    ]
    called = {step.target for each in design.endpoints for step in each.flow.calls}
    if called:
        found.append(
            f"No call to {_listed(sorted(called))} while a transaction is open, told by the proxies of `nines prove`."
        )
    if design.migrations:
        found.append(
            "The version before this one passes its own tests on the schema after the expansion, and on the one "
            "before the contraction."
        )
    if any(step.kind is StepKind.PUBLISH for job in design.jobs for step in job.flow.steps) or design.events:
        found.append(
            "An event is told if and only if its change was committed; a consumer that gets it twice acts once."
        )
    return bullets(found) or "Nothing is known of what stands behind the operations."


def contract(design: Design) -> str:
    answers = [(each, answer) for each in design.endpoints for answer in each.answers]
    if not answers:
        return "What the operations answer with is not known: the contract comes first."
    problems = {answer.problem for _, answer in answers if answer.problem}
    openapi = link("openapi.yaml", "../contract/openapi.yaml")
    found = [
        f"Each of the {count(len(answers))} answers ({count(len(design.endpoints))} operations) is provoked once "
        "and compared with "
        f"{openapi}: status, headers, body, nothing beside.",
        f"{count(len(problems))} kinds of problem, each as RFC 9457 wants it." if problems else "",
        "Every input that is not in the contract is refused with a 4xx that is: `contract/no-5xx` makes them.",
    ]
    checked = "nines design blueprint.yaml --output dossier --check"
    return "\n\n".join(
        (
            bullets(each for each in found if each),
            fence(
                "sh",
                f"nines prove --only contract/no-5xx\n{checked}"
                if not design.is_recovered
                else "nines prove --only contract/no-5xx",
            ),
            "The second fails when the dossier, and with it the contract, is not what the blueprint says."
            if not design.is_recovered
            else "",
        )
    ).strip()


def load(design: Design) -> str:
    error_rate = design.budgets.error_rate
    steady = design.demand.steady_hz if design.demand else 0.0
    rows = []
    for failures in FAILURES if 0 < error_rate < 1 else ():
        needed = samples_needed(failures, error_rate)
        lasts = duration(max(1.0, round(needed / steady))) if steady else "not known"
        rows.append((str(failures), count(needed), lasts))
    promised = sorted({each.threshold_s or 0.0 for each in design.running.objectives if each.indicator == "latency"})
    return "\n\n".join(
        part
        for part in (
            f"At the steady load{f' of {steady:g}/s' if steady else ''}, in an open loop: a request is sent when "
            "it is due, whether or not "
            "the one before it was answered.",
            table(
                (
                    "failures",
                    f"requests that show an error rate below {share(error_rate)} (95 %)",
                    "at the steady load",
                ),
                rows,
            ),
            f"A p95 ({', '.join(map(duration, promised))}) has an upper bound from {p95_samples()} answers of an "
            "operation; the rare ones need "
            "the longest."
            if promised
            else "",
            _rare(design),
            fence("sh", "nines prove --only load/steady\nnines prove --only database/n-plus-one"),
        )
        if part
    )


def _rare(design: Design) -> str:
    known = [(each.id, each.steady_hz) for each in design.endpoints if each.steady_hz]
    if not known:
        return ""
    rarest = min(known, key=lambda each: each[1])
    lasts = duration(max(1.0, round(p95_samples() / rarest[1])))
    weigh = code("load.operations")
    return f"The rarest, {code(rarest[0])}, has {p95_samples()} answers after {lasts} of it: weigh it up in {weigh}."


def chaos(design: Design) -> str:
    rows = [_failure(each) for each in design.failures]
    commands = sorted({each.tried_by for each in design.failures if "/" in each.tried_by})
    told = table(("", "of", "fails by", "callers see", "noticed by", "tried by"), rows)
    told = told or "What it depends on fails in the usual ways; which they are here is not known."
    usual = ["crash/durable-kill", "dependencies/dependency-reset", "dependencies/dependency-stall"]
    lines = "\n".join(
        f"nines prove --only {each}"
        for each in dict.fromkeys([*(each for each in commands if _is_experiment(each)), *usual])
    )
    return "\n\n".join((told, fence("sh", lines)))


def _failure(mode: FailureMode) -> tuple[str, ...]:
    return (
        mode.id,
        code(mode.dependency),
        mode.mode,
        mode.caller_sees,
        code(mode.alert) if mode.alert else "nothing",
        code(mode.tried_by) if mode.tried_by else "a drill, by hand",
    )


def _is_experiment(id: str) -> bool:
    return id.partition("/")[0] in ("crash", "dependencies", "load", "database", "consistency", "contract", "security")


def security(design: Design) -> str:
    by: dict[str, list[str]] = {}
    untried = []
    for threat in design.threats:
        for trial in threat.trials:
            by.setdefault(trial, []).append(threat.id)
        if not threat.trials:
            untried.append(threat.id)
    tools = sorted(each for each in by if not each.startswith(_CONTRACT))
    contract_tests = sorted(each for each in by if each.startswith(_CONTRACT))
    rows = [(code(each), _ids(by[each])) for each in tools]
    rows += [(code(each), _ids(by[each])) for each in contract_tests]
    secured = [each for each in design.endpoints if not each.is_public]
    roles = [role.name for role in design.roles]
    matrix = (
        f"{count(len(secured))} operations are secured: without a credential, with a meaningless, an altered, an "
        "unsigned and an expired one "
        f"each is refused with 401, and as {_listed([*roles, 'another person of the same role'])} by what the "
        "matrix of the security "
        "chapter says."
        if secured and not design.is_recovered
        else ""
    )
    return "\n\n".join(
        part
        for part in (
            matrix,
            table(("tried by", "threats"), rows),
            f"By nothing yet: {_ids(untried)}." if untried else "",
            f"{code('contract:operation/status/problem')} is the contract test that provokes this answer."
            if contract_tests
            else "",
            fence(
                "sh",
                "nines review .\nnines prove --only security/authentication\nnines prove --only "
                "security/object-authorization",
            ),
        )
        if part
    )


def _ids(ids: list[str]) -> str:
    return ", ".join(dict.fromkeys(ids))


def _listed(names: list[str], most: int = 8) -> str:
    shown = ", ".join(code(each) for each in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
