"""Rules about how a database is asked."""
