"""What is stored: tables, indexes, growth and migrations."""

from __future__ import annotations

from nines.planning.data.growth import growth
from nines.planning.data.indexes import indexes
from nines.planning.data.migrating import migrate, migrations
from nines.planning.data.tables import tables

__all__ = ["growth", "indexes", "migrate", "migrations", "tables"]
