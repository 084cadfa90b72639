"""One module for each concern, found by being there: NUMBER, and `decide(design)`, None where it does not arise."""
