"""Rules about data that two requests change at once."""
