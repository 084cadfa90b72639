"""How the service is watched: objectives from its budgets, alerts, and the metrics that they need."""

from __future__ import annotations

from nines.planning.running.plan import running

__all__ = ["running"]
