"""The bounded loop: turns, calls, tokens and time have limits, and at each of them the model is asked to conclude."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from nines.asking.model import citing
from nines.asking.model.conversation import Called, ModelError, Offered, Returned, Speaker, Turn
from nines.asking.model.redacting import as_data, without_secrets
from nines.model.errors import NinesError
from nines.model.record import Record

_CONCLUDE = "Conclude now with what you have; no tool can be called any more. Cite, and say what was not examined."
_NO_JSON = "the arguments are no JSON object; call it again with one"


class Limits(Record):
    """What one question may take."""

    turns_max: int = 12
    calls_max: int = 24
    tokens_max: int = 200_000
    reply_tokens_max: int = 4_000
    duration_s_max: float = 600.0
    result_characters_max: int = 12_000


class Concluded(Record):
    """The model's answer with its marks, and what it took."""

    text: str
    claims: int
    sourced: int
    turns: int
    tokens: int
    called: tuple[str, ...]
    stopped_by: str = ""
    """The limit that ended it; "" where the model had finished."""


async def converse(
    speaker: Speaker,
    system: str,
    question: str,
    tools: Sequence[Offered],
    *,
    limits: Limits,
    known: Sequence[str] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Concluded:
    """Raises ModelError where the model cannot be asked; `known` are ids of pages, which may always be cited."""
    begun_s = time.monotonic()
    turns = [Turn(is_ours=True, text=without_secrets(question))]
    sources, called, tokens, stopped = set(known), list[str](), 0, ""
    for number in range(1, limits.turns_max + 2):
        left_s = limits.duration_s_max - (time.monotonic() - begun_s)
        stopped = _limit(number, called, tokens, left_s, limits)
        if stopped:
            turns.append(Turn(is_ours=True, text=_CONCLUDE))
        tell(f"the model thinks (turn {number})")
        offered = () if stopped else tools
        reply = await speaker.say(
            system,
            turns,
            offered,
            tokens_max=limits.reply_tokens_max,
            timeout_s=max(left_s, limits.duration_s_max / 10),
        )
        tokens += reply.tokens
        if stopped or not reply.calls:
            text, claims, sourced = citing.checked(reply.text.strip(), sources)
            if not text:
                raise ModelError("the model answered nothing", hint="Without a model: nines ask --no-model")
            return Concluded(
                text=text,
                claims=claims,
                sourced=sourced,
                turns=number,
                tokens=tokens,
                called=tuple(called),
                stopped_by=stopped,
            )
        turns.append(Turn(is_ours=False, text=reply.text, calls=reply.calls))
        results = []
        for call in reply.calls:
            called.append(call.name)
            tell(f"the model calls {call.name}")
            raw, is_error = await _called(call, tools, len(called) > limits.calls_max, left_s)
            if not is_error:
                sources.update(citing.sources_in(raw))
            text = as_data(raw, f"nines {call.name}", limits.result_characters_max)
            results.append(Returned(id=call.id, text=text, is_error=is_error))
        turns.append(Turn(is_ours=True, results=tuple(results)))
    raise ModelError("the model did not conclude", hint="Without a model: nines ask --no-model")


def _limit(number: int, called: Sequence[str], tokens: int, left_s: float, limits: Limits) -> str:
    """The limit that was reached, in words."""
    if number > limits.turns_max:
        return f"{limits.turns_max} turns"
    if len(called) >= limits.calls_max:
        return f"{limits.calls_max} calls"
    if tokens >= limits.tokens_max:
        return f"{limits.tokens_max} tokens"
    return f"{limits.duration_s_max:g} s" if left_s <= 0 else ""


async def _called(call: Called, tools: Sequence[Offered], is_too_many: bool, left_s: float) -> tuple[str, bool]:
    """What the tool answers, and whether that is an error; the model sees either."""
    wanted = next((each for each in tools if each.name == call.name), None)
    if wanted is None:
        return f"there is no tool {call.name!r}; there are: {', '.join(each.name for each in tools)}", True
    if is_too_many:
        return "too many calls; conclude with what you have", True
    if call.arguments is None:
        return _NO_JSON, True
    try:
        return await asyncio.wait_for(wanted.call(call.arguments), max(left_s, 1.0)), False
    except NinesError as error:
        return str(error), True
    except TimeoutError:
        return "it took longer than the time that is left, and was stopped", True
