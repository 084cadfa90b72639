"""What a verb concluded, as people and machines want it: one file per format."""
