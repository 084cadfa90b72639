"""The command line: one file per command, each parses, calls a verb, renders and sets the exit code."""
