"""Anthropic's messages, through its own library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from nines.asking.model.chat_completions import PLAIN, arguments, missing, unreachable
from nines.asking.model.conversation import Called, ModelError, Offered, Reply, Turn

KEY = "ANTHROPIC_API_KEY"
_NO_KEY = "none"


class Messages:
    """Raises ModelError where the library or the key is missing."""

    def __init__(self, model: str, url: str) -> None:
        try:
            import anthropic  # noqa: PLC0415 -- an extra, which most never need
        except ImportError:
            raise missing("anthropic") from None
        self._library = anthropic
        self._model = model
        key = os.environ.get(KEY, "") or (_NO_KEY if url else "")
        if not key:
            raise ModelError(
                f"{KEY} is not set", hint=f"Set it, or NINES_MODEL_URL for an endpoint of your own. {PLAIN}"
            )
        self._client = anthropic.AsyncAnthropic(api_key=key, base_url=url or None, max_retries=1)

    async def say(
        self, system: str, turns: Sequence[Turn], tools: Sequence[Offered], *, tokens_max: int, timeout_s: float
    ) -> Reply:
        messages: Any = [_message(turn) for turn in turns]
        more: dict[str, Any] = {"tools": [_tool(each) for each in tools]} if tools else {}
        try:
            answer = await self._client.messages.create(
                model=self._model, system=system, messages=messages, max_tokens=tokens_max, timeout=timeout_s, **more
            )
        except self._library.AnthropicError as error:
            raise unreachable(error) from None
        calls = tuple(
            Called(id=each.id, name=each.name, arguments=arguments(each.input))
            for each in answer.content
            if each.type == "tool_use"
        )
        text = "\n".join(each.text for each in answer.content if each.type == "text")
        return Reply(text=text, calls=calls, tokens=answer.usage.input_tokens + answer.usage.output_tokens)

    async def close(self) -> None:
        await self._client.close()


def _tool(offered: Offered) -> dict[str, Any]:
    return {"name": offered.name, "description": offered.says, "input_schema": offered.schema}


def _message(turn: Turn) -> dict[str, Any]:
    content: list[dict[str, Any]] = [
        {"type": "tool_result", "tool_use_id": each.id, "content": each.text, "is_error": each.is_error}
        for each in turn.results
    ]
    if turn.text:
        content.append({"type": "text", "text": turn.text})
    content += [
        {"type": "tool_use", "id": each.id, "name": each.name, "input": each.arguments or {}} for each in turn.calls
    ]
    return {"role": "user" if turn.is_ours else "assistant", "content": content}
