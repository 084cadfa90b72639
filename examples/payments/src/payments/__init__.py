"""The reference payments service."""
