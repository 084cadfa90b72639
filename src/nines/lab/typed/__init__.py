"""Asking over gRPC: methods are found in .proto files, and messages are sent as the bytes that they are."""
