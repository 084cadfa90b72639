"""What a reliable backend needs at run time."""

from nines_runtime.calls.breaker import Breaker, BreakerOpen
from nines_runtime.calls.bulkhead import Bulkhead, BulkheadFull
from nines_runtime.calls.client import Client
from nines_runtime.calls.credential import Credential
from nines_runtime.calls.deadline import DEADLINE_HEADER, Deadline
from nines_runtime.calls.egress import ANYWHERE, Egress, EgressRefused
from nines_runtime.calls.mail import Mail, Mailer
from nines_runtime.calls.mailbox import FolderMailer, Mailing
from nines_runtime.calls.observer import CallObserver
from nines_runtime.calls.outcome import Declined, Unanswered, Why
from nines_runtime.calls.pace import Pace, TooFast
from nines_runtime.calls.reply import Reply
from nines_runtime.calls.retry import Retry, RetryBudget, retry
from nines_runtime.data.accepting import Accepting, keyed_insert
from nines_runtime.data.audit import Audit
from nines_runtime.data.balances import Balance, Books, LedgerReport, balances, check_ledger, entries_of
from nines_runtime.data.batch import Batch
from nines_runtime.data.brokers import Broker, address_of, broker_at, routed, source_at
from nines_runtime.data.cache import Cache
from nines_runtime.data.consuming import Consumer, ConsumerStatements, Told, data_of
from nines_runtime.data.database import Connection, Database
from nines_runtime.data.embedded import EmbeddedServer
from nines_runtime.data.failures import Conflict, Unavailable, Violated, Violation
from nines_runtime.data.here import Here, Receiver
from nines_runtime.data.identifiers import as_identifier, first_identifier, identifier_of, identifier_text, new_id
from nines_runtime.data.inbox import Inbox
from nines_runtime.data.jobs import Jobs
from nines_runtime.data.keys import Claim, Keys
from nines_runtime.data.ledger import Entry, Ledger
from nines_runtime.data.migrations import Migrated, MigrationError, migrate
from nines_runtime.data.origin import Origin, Task
from nines_runtime.data.outbox import Outbox, everywhere
from nines_runtime.data.purging import purge_expired, purge_old, roll_partitions
from nines_runtime.data.relay import Deliver, Event, relay_queue
from nines_runtime.data.sagas import LocalStep, Overtaken, RemoteStep, Saga, SagaPlan, Sagas
from nines_runtime.data.statements import KeyStatements, LedgerStatements, OutboxStatements, SagaStatements
from nines_runtime.data.subscribers import Subscriber, Subscribers, check_signature, subscribers_of
from nines_runtime.data.tasks import Away, GiveUp, NotNow, Queue, Schedule, TooEarly
from nines_runtime.data.verifying import ChainReport
from nines_runtime.running.application import Application, Started
from nines_runtime.running.local import laptop
from nines_runtime.running.logs import Log
from nines_runtime.running.metrics import Metrics
from nines_runtime.running.migrating import Migrations
from nines_runtime.running.observing import CallMetrics, JobMetrics, PoolMetrics, credentials
from nines_runtime.running.server import run
from nines_runtime.running.settings import Duration, Hidden, SettingsError, Url, read_settings
from nines_runtime.running.traces import Tracer
from nines_runtime.security.apikeys import ApiKey, ApiKeyAuthenticator, ApiKeyTable, KeptKey
from nines_runtime.security.authenticator import FirstOf, TokenAuthenticator
from nines_runtime.security.certificates import CertificateAuthenticator, Clients, LocalAuthority, signed_by
from nines_runtime.security.codes import Code, Codes
from nines_runtime.security.credentials import ClientCredentials
from nines_runtime.security.encryption import Cipher, Lookup, Undecipherable
from nines_runtime.security.guessing import Failures, Guesses, refuse_blocked
from nines_runtime.security.issuing import LocalIssuer, TokenIssuer
from nines_runtime.security.jwks import JwksAuthenticator
from nines_runtime.security.keys import SigningKey, SigningKeys
from nines_runtime.security.openid import LocalProvider, OpenIdProvider, SignIns
from nines_runtime.security.passwords import Passwords
from nines_runtime.security.policy import Policy, known, owner, public, role
from nines_runtime.security.refresh import RefreshStatements, RefreshTokens, Rejected, Rotated
from nines_runtime.security.revocation import Revocations
from nines_runtime.security.secret import Secret, digest_of, is_same
from nines_runtime.security.sessions import Csrf, SessionAuthenticator
from nines_runtime.security.signed_in import SignedIn
from nines_runtime.security.tokens import TokenRefused, TokenRules
from nines_runtime.security.totp import Totp
from nines_runtime.web.answer import Answer
from nines_runtime.web.call import Call
from nines_runtime.web.caller import ANONYMOUS, Authenticator, Caller, Headers
from nines_runtime.web.edge import Edge
from nines_runtime.web.frameworks import caller_with, problems, service_of
from nines_runtime.web.gate import Gate
from nines_runtime.web.limits import Limiter, LocalLimiter, Quota
from nines_runtime.web.middleware import BodyLimit, RateLimit, RequestContext
from nines_runtime.web.operations import Key, Limit, Operation, Operations
from nines_runtime.web.pages import LARGEST_ID, LATEST, Cursors, Page
from nines_runtime.web.problem import KINDS, Problem
from nines_runtime.web.redis_limits import RedisLimiter

