"""The PostgreSQL of the tests of planning."""

from __future__ import annotations

from tests.planning.data.server import server

__all__ = ["server"]
