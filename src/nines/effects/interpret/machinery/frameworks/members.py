"""What the functions of frameworks are given: arguments by position, attributes of views."""

from __future__ import annotations

from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.interpret.state.entrances import attribute
from nines.effects.interpret.state.frame import Frame
from nines.effects.values import UNKNOWN, Value


def argument(call: LibraryCall, index: int) -> Value:
    return call.arguments[index] if index < len(call.arguments) else UNKNOWN


def member(frame: Frame, owner: Value, name: str, line: int = 0) -> Value:
    """An attribute of a view, serializer or form."""
    return attribute(frame, owner, name, line or frame.line)
