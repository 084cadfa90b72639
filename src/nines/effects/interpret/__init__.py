"""Runs functions on symbolic values, each once per kind of arguments, and keeps the tree of what they do."""
