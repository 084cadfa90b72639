"""Any endpoint that is compatible with OpenAI's chat completions, through its own library."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from nines.asking.model.conversation import Called, ModelError, Offered, Reply, Turn

KEY = "OPENAI_API_KEY"
_NO_KEY = "none"
"""For endpoints of one's own, which ask for none; the library wants a text."""


class ChatCompletions:
    """Raises ModelError where the library or the key is missing."""

    def __init__(self, model: str, url: str) -> None:
        try:
            import openai  # noqa: PLC0415 -- an extra, which most never need
        except ImportError:
            raise missing("openai") from None
        self._library = openai
        self._model = model
        self._is_own = bool(url)
        key = os.environ.get(KEY, "") or (_NO_KEY if url else "")
        if not key:
            raise ModelError(
                f"{KEY} is not set", hint=f"Set it, or NINES_MODEL_URL for an endpoint of your own. {PLAIN}"
            )
        self._client = openai.AsyncOpenAI(api_key=key, base_url=url or None, max_retries=1)

    async def say(
        self, system: str, turns: Sequence[Turn], tools: Sequence[Offered], *, tokens_max: int, timeout_s: float
    ) -> Reply:
        messages: list[Any] = [{"role": "system", "content": system}]
        for turn in turns:
            messages += _messages(turn)
        more: dict[str, Any] = {"tools": [_tool(each) for each in tools]} if tools else {}
        # Endpoints of one's own know the older word only, and OpenAI's newer models the newer.
        more["max_tokens" if self._is_own else "max_completion_tokens"] = tokens_max
        try:
            answer = await self._client.chat.completions.create(
                model=self._model, messages=messages, timeout=timeout_s, **more
            )
        except self._library.OpenAIError as error:
            raise unreachable(error) from None
        if not answer.choices:
            raise ModelError("the model answered nothing", hint=PLAIN)
        message = answer.choices[0].message
        calls = tuple(
            Called(id=each.id, name=each.function.name, arguments=arguments(each.function.arguments))
            for each in message.tool_calls or ()
            if each.type == "function"
        )
        return Reply(text=message.content or "", calls=calls, tokens=answer.usage.total_tokens if answer.usage else 0)

    async def close(self) -> None:
        await self._client.close()


PLAIN = "Without a model: nines ask --no-model"


def missing(library: str) -> ModelError:
    hint = f"Install it: pip install 'threenines[model]'. {PLAIN}"
    return ModelError(f"the library {library!r} is not installed, and NINES_MODEL asks for it", hint=hint)


def unreachable(error: Exception) -> ModelError:
    said = " ".join(str(error).split())[:300]
    return ModelError(f"the model cannot be asked: {type(error).__name__}: {said}", hint=PLAIN)


def arguments(text: object) -> dict[str, Any] | None:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _tool(offered: Offered) -> dict[str, Any]:
    function = {"name": offered.name, "description": offered.says, "parameters": offered.schema}
    return {"type": "function", "function": function}


def _messages(turn: Turn) -> list[dict[str, Any]]:
    if turn.results:
        return [{"role": "tool", "tool_call_id": each.id, "content": each.text} for each in turn.results]
    if turn.is_ours:
        return [{"role": "user", "content": turn.text}]
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
    if turn.calls:
        message["tool_calls"] = [
            {
                "id": each.id,
                "type": "function",
                "function": {"name": each.name, "arguments": json.dumps(each.arguments or {})},
            }
            for each in turn.calls
        ]
    return [message]
