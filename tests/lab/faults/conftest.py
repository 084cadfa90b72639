"""The proxies' PostgreSQL, for the faults too."""

from tests.lab.record.conftest import server

__all__ = ["server"]
