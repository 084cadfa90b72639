"""From facts to traces: linking, summaries, propagation. Knows no language and no library by name."""
