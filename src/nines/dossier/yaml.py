"""YAML that is written the same way each time and read the same way by every reader."""

from __future__ import annotations

from typing import Any

import yaml

from nines.model.errors import SourceError

_WIDTH = 110
LENGTH_MAX = 20_000_000


class _Dumper(yaml.SafeDumper):
    """No anchors, lists indented below their key, and texts of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dump(value: Any) -> str:
    """The value in block style, its keys in their own order."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text


class _Loader(yaml.SafeLoader):
    """Without aliases, by which a few lines can stand for a billion."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias, which is not allowed here")
        return super().compose_node(parent, index)


def load(text: str, where: str) -> Any:
    """What a document of YAML or JSON says; `where` names it in an error."""
    if len(text) > LENGTH_MAX:
        raise SourceError(f"it has more than {LENGTH_MAX:,} characters", where=where, hint="Give the contract alone.")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 -- a safe loader.
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        said = " ".join(str(error).split()) or "it is nested too deeply"
        raise SourceError(
            f"it is no YAML: {said}", where=where, hint="Give the OpenAPI document as it was released."
        ) from None
