"""What each kind of expression may be."""
