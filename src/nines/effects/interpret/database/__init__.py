"""Mapped classes, statements under construction, and what running them does."""
