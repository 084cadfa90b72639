"""How operations and jobs are carried out: queries, transactions, calls, and what happens when a step fails."""

from __future__ import annotations

from nines.planning.flows.plan import flows, queries

__all__ = ["flows", "queries"]
