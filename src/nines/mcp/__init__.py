"""A Model Context Protocol server over the verbs: one file per tool under tools/, found by being there."""
