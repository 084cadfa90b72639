"""What a reliable backend needs at run time."""

from nines_runtime.data.audit import Audit, ChainReport
from nines_runtime.data.batch import Batch
from nines_runtime.data.database import Database
from nines_runtime.data.failures import Conflict, Unavailable, Violated, Violation
from nines_runtime.data.identifiers import identifier_of, identifier_text, new_id
from nines_runtime.data.jobs import GiveUp, Jobs, Queue, Schedule, TooEarly
from nines_runtime.data.keys import Claim, Keys
from nines_runtime.data.ledger import Entry, Ledger
from nines_runtime.data.origin import Origin, Task
from nines_runtime.data.outbox import Outbox, everywhere
from nines_runtime.data.statements import KeyStatements, LedgerStatements, OutboxStatements, SagaStatements

__all__ = [
    "Audit",
    "Batch",
    "ChainReport",
    "Claim",
    "Conflict",
    "Database",
    "Entry",
    "GiveUp",
    "Jobs",
    "KeyStatements",
    "Keys",
    "Ledger",
    "LedgerStatements",
    "Origin",
    "Outbox",
    "OutboxStatements",
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
    "new_id",
]

__version__ = "0.1.0"