__version__ = "0.1.0"
__all__ = [
    "ANONYMOUS",
    "ANYWHERE",
    "DEADLINE_HEADER",
    "KINDS",
    "LARGEST_ID",
    "LATEST",
    "Accepting",
    "Answer",
    "ApiKey",
    "ApiKeyAuthenticator",
    "ApiKeyTable",
    "Application",
    "Audit",
    "Authenticator",
    "Away",
    "Balance",
    "Batch",
    "BodyLimit",
    "Books",
    "Breaker",
    "BreakerOpen",
    "Broker",
    "Bulkhead",
    "BulkheadFull",
    "Cache",
    "Call",
    "CallMetrics",
    "CallObserver",
    "Caller",
    "CertificateAuthenticator",
    "ChainReport",
    "Cipher",
    "Claim",
    "Client",
    "ClientCredentials",
    "Clients",
    "Code",
    "Codes",
    "Conflict",
    "Connection",
    "Consumer",
    "ConsumerStatements",
    "Credential",
    "Csrf",
    "Cursors",
    "Database",
    "Deadline",
    "Declined",
    "Deliver",
    "Duration",
    "Edge",
    "Egress",
    "EgressRefused",
    "EmbeddedServer",
    "Entry",
    "Event",
    "Failures",
    "FirstOf",
    "FolderMailer",
    "Gate",
    "GiveUp",
    "Guesses",
    "Headers",
    "Here",
    "Hidden",
    "Inbox",
    "JobMetrics",
    "Jobs",
    "JwksAuthenticator",
    "KeptKey",
    "Key",
    "KeyStatements",
    "Keys",
    "Ledger",
    "LedgerReport",
    "LedgerStatements",
    "Limit",
    "Limiter",
    "LocalAuthority",
    "LocalIssuer",
    "LocalLimiter",
    "LocalProvider",
    "LocalStep",
    "Log",
    "Lookup",
    "Mail",
    "Mailer",
    "Mailing",
    "Metrics",
    "Migrated",
    "MigrationError",
    "Migrations",
    "NotNow",
    "OpenIdProvider",
    "Operation",
    "Operations",
    "Origin",
    "Outbox",
    "OutboxStatements",
    "Overtaken",
    "Pace",
    "Page",
    "Passwords",
    "Policy",
    "PoolMetrics",
    "Problem",
    "Queue",
    "Quota",
    "RateLimit",
    "Receiver",
    "RedisLimiter",
    "RefreshStatements",
    "RefreshTokens",
    "Rejected",
    "RemoteStep",
    "Reply",
    "RequestContext",
    "Retry",
    "RetryBudget",
    "Revocations",
    "Rotated",
    "Saga",
    "SagaPlan",
    "SagaStatements",
    "Sagas",
    "Schedule",
    "Secret",
    "SessionAuthenticator",
    "SettingsError",
    "SignIns",
    "SignedIn",
    "SigningKey",
    "SigningKeys",
    "Started",
    "Subscriber",
    "Subscribers",
    "Task",
    "TokenAuthenticator",
    "TokenIssuer",
    "TokenRefused",
    "TokenRules",
    "Told",
    "TooEarly",
    "TooFast",
    "Totp",
    "Tracer",
    "Unanswered",
    "Unavailable",
    "Undecipherable",
    "Url",
    "Violated",
    "Violation",
    "Why",
    "address_of",
    "as_identifier",
    "balances",
    "broker_at",
    "caller_with",
    "check_ledger",
    "check_signature",
    "credentials",
    "data_of",
    "digest_of",
    "entries_of",
    "everywhere",
    "first_identifier",
    "identifier_of",
    "identifier_text",
    "is_same",
    "keyed_insert",
    "known",
    "laptop",
    "migrate",
    "new_id",
    "owner",
    "problems",
    "public",
    "purge_expired",
    "purge_old",
    "read_settings",
    "refuse_blocked",
    "relay_queue",
    "retry",
    "role",
    "roll_partitions",
    "routed",
    "run",
    "service_of",
    "signed_by",
    "source_at",
    "subscribers_of",
]
