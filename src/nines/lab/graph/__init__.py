"""Asking a graph (GraphQL): its schema becomes operations like those of a contract, so that experiments try them."""
