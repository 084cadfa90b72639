"""A graph over operations (GraphQL), for which nines-runtime[graphql] is installed."""

from nines_runtime.web.graph.bounds import Bounds
from nines_runtime.web.graph.graph import Graph
from nines_runtime.web.graph.links import Children, Found, Link, Load
from nines_runtime.web.graph.running import Run

__all__ = ["Bounds", "Children", "Found", "Graph", "Link", "Load", "Run"]
