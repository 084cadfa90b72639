"""Python source to facts: parsing, lowering, cache, entry points."""
