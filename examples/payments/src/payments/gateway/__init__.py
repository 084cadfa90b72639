"""The payment provider, reached over HTTP."""
