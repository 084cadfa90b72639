"""What a reliable backend needs at run time."""

from nines_runtime.data.accepting import Accepting, keyed_insert
from nines_runtime.data.audit import Audit, ChainReport
from nines_runtime.data.batch import Batch
from nines_runtime.data.database import Database
from nines_runtime.data.embedded import EmbeddedServer
from nines_runtime.data.failures import Conflict, Unavailable, Violated, Violation
from nines_runtime.data.identifiers import identifier_of, identifier_text, new_id
from nines_runtime.data.jobs import GiveUp, Jobs, Queue, Schedule, TooEarly
from nines_runtime.data.keys import Claim, Keys
from nines_runtime.data.ledger import Entry, Ledger
from nines_runtime.data.origin import Origin, Task
from nines_runtime.data.outbox import Outbox, everywhere
from nines_runtime.data.statements import KeyStatements, LedgerStatements, OutboxStatements, SagaStatements
from nines_runtime.web.answer import Answer
from nines_runtime.web.call import Call
from nines_runtime.web.caller import ANONYMOUS, Authenticator, Caller, Headers
from nines_runtime.web.edge import Edge
from nines_runtime.web.operations import Key, Limit, Operation, Operations
from nines_runtime.web.pages import Cursors, Page
from nines_runtime.web.problem import KINDS, Problem

__version__ = "0.1.0"
__all__ = [
    "ANONYMOUS",
    "KINDS",
    "Accepting",
    "Answer",
    "Audit",
    "Authenticator",
    "Batch",
    "Call",
    "Caller",
    "ChainReport",
    "Claim",
    "Conflict",
    "Cursors",
    "Database",
    "Edge",
    "EmbeddedServer",
    "Entry",
    "GiveUp",
    "Headers",
    "Jobs",
    "Key",
    "KeyStatements",
    "Keys",
    "Ledger",
    "LedgerStatements",
    "Limit",
    "Operation",
    "Operations",
    "Origin",
    "Outbox",
    "OutboxStatements",
    "Page",
    "Problem",
    "Queue",
    "SagaStatements",
    "Schedule",
    "Task",
    "TooEarly",
    "Unavailable",
    "Violated",
    "Violation",
    "everywhere",
    "identifier_of",
    "identifier_text",
    "keyed_insert",
    "new_id",
]
