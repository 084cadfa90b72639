"""The words of a blueprint, declared once: they are read, published as JSON Schema, and listed for people."""
