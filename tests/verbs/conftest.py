"""One PostgreSQL for all tests of what is built."""

from __future__ import annotations

from tests.planning.data.server import server

__all__ = ["server"]
