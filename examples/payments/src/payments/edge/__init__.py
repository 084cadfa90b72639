"""What surrounds every request: limits, headers, log lines and metrics. Pure ASGI."""
