"""How a request under load ended, in a compact form from which the model's exchange is made when it is needed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from nines.lab.load.answer import Answer, outcome_of
from nines.lab.load.curl import NO_SECRETS, curl_of
from nines.lab.load.request import Request
from nines.model.history import Exchange, Outcome

BODY_CHARS_MAX = 64 * 1024
REQUEST_CHARS_MAX = 4 * 1024
"""An exchange holds no more of a body."""


class Ending(msgspec.Struct, frozen=True, gc=False):
    """One line of the generator's record; times are of its clock."""

    request: Request
    status: int
    """0 when no complete answer came."""
    error: str
    was_sent: bool
    intended_s: float
    sent_s: float
    ended_s: float
    body: bytes = b""
    media_type: bytes = b""

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.status or None, self.error, self.was_sent)

    @property
    def latency_s(self) -> float:
        """From the intended time."""
        return self.ended_s - self.intended_s


def exchange_of_ending(ending: Ending, *, origin_s: float = 0.0, phase: str = "", curl: str = "") -> Exchange:
    """The model's exchange for one ending; `origin_s` is the experiment's start on the generator's clock."""
    call = ending.request.call
    return Exchange(
        operation=call.operation,
        method=call.method,
        path=call.path,
        outcome=ending.outcome,
        status=ending.status or None,
        identity=call.identity,
        marker=call.marker,
        key=call.key,
        group=call.group,
        phase=phase or call.phase,
        intended_s=ending.intended_s - origin_s,
        # What never left has no time of leaving; it was given up when it ended.
        sent_s=(ending.sent_s or ending.ended_s) - origin_s,
        ended_s=ending.ended_s - origin_s,
        error=ending.error,
        request_body=_shortened(call.body, REQUEST_CHARS_MAX),
        body=_shortened(ending.body, BODY_CHARS_MAX),
        media_type=ending.media_type.decode("latin-1"),
        curl=curl,
    )


def exchange_of_answer(
    request: Request,
    answer: Answer,
    *,
    url: str,
    origin_s: float = 0.0,
    body_chars_max: int = BODY_CHARS_MAX,
    secrets: Mapping[str, str] = NO_SECRETS,
) -> Exchange:
    """The model's exchange for one answer of the client, with headers, body and the curl command that repeats it.

    `url` is the service's, such as "http://127.0.0.1:8000"; in the command variables stand for `secrets`. An answer
    that was cut has no status: it proves nothing."""
    call = request.call
    return Exchange(
        operation=call.operation,
        method=call.method,
        path=call.path,
        outcome=answer.outcome,
        status=None if answer.error else answer.status,
        identity=call.identity,
        marker=call.marker,
        key=call.key,
        group=call.group,
        phase=call.phase,
        intended_s=answer.intended_s - origin_s,
        sent_s=answer.sent_s - origin_s,
        ended_s=answer.ended_s - origin_s,
        error=answer.error,
        request_body=_shortened(call.body, REQUEST_CHARS_MAX),
        body=_shortened(answer.body, body_chars_max),
        media_type=answer.header("content-type").partition(";")[0].strip().lower(),
        headers=answer.headers,
        curl=curl_of(request, url=url, secrets=secrets),
    )


def _shortened(body: bytes, chars_max: int) -> str:
    # No character takes more than four bytes, so that cutting there first keeps a large body cheap.
    return body[: 4 * chars_max].decode("utf-8", "replace")[:chars_max]
