"""Calls of the project's functions and classes: one summary for each kind of arguments."""
