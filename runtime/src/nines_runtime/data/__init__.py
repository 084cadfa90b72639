"""What is kept, and kept once."""
