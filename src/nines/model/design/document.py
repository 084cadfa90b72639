"""One file of the dossier."""

from __future__ import annotations

from nines.model.record import Record


class Document(Record):
    path: str
    """Relative to the dossier's folder, with slashes: "contract/openapi.yaml"."""
    text: str
    """Ends with one line feed."""
    title: str = ""
    """For the front page; empty: listed under its chapter by its path alone."""
    drawings: tuple[tuple[str, str], ...] = ()
    """The text of each of its mermaid blocks with the same diagram as SVG, for the page that has all chapters."""
