"""Every live process: starting, loading, recording and disturbing a service on loopback."""
