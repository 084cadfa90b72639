"""One folder per topic; a rule is a pair of files, name.py and name.md, found by being there."""
