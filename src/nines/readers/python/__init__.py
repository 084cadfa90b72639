"""Python sources to facts, without running a line of them."""

from nines.readers.python.applications import applications
from nines.readers.python.program import read

__all__ = ["applications", "read"]
