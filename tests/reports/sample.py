"""A report with everything in it, hostile text included."""

from __future__ import annotations

from nines.model.budget import BudgetResult
from nines.model.budget import Standing as BudgetStanding
from nines.model.experiment import Figure, Trial
from nines.model.finding import Evidence, Finding, Option, Standing
from nines.model.history import Count, Exchange, History, LoadReport, Mark, Outcome, Skip
from nines.model.place import Place, Step
from nines.model.report import Excerpt, Machine, PatternSummary, Readiness, Reading, Report, RuleSummary, Unexamined
from nines.model.rule import Confidence, Severity, Standard, Tier
from nines.model.verdict import Verdict

HOSTILE = "<script>alert('x')</script> & ]]> \x00 \x1b[31m \u202e | `*"


def report() -> Report:
    return Report(
        command="check",
        project="payments " + HOSTILE,
        version="0.1.0",
        started_at="2026-11-22T09:00:00Z",
        duration_s=93.2,
        seed=4711,
        readiness=Readiness.NOT_READY,
        verdict=Verdict.BROKEN,
        says="3 findings (2 of reliability or security); 1 of 3 claims broken",
        findings=(_remote_call(), _wire(), _refuted()),
        excerpts=(
            Excerpt(
                file="app/gateway.py",
                first=10,
                lines=(
                    "def charge(order):",
                    '    """Charges."""',
                    "    payload = {'id': order.id}",
                    "    return requests.post(URL, json=payload)",
                    "",
                    "",
                    f"# {HOSTILE}",
                ),
            ),
            Excerpt(file="app/routes.py", first=40, lines=("async def pay(order):", "    return charge(order)")),
        ),
        rules=(
            RuleSummary(
                id="transactions/remote-call-in-transaction",
                title="A remote call while a transaction is open",
                tier=Tier.RELIABILITY,
                help="# A remote call while a transaction is open\n\nIt holds locks.\n",
                standards=(Standard(id="CWE-667", url="https://cwe.mitre.org/data/definitions/667.html"),),
            ),
        ),
        patterns=(
            PatternSummary(
                id="reserve-call-settle",
                title="Reserve, call, settle " + HOSTILE,
                summary="Commit before the call and after it. " + HOSTILE,
                about=("transactions/remote-call-in-transaction",),
            ),
            PatternSummary(id="deadline", title="Deadline", summary="An end.", about=(_broken().experiment,)),
        ),
        trials=(_steady(), _broken(), _unknown()),
        budgets=(
            BudgetResult(
                name="availability", limit=0.999, unit="share", standing=BudgetStanding.NOT_SHOWN, says="no crash"
            ),
            BudgetResult(
                name="error_rate",
                limit=0.001,
                unit="share",
                standing=BudgetStanding.MET,
                value=0.0,
                bound=0.00099,
                confidence=0.95,
                samples=3000,
                says="0 of 3000 failed",
            ),
            BudgetResult(
                name="latency_p95", limit=200, unit="ms", standing=BudgetStanding.MISSED, value=812.0, bound=901.0
            ),
        ),
        unexamined=(Unexamined(what="app/huge.py " + HOSTILE, reason="larger than 1 MB", count=1, hint="Split it."),),
        reading=Reading(files=12, lines=900, parsed=12, endpoints=9, effects=40, duration_s=0.4, rules=("a/b",)),
        machine=Machine(cores=2, memory_bytes=2**33, system="Linux x86_64", python="3.11.7"),
        stale=("a/b at c.py:1",),
    )


