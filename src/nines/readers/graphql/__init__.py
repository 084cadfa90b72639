"""Reads the schema of a graph: its text (SDL), or what the graph answers about itself (introspection)."""

from nines.readers.graphql.introspection import QUERY, read_answer
from nines.readers.graphql.text import read_text

__all__ = ["QUERY", "read_answer", "read_text"]
