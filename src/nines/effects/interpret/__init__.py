"""Runs functions on symbolic values, each once per kind of arguments, and keeps the tree of what they do.

The folders are layers; each knows only those before it: state and symbols, libraries, naming, database, calling,
objects, expressions, statements and machinery. `assembly` puts them together."""
