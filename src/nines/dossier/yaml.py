"""YAML that is written the same way each time and read the same way by every reader."""

from __future__ import annotations

import io
from typing import Any

import yaml

from nines.model.errors import SourceError

_WIDTH = 110
_LINE_MAX = 100
"""Of what is put on one line, beside its indentation."""
_LONG = 1_000
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


class _Manifest(_Dumper):
    """What is short stands on one line: `requests: {cpu: 1000m, memory: 512Mi}`."""

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        node = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = _is_short([each for pair in node.value for each in pair])
        return node

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        node = super().represent_sequence(tag, sequence, flow_style)
        # Lists of anything else take a line for each.
        node.flow_style = _is_short(node.value) and all(isinstance(each, yaml.ScalarNode) for each in node.value)
        return node


def _is_short(parts: list[yaml.Node]) -> bool:
    return all(_is_inline(each) for each in parts) and sum(map(_length, parts)) <= _LINE_MAX


def _is_inline(node: yaml.Node) -> bool:
    if isinstance(node, yaml.CollectionNode):
        return bool(node.flow_style)
    return "\n" not in node.value


def _length(node: yaml.Node) -> int:
    """About as many characters as it takes on a line."""
    if isinstance(node, yaml.ScalarNode):
        return len(node.value) + 2
    parts = (each for part in node.value for each in (part if isinstance(part, tuple) else (part,)))
    return 2 + sum(map(_length, parts))


def manifest(document: dict[str, Any]) -> str:
    """As `dump`, with what is short on one line; what the document's own keys hold never is."""
    node = _Manifest(io.StringIO(), sort_keys=False).represent_data(document)
    for whole in (node, *(value for _, value in node.value)):
        if isinstance(whole, yaml.MappingNode) and whole.value:
            whole.flow_style = False
    text: str = yaml.serialize(node, Dumper=_Manifest, allow_unicode=True, width=_LONG)
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
