"""YAML from outside as nodes that know their line: bounded, without aliases, tags or duplicate keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ..domain.sanitizing import truncate

MAX_DEPTH = 20
MAX_EVENTS = 150_000
"""The most events of the parser: a request type of a catalog takes about 14, and 10,000 of them take ten seconds."""

_LONGEST_REASON = 500
YAML_TAG = "tag:yaml.org,2002:"
"""The prefix of the tags of plain YAML."""
_TAGS = {YAML_TAG + name for name in ("map", "seq", "str", "int", "float", "bool", "null")}


class WrongYAML(Exception):
    """Something in a YAML file that cannot be used; `line` counts from 1, 0 is unknown."""

    def __init__(self, message: str, line: int = 0, *, is_syntax: bool = False) -> None:
        super().__init__(truncate(message, _LONGEST_REASON))
        self.line = line
        self._is_syntax = is_syntax

    def of(self, name: str) -> str:
        """The message about the file `name`."""
        line = f", line {self.line}" if self.line else ""
        return f"{name}{line} is not valid YAML: {self}" if self._is_syntax else f"{name}{line}: {self}"


class ManyWrong(Exception):
    """All mistakes of a document, collected so that its author can correct them at once."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[WrongYAML] = []

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Add a WrongYAML that is raised inside, and go on after it."""
        try:
            yield
        except WrongYAML as wrong:
            self.found.append(wrong)

    def raise_any(self) -> None:
        """Raise these mistakes, by line, if there are any."""
        if self.found:
            self.found.sort(key=lambda wrong: wrong.line)
            raise self


def compose(content: bytes, what: str) -> Node:
    """The document in `content`, which messages call `what`. Raises WrongYAML."""
    try:
        return _document(content.decode("utf-8-sig"), what)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(filter(None, (error.context, error.problem)))
        raise WrongYAML(reason, mark.line + 1 if mark else 0, is_syntax=True) from error
    except (YAMLError, UnicodeDecodeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise WrongYAML(reason, is_syntax=True) from error


def line_of(node: Node) -> int:
    """The line of `node`, from 1."""
    return int(node.start_mark.line) + 1


def pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """The keys of a mapping with their values. Raises WrongYAML."""
    if not isinstance(node, MappingNode):
        raise WrongYAML("expected `name: value` pairs here", line_of(node))
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            raise WrongYAML("expected text as a name here", line_of(key))
        if isinstance(value, ScalarNode) and not value.value and not value.style:
            # The parser finds an empty value where the next thing begins, often a line further down.
            value.start_mark = key.start_mark
        yield str(key.value), value


def elements(node: Node) -> list[Node]:
    """The elements of a list. Raises WrongYAML."""
    if not isinstance(node, SequenceNode):
        raise WrongYAML("expected a list here", line_of(node))
    return list(node.value)


def scalars(node: Node) -> Iterator[ScalarNode]:
    """Every scalar value within `node`, keys left out."""
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, SequenceNode):
        for element in node.value:
            yield from scalars(element)
    elif isinstance(node, MappingNode):
        for _, value in node.value:
            yield from scalars(value)


def value_of(node: Node) -> Any:
    """`node` as text, number, truth value, None, list or dict. Raises WrongYAML."""
    if isinstance(node, SequenceNode):
        return [value_of(element) for element in node.value]
    if isinstance(node, MappingNode):
        return {name: value_of(value) for name, value in pairs(node)}
    return _scalar(node)


def _scalar(node: Node) -> Any:
    kind = str(node.tag).removeprefix(YAML_TAG)
    try:
        match kind:
            case "int":
                return int(node.value)
            case "float":
                return float(node.value)
            case "bool":
                return str(node.value).lower() == "true"
            case "null":
                return None
    except ValueError:
        pass  # YAML has spellings that nobody means as a number: 0x10, 1:30.
    return str(node.value)


def _document(text: str, what: str) -> Node:
    for number, (event, depth) in enumerate(_events(text), start=1):
        line = event.start_mark.line + 1
        if number > MAX_EVENTS:
            raise WrongYAML(f"{what} is too large from here on", line)
        if isinstance(event, AliasEvent):
            # A few lines of aliases can stand for more nodes than memory holds.
            raise WrongYAML("aliases are not allowed", line)
        if depth > MAX_DEPTH:
            raise WrongYAML("nested too deeply", line)
        if (tag := getattr(event, "tag", None)) and tag not in _TAGS:
            raise WrongYAML(f"the tag {tag} is not allowed", line)
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False
    document: Node | None = yaml.compose(text)
    if document is None:
        raise WrongYAML(f"{what} is empty", 1)
    _refuse_duplicate_keys(document)
    return document


def _events(text: str) -> Iterator[tuple[Any, int]]:
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        yield event, depth


def _refuse_duplicate_keys(node: Node) -> None:
    if isinstance(node, SequenceNode):
        for element in node.value:
            _refuse_duplicate_keys(element)
    if isinstance(node, MappingNode):
        seen: set[Any] = set()
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value in seen:
                raise WrongYAML(f"'{key.value}' occurs twice", line_of(key))
            seen.add(key.value if isinstance(key, ScalarNode) else id(key))
            _refuse_duplicate_keys(value)
