"""The image: small, without a shell user, healthy by its own word."""

from __future__ import annotations

from nines.dossier.chapters.operation.settings import GRPC_PORT, PORT
from nines.model.blueprint import DependencyKind
from nines.model.design import Design

USER = 10001
UNPINNED = "0" * 64
"""In place of a digest that the owner looks up: nothing has it, so that a build fails until it is replaced."""
BASE = f"python:3.13-slim-bookworm@sha256:{UNPINNED}"


def package(design: Design) -> str:
    return design.package


def text(design: Design) -> str:
    name = package(design)
    has_database = any(each.kind is DependencyKind.POSTGRES for each in design.dependencies)
    migrations = "COPY migrations migrations\n" if has_database else ""
    internal = f" {GRPC_PORT}" if design.protocol is not None else ""
    health = (
        f"import sys, urllib.request; sys.exit(urllib.request.urlopen('http://127.0.0.1:{PORT}/health/live', "
        "timeout=2).status != 200)"
    )
    return f"""# syntax=docker/dockerfile:1
# The digest is a placeholder: `docker buildx imagetools inspect python:3.13-slim-bookworm` tells today's. A build
# fails until it stands here, and changes only when somebody changes it.
ARG BASE={BASE}

FROM ${{BASE}} AS build
WORKDIR /build
COPY requirements.lock requirements.txt ./
COPY wheels wheels
RUN python -m venv /opt/{name} && /opt/{name}/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
# What your own code needs beside that.
RUN /opt/{name}/bin/pip install --no-cache-dir -r requirements.txt

FROM ${{BASE}}
RUN useradd --uid {USER} --no-create-home --shell /usr/sbin/nologin service
COPY --from=build /opt/{name} /opt/{name}
WORKDIR /srv
COPY src src
{migrations}ENV PATH=/opt/{name}/bin:$PATH PYTHONPATH=/srv/src PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER {USER}:{USER}
EXPOSE {PORT}{internal}
# Kubernetes asks by its own probes; this one is for compose and for plain containers.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["python", "-c", "{health}"]
# Without a shell, so that SIGTERM reaches the service and it can drain.
CMD ["python", "-m", "{name}", "--host", "0.0.0.0", "--port", "{PORT}"]
"""
