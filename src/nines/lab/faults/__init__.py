"""What a proxy can do to a dependency: one fault per file."""
