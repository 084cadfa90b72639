"""What callers see: routes, schemas, problems, pages and the contract."""
