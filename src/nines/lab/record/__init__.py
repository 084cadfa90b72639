"""Proxies that read the PostgreSQL, Redis and HTTP wire, and the observed traces made from it."""
