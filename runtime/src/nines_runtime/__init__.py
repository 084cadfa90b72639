"""What a reliable backend needs at run time."""

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
    "Answer",
    "Authenticator",
    "Call",
    "Caller",
    "Cursors",
    "Edge",
    "Headers",
    "Key",
    "Limit",
    "Operation",
    "Operations",
    "Page",
    "Problem",
]
