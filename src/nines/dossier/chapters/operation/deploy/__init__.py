"""What is deployed: an image, a trial on one machine, and the manifests of the platform."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.chapters.operation.deploy import compose, image, kubernetes, prometheus
from nines.model.design import Design, Document


def documents(design: Design, folder: str) -> Iterator[Document]:
    """None for a service that was read: how it is deployed is not in its code."""
    if design.is_recovered:
        return
    where = f"{folder}/deploy"
    yield Document(path=f"{where}/Dockerfile", text=image.text(design), title="Image")
    yield Document(path=f"{where}/compose.yaml", text=compose.text(design), title="Trial on one machine")
    if design.deploy.platform == "kubernetes":
        for name, text in kubernetes.texts(design):
            yield Document(path=f"{where}/kubernetes/{name}.yaml", text=text)
        yield Document(path=f"{where}/prometheus.yaml", text=prometheus.text(design), title="What is scraped, as what")
