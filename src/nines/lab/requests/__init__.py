"""Requests: what to send, as whom, and made wrong in which way. Nothing here opens a socket."""
