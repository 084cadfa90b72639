"""A question in plain words: what is asked is recognised, what answers it is gathered, and what is known is told."""
