"""Calls of libraries, as their signatures describe them."""
