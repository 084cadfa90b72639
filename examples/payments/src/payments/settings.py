"""Every setting, read once from the environment; README.md lists them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Quota: TypeAlias = Annotated[str, Field(pattern=r"^[1-9][0-9]*/[1-9][0-9]*$")]


class Settings(BaseSettings):
    """The names in capitals are the environment variables: DATABASE_URL, GATEWAY_URL, JWT_SECRET ..."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    database_url: str
    """PostgreSQL, with sslmode=verify-full in production."""
    database_pool_max: int = Field(default=16, ge=1)
    """Replicas × this must stay below the server's max_connections."""
    database_acquire_s: float = Field(default=0.75, gt=0)
    """The longest wait for a free connection, opening one included."""
    database_deadline_s: float = Field(default=2.0, gt=0)
    """The longest that one transaction may take, the wait for its connection included."""

    gateway_url: str
    """The payment provider."""
    gateway_attempt_s: float = Field(default=0.8, gt=0)
    gateway_deadline_s: float = Field(default=1.5, gt=0)
    """All attempts of one call together; afterwards the caller gets 202 and the sweep finishes the work."""
    gateway_attempts_max: int = Field(default=2, ge=1)
    gateway_concurrency_max: int = Field(default=24, ge=1)
    """Below requests_max, so that a silent provider never keeps reads waiting; more calls are left to the sweep."""
    gateway_breaker_open_s: float = Field(default=2.0, gt=0)

    jwt_secret: str = Field(min_length=32)
    jwt_issuer: str = "https://payments.example"
    jwt_audience: str = "payments-api"
    jwt_ttl_s: int = Field(default=900, ge=60, le=3600)

    rate_limit: Quota = "6000/60"
    """QUOTA/SECONDS for each signed-in subject, and for each address on public operations."""
    rate_limit_payments: Quota = "1200/60"
    """For each subject, on operations that move money."""
    rate_limit_register: Quota = "60/3600"
    """For each address."""
    rate_limit_login: Quota = "10/60"
    """Failed logins for each e-mail address."""

    requests_max: int = Field(default=64, ge=1)
    """Requests in flight; more are answered with 503 at once, so that the rest are still in time."""
    body_bytes_max: int = Field(default=65536, ge=1024)
    drain_s: float = Field(default=1.0, ge=0)
    """From SIGTERM to closing the door, so that the load balancer sees readiness fall first."""
    shutdown_s: int = Field(default=15, ge=1)
    """The longest wait for requests in flight after that."""
    sweep_interval_s: float = Field(default=0.5, gt=0)
    log_level: str = "INFO"


def load() -> Settings:
    """Raises pydantic's ValidationError, which names each variable that is missing or wrong."""
    return Settings()  # type: ignore[call-arg]
