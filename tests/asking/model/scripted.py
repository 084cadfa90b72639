"""A model that answers from a script, over both protocols, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = dict[str, Any]
"""`text`, `calls` (name and arguments each), or `status` for an error."""
Script = Callable[[int, dict[str, Any]], Step]
"""From the number of the request, from 0, and its body to what is answered."""


class Model:
    """What was asked, and where."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict[str, Any]] = []

    @property
    def sent(self) -> str:
        """Everything that ever left for the model."""
        return json.dumps(self.asked, ensure_ascii=False)


@contextmanager
def scripted(script: Script) -> Iterator[Model]:
    """Serves until the block is left."""
    found: list[Model] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            model = found[0]
            number = len(model.asked)
            model.asked.append(body)
            step = script(number, body)
            answer = step.get("status", 200), (_chat if "completions" in self.path else _messages)(step, number)
            content = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.append(Model(f"http://127.0.0.1:{server.server_address[1]}"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield found[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _chat(step: Step, number: int) -> dict[str, Any]:
    calls = [
        {
            "id": f"call_{number}_{index}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for index, (name, given) in enumerate(step.get("calls", []))
    ]
    message: dict[str, Any] = {"role": "assistant", "content": step.get("text")}
    if calls:
        message["tool_calls"] = calls
    return {
        "id": f"c{number}",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": step.get("tokens", 1_000)},
    }


def _messages(step: Step, number: int) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": step["text"]}] if step.get("text") else []
    content += [
        {"type": "tool_use", "id": f"toolu_{number}_{index}", "name": name, "input": given}
        for index, (name, given) in enumerate(step.get("calls", []))
    ]
    return {
        "id": f"m{number}",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": content,
        "stop_reason": "tool_use" if step.get("calls") else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": step.get("tokens", 1_000) - 100, "output_tokens": 100},
    }
