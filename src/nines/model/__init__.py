"""The nouns of nines. Nothing here does input or output, and nothing here knows a library or a format."""
