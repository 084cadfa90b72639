"""After a crash."""
