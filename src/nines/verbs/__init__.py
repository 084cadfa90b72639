"""What nines can do: the only place where specialists are wired together."""
