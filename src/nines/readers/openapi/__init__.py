"""OpenAPI documents to contracts."""
