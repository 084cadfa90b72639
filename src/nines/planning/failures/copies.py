"""How many processes there are, as the capacity plan says, else the deployment."""

from __future__ import annotations

from nines.model.design import Design


def replicas(design: Design) -> tuple[int, int]:
    """The fewest and the most of each deployable; at least one."""
    capacity, deploy = design.capacity, design.deploy
    least = max(1, (capacity.replicas_min if capacity else 0) or deploy.replicas_min)
    return least, max(least, (capacity.replicas_max if capacity else 0) or deploy.replicas_max)
