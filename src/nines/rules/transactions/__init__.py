"""Rules about what happens between BEGIN and COMMIT."""
