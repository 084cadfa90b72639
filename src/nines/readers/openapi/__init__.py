"""OpenAPI documents to contracts."""

from nines.readers.openapi.read import read
from nines.readers.openapi.text import find

__all__ = ["find", "read"]
