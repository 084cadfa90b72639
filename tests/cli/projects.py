"""Small backends, written into a folder; in-process tests read them and never run them."""

from __future__ import annotations

import subprocess
from pathlib import Path

MAIN = """\
import requests
from fastapi import FastAPI

app = FastAPI()


@app.get("/rates")
def rates():
    return requests.get("https://rates.example/today").json()


@app.get("/health")
def health():
    return {"ok": True}
"""
"""One finding: the call has no deadline."""

CLEAN = MAIN.replace('today")', 'today", timeout=2)')
FINDING = "deadlines/call-without-deadline"

SERVER = """\
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"items": []}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
"""A service of the standard library alone, for tests that start one."""


def backend(folder: Path, main: str = MAIN, **files: str) -> Path:
    """A FastAPI backend in `folder/app`; further files by their names, with `__` for `/`."""
    write(folder, {"app/__init__.py": "", "app/main.py": main})
    write(folder, {name.replace("__", "/"): text for name, text in files.items()})
    return folder


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def git(folder: Path, *arguments: str) -> str:
    """Runs git with an identity of its own and nobody's configuration."""
    options = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *options, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """Everything in the folder, committed."""
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "state")
