"""What can be asked: one file for each intent, found by being there; `concepts.toml` beside it holds the words."""
