"""Putting pieces into files and taking them out again: pure functions over texts, each the other's inverse."""
