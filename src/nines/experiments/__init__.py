"""One folder per topic; an experiment is a pair of files, name.py and name.md, found by being there."""
