"""The chapters; they do not know one another, and agree because each tells the same design."""
