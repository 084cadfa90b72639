"""Named pieces of language and framework machinery that signatures refer to."""
