"""Measurements as ratios against a named peer in the same run; see README.md."""
