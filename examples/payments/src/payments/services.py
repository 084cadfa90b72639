"""Everything that lives as long as the process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from payments.api.pages import Cursors
from payments.edge.middleware import Drain
from payments.edge.rate_limit import RateLimiter, policy
from payments.gateway.client import Gateway
from payments.paying import Paying
from payments.security import Passwords, Tokens
from payments.settings import Settings
from payments.store.database import Database


@dataclass(frozen=True, slots=True)
class Limits:
    default: RateLimiter
    payments: RateLimiter
    register: RateLimiter
    login: RateLimiter


@dataclass(frozen=True, slots=True)
class Services:
    """Made once by the application, and given to the operations that ask for it."""

    settings: Settings
    database: Database
    gateway: Gateway
    paying: Paying
    passwords: Passwords
    tokens: Tokens
    cursors: Cursors
    limits: Limits
    drain: Drain


def assemble(settings: Settings) -> Services:
    """Wires everything together; opens nothing."""
    database = Database(settings)
    gateway = Gateway(settings)
    return Services(
        settings=settings,
        database=database,
        gateway=gateway,
        paying=Paying(database, gateway, settings),
        passwords=Passwords(),
        tokens=Tokens(settings),
        cursors=Cursors(hashlib.sha256(b"cursors" + settings.jwt_secret.encode()).digest()),
        limits=Limits(
            default=RateLimiter(policy("default", settings.rate_limit)),
            payments=RateLimiter(policy("payments", settings.rate_limit_payments)),
            register=RateLimiter(policy("register", settings.rate_limit_register)),
            login=RateLimiter(policy("login", settings.rate_limit_login)),
        ),
        drain=Drain(),
    )