def _remote_call() -> Finding:
    return Finding(
        rule="transactions/remote-call-in-transaction",
        message="POST to the gateway while the transaction of pay is open " + HOSTILE,
        place=Place(file="app/gateway.py", line=13, column=12),
        endpoint="POST /payments",
        endpoints=("POST /payments", "POST /payments/{id}/refund"),
        subject="app.gateway.charge remote_call gateway",
        path=(Step(function="app.gateway.charge", place=Place(file="app/routes.py", line=41)),),
        related=(("the transaction begins here", Place(file="app/routes.py", line=40)),),
        consequence="A slow gateway holds row locks and connections until the pool is empty.",
        tier=Tier.RELIABILITY,
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        standing=Standing.PROVEN,
        options=(Option(title="Commit first", trade_off="Needs a pending state."), Option(title="Outbox")),
        evidence=(Evidence(source="observed trace", says="seen on the wire", supports=True, effort="3 requests"),),
    )


def _wire() -> Finding:
    return Finding(
        rule="database/n-plus-one-query",
        message="12 equal SELECTs of accounts",
        place=None,
        endpoint="GET /payments",
        tier=Tier.PERFORMANCE,
        severity=Severity.MEDIUM,
        standing=Standing.PROVEN,
    )


def _refuted() -> Finding:
    return Finding(
        rule="consistency/check-then-act",
        message="accounts are looked up, then created",
        place=Place(file="app/routes.py", line=41),
        tier=Tier.RELIABILITY,
        severity=Severity.HIGH,
        standing=Standing.REFUTED,
        evidence=(
            Evidence(source="consistency/unique-race", says="60 rounds had one winner", supports=False, effort="60"),
        ),
    )


def _exchanges() -> tuple[Exchange, ...]:
    return tuple(
        Exchange(
            operation="listPayments",
            method="GET",
            path="/payments?q=" + HOSTILE,
            outcome=Outcome.INDEFINITE if index % 50 == 0 else Outcome.OK,
            status=None if index % 50 == 0 else 200,
            error="timeout" if index % 50 == 0 else "",
            intended_s=index / 20,
            sent_s=index / 20,
            ended_s=index / 20 + (0.9 if 200 < index < 260 else 0.004 + (index % 17) / 3000),
        )
        for index in range(400)
    )


def _steady() -> Trial:
    return Trial(
        experiment="load/steady",
        title="Steady load",
        claim="The budgets hold at the target rate.",
        tier=Tier.RELIABILITY,
        verdict=Verdict.HOLDS,
        says="0 of 3000 requests failed",
        figures=(Figure(name="p95", value=12.3, unit="ms", lower=11.0, upper=13.9, confidence=0.95, samples=3000),),
        seed=4711,
        duration_s=20.0,
        history=History(exchanges=_exchanges(), loads=(LoadReport(rate_hz=20, duration_s=20, sent=400),)),
    )


def _broken() -> Trial:
    return Trial(
        experiment="dependencies/dependency-stall",
        title="A dependency stalls",
        claim="Waiting for a stalled dependency is bounded.",
        tier=Tier.RELIABILITY,
        verdict=Verdict.BROKEN,
        says="the longest wait was 30 s " + HOSTILE,
        subjects=(("listPayments", Verdict.BROKEN), ("health", Verdict.HOLDS)),
        reproduction=("curl -i http://127.0.0.1:8000/payments\n# answered: timeout",),
        seed=4711,
        duration_s=18.0,
        history=History(
            exchanges=_exchanges(),
            marks=(
                Mark(time_s=10.0, event="fault on", name="database"),
                Mark(time_s=13.0, event="fault off", name="database"),
            ),
            counts=(
                Count(name="GET /payments", x=1, y=3),
                Count(name="GET /payments", x=20, y=41),
                Count(name="GET /accounts", x=1, y=2),
                Count(name="GET /accounts", x=20, y=2),
            ),
        ),
    )


def _unknown() -> Trial:
    return Trial(
        experiment="consistency/unique-race",
        title="A race for one name",
        claim="Of n identical creates one wins.",
        tier=Tier.RELIABILITY,
        verdict=Verdict.UNKNOWN,
        says="no operation promises uniqueness",
        history=History(
            skips=(
                Skip(subject="createPayment", reason="a second create is accepted"),
                Skip(subject="comments_delete_comment_from_" * 4 + "delete", reason="a name without a space"),
            )
        ),
    )
