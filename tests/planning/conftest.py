"""One PostgreSQL for all tests of what is planned."""

from __future__ import annotations

from tests.planning.data.server import server

__all__ = ["server"]
