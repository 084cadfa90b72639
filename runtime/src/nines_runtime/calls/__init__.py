"""Calls to others: deadlines, retries, breakers, bulkheads."""
