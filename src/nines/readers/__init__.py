"""From sources to the model: code, contracts, schemas, settings."""
