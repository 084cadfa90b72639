"""Under load."""
