"""A call over gRPC as an exchange, and the command that repeats it."""

from __future__ import annotations

from collections.abc import Mapping

from nines.lab.load.answer import outcome_of
from nines.lab.load.curl import curl_of
from nines.lab.load.request import Request
from nines.lab.typed.calling import TypedAnswer
from nines.model.experiment import Call
from nines.model.history import Exchange

BODY_CHARS_MAX = 400
_FRAMING = (("content-type", "application/grpc"), ("te", "trailers"))


def exchange_of_typed(call: Call, answer: TypedAnswer, *, sent_s: float, ended_s: float, curl: str) -> Exchange:
    """The status is what HTTP would say; the body tells the code of gRPC and its words."""
    return Exchange(
        operation=call.operation,
        method=call.method,
        path=call.path,
        outcome=outcome_of(answer.status, answer.error, was_sent=True),
        status=answer.status,
        identity=call.identity,
        phase=call.phase,
        intended_s=sent_s,
        sent_s=sent_s,
        ended_s=ended_s,
        error=answer.error,
        request_body=repr(call.body[:BODY_CHARS_MAX])[2:-1],
        body=f"{answer.code}: {answer.says}" if answer.says else answer.code,
        headers=(("grpc-status", answer.code),),
        curl=curl,
    )


def curl_of_typed(call: Call, metadata: tuple[tuple[str, str], ...], url: str, secrets: Mapping[str, str]) -> str:
    """gRPC is HTTP/2 with a prefix of five bytes, which curl can send."""
    body = b"\0" + len(call.body).to_bytes(4, "big") + call.body
    sent = Call(operation=call.operation, method="POST", path=call.path, body=body)
    request = Request(sent, b"", (*_FRAMING, *metadata))
    return curl_of(request, url=url, secrets=secrets).replace("curl -i", "curl -i --http2-prior-knowledge", 1)
