"""Rules about threads and event loops."""
