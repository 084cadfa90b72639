"""How the service is watched: objectives from its budgets, alerts, and the metrics that they need."""
