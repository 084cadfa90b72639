"""What objectives, alerts and metrics are called; a failure mode names them with these functions.

An alert is called after the service, what it is about, and what happens, in Pascal case: PaymentsGatewayBreakerOpen.
One that watches a budget is called after its objective: payments-availability has PaymentsAvailabilityBurnsFast,
-BurnsSteadily and -BurnsSlowly."""

from __future__ import annotations

from nines.planning.data.names import kebab, words

REQUEST_SECONDS = "http_request_duration_seconds"
REQUESTS_IN_FLIGHT = "http_requests_in_flight"
REQUESTS_SHED = "http_requests_shed_total"
REPLAYS = "idempotency_replays_total"
POOL_IN_USE = "database_pool_connections_in_use"
POOL_MAX = "database_pool_connections_max"
POOL_WAIT_SECONDS = "database_pool_wait_seconds"
CALL_SECONDS = "dependency_call_duration_seconds"
CALLS_IN_FLIGHT = "dependency_calls_in_flight"
RETRIES = "dependency_retries_total"
BREAKER_OPEN = "dependency_breaker_open"
TASK_DELAY_SECONDS = "task_delay_seconds"
TASK_OLDEST_SECONDS = "task_oldest_seconds"
TASK_DEAD = "task_dead_total"
TASK_SUCCESS_SECONDS = "task_last_success_timestamp_seconds"
TASK_INTERVAL_SECONDS = "task_interval_seconds"
CREDENTIAL_EXPIRY_SECONDS = "credential_expiry_timestamp_seconds"
PROCESSOR_SECONDS = "process_cpu_seconds_total"
MEMORY_BYTES = "process_resident_memory_bytes"

FAST, STEADILY, SLOWLY = "BurnsFast", "BurnsSteadily", "BurnsSlowly"
"""How an error budget burns: what wakes somebody within minutes, within the hour, and what is a ticket."""


def pascal(*names: str) -> str:
    return "".join(word.capitalize() for name in names for word in words(name)) or "Service"


def objective(service: str, indicator: str, of: str = "") -> str:
    """The id of an objective: "payments-availability", "payments-latency-200ms"."""
    return "-".join(part for part in (kebab(service) or "service", indicator, of) if part)


def burn(objective_id: str, how: str) -> str:
    """One of the alerts that watch an objective; `how` is FAST, STEADILY or SLOWLY."""
    return pascal(objective_id) + how


def down(deployable: str) -> str:
    return f"{pascal(deployable)}Down"


def replicas_missing(deployable: str) -> str:
    return f"{pascal(deployable)}ReplicasMissing"


def autoscaler_at_most(deployable: str) -> str:
    return f"{pascal(deployable)}AutoscalerAtMost"


def pool_exhausted(service: str, dependency: str) -> str:
    return f"{pascal(service, dependency)}PoolExhausted"


def standby_missing(service: str, dependency: str) -> str:
    """No copy of the database follows it."""
    return f"{pascal(service, dependency)}StandbyMissing"


def replication_lags(service: str, dependency: str) -> str:
    return f"{pascal(service, dependency)}ReplicationLags"


def archive_stopped(service: str, dependency: str) -> str:
    """The log that backups live on is no longer copied away."""
    return f"{pascal(service, dependency)}ArchiveStopped"


def disk_fills(service: str, dependency: str) -> str:
    return f"{pascal(service, dependency)}DiskFills"


def breaker_open(service: str, dependency: str) -> str:
    return f"{pascal(service, dependency)}BreakerOpen"


def tasks_stale(service: str) -> str:
    """Work waits for longer than the recovery budget: the outbox, queues, reservations left behind."""
    return f"{pascal(service)}TasksStale"


def tasks_dead(service: str) -> str:
    """Work was given up and waits for a person."""
    return f"{pascal(service)}TasksDead"


def tasks_overdue(service: str) -> str:
    """A scheduled job has not ended well for several of its turns."""
    return f"{pascal(service)}TasksOverdue"


def credential_expires_soon(service: str) -> str:
    return f"{pascal(service)}CredentialExpiresSoon"


def credential_expires(service: str) -> str:
    return f"{pascal(service)}CredentialExpires"


def sign_ins_refused(service: str) -> str:
    """More sign-ins fail than succeed: passwords are being tried."""
    return f"{pascal(service)}SignInsRefused"


def runbook(alert: str) -> str:
    """Its path within the dossier."""
    return f"operation/runbooks/{alert}.md"
