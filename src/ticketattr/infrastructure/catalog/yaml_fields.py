"""The fields, items and values of YAML nodes, for the readers of the catalog."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ..yaml_nodes import YAML_TAG, WrongYAML, line_of

_SURROGATE = re.compile("[\ud800-\udfff]")


def number_of(node: Node) -> int | float | None:
    """A finite number in decimal digits, or None."""
    if node.tag not in (f"{YAML_TAG}int", f"{YAML_TAG}float"):
        return None
    try:
        number = float(node.value)
    except ValueError:  # YAML allows forms that nobody uses for an SLA: 0x10, 1:30.
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def fields_of(node: Node) -> dict[str, Node]:
    """The fields of a mapping by name, in order. Raises WrongYAML for anything else."""
    if not isinstance(node, MappingNode):
        raise WrongYAML("expected `name: value` pairs", line_of(node))
    fields: dict[str, Node] = {}
    for key, value in node.value:
        name = text_of(key)
        if isinstance(value, ScalarNode) and not value.value and not value.style:
            # The parser places an empty value where the next element begins, which is often a later line.
            value.start_mark = key.start_mark
        fields[name] = value
    return fields


def field_of(fields: Mapping[str, Node], name: str, parent: Node) -> Node:
    """The field of that name. Raises WrongYAML, with the line of `parent`, when it is missing."""
    if name not in fields:
        raise WrongYAML(f"'{name}' is missing", line_of(parent))
    return fields[name]


def items_of(node: Node, what: str) -> list[Node]:
    """The items of a list that has some. Raises WrongYAML, which says that the list is for `what`."""
    if not isinstance(node, SequenceNode) or not node.value:
        raise WrongYAML(f"expected a list with at least one item for {what}", line_of(node))
    return list(node.value)


def texts_of(node: Node | None) -> tuple[str, ...]:
    """The texts of a list; none of a list that is empty or missing. Raises WrongYAML."""
    if node is None or (isinstance(node, SequenceNode) and not node.value):
        return ()
    return tuple(text_of(item) for item in items_of(node, "texts"))


def text_of(node: Node) -> str:
    """A scalar as it is written: a name such as 2024 or `no` stays what its author sees."""
    if not isinstance(node, ScalarNode):
        raise WrongYAML("expected a text", line_of(node))
    if _SURROGATE.search(node.value):
        raise WrongYAML("this text holds half of a surrogate pair", line_of(node))
    return "" if node.tag == f"{YAML_TAG}null" else str(node.value)


def is_text(node: Node) -> bool:
    """Whether `node` is a single value, and neither a list nor a mapping."""
    return isinstance(node, ScalarNode)
