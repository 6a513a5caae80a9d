"""YAML from outside as nodes that know their lines: bounded, without aliases, tags or duplicate keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_DEPTH = 20
MAX_EVENTS = 150_000
"""The most events of the parser: a request type with its SLA takes about 14, and 10,000 of them take ten seconds."""

YAML_TAG = "tag:yaml.org,2002:"
"""The prefix of the tags of plain YAML."""
_TAGS = {YAML_TAG + name for name in ("map", "seq", "str", "int", "float", "bool", "null")}


class WrongYAML(Exception):
    """Something in the catalog is wrong; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def compose(text: str) -> Node:
    """The document in `text`. Raises WrongYAML or an error of ruamel.yaml."""
    for number, (event, depth) in enumerate(_events(text), start=1):
        line = event.start_mark.line + 1
        if number > MAX_EVENTS:
            raise WrongYAML("the catalog is too large from here on", line)
        if isinstance(event, AliasEvent):
            # A few lines with aliases can stand for more nodes than memory can hold.
            raise WrongYAML("aliases are not allowed", line)
        if depth > MAX_DEPTH:
            raise WrongYAML("nested too deeply", line)
        if (tag := getattr(event, "tag", None)) and tag not in _TAGS:
            raise WrongYAML(f"the tag {tag} is not allowed", line)
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False
    document: Node | None = yaml.compose(text)
    if document is None:
        raise WrongYAML("the catalog is empty", 1)
    _refuse_duplicate_keys(document)
    return document


def _refuse_duplicate_keys(node: Node) -> None:
    if isinstance(node, SequenceNode):
        for item in node.value:
            _refuse_duplicate_keys(item)
    if isinstance(node, MappingNode):
        seen: set[Any] = set()
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value in seen:
                raise WrongYAML(f"'{key.value}' occurs twice", line_of(key))
            seen.add(key.value if isinstance(key, ScalarNode) else id(key))
            _refuse_duplicate_keys(value)


def _events(text: str) -> Iterator[tuple[Any, int]]:
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        yield event, depth


def line_of(node: Node) -> int:
    """The line of the document on which `node` begins, from 1."""
    return int(node.start_mark.line) + 1
