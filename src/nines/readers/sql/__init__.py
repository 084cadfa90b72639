"""SQL texts to statements, from the code or from the wire."""

from nines.readers.sql.read import read

__all__ = ["read"]
