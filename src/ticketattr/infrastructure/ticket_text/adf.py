"""Text out of the Atlassian Document Format, the JSON in which Jira Cloud keeps descriptions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .lines import PICTURE, Lines

_LINES = frozenset(
    "paragraph heading listItem taskItem decisionItem codeBlock blockquote panel rule tableRow mediaSingle mediaGroup "
    "expand nestedExpand table bulletList orderedList taskList decisionList blockCard embedCard".split()
)
_SPACED = frozenset("paragraph heading".split())
_LISTS = frozenset("bulletList orderedList taskList decisionList".split())
_ITEMS = frozenset("listItem taskItem decisionItem".split())
_CELLS = frozenset("tableCell tableHeader".split())
_PICTURES = frozenset("media mediaInline".split())
_DEEPEST = 100


def is_adf(value: Mapping[str, Any]) -> bool:
    return value.get("type") == "doc" and isinstance(value.get("content"), list)


def parse_adf(text: str) -> Mapping[str, Any] | None:
    """The document that `text` spells as JSON, if it is one."""
    start = text.lstrip()[:1]
    if start != "{" or '"doc"' not in text:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and is_adf(value) else None


def adf_text(document: Mapping[str, Any]) -> str:
    """The text of the document; lists, table rows and paragraphs begin lines."""
    lines = Lines()
    _write_all(document.get("content"), lines, mark="", depth=0)
    return lines.text()


def _write_all(nodes: Any, lines: Lines, *, mark: str, depth: int) -> None:
    if depth > _DEEPEST:
        lines.write(_flat(nodes))
        return
    found = [node for node in nodes if isinstance(node, Mapping)] if isinstance(nodes, list) else []
    for number, node in enumerate(found, start=1):
        _write(node, lines, mark.replace("#", str(number)), depth)


def _write(node: Mapping[str, Any], lines: Lines, mark: str, depth: int) -> None:
    kind = node.get("type")
    name = kind if isinstance(kind, str) else ""
    breaks = 2 if name in _SPACED and depth == 0 else 1 if name in _LINES else 0
    _begin(name, lines, mark, breaks)
    lines.write(_own_text(name, node), keep_space=name == "text")
    inner_mark = {"orderedList": "#. "}.get(name, "- ") if name in _LISTS else ""
    _write_all(node.get("content"), lines, mark=inner_mark, depth=depth + 1)
    lines.indent(-(name in _LISTS))
    if name in _CELLS:
        lines.end_cell()
    elif breaks:
        lines.break_line(breaks)


def _begin(name: str, lines: Lines, mark: str, breaks: int) -> None:
    if breaks:
        lines.break_line(breaks)
    if name in _ITEMS:
        lines.mark(mark)
    elif name == "tableRow":
        lines.first_cell()
    elif name in _CELLS:
        lines.next_cell()
    elif name == "hardBreak":
        lines.new_line()
    lines.indent(name in _LISTS)


def _flat(nodes: Any) -> str:
    """All text in `nodes`, without lines: what is nested so deeply was not written by a person."""
    found: list[str] = []
    waiting = [nodes]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, Mapping):
            found.append(_string(node.get("text")))
            waiting.append(node.get("content"))
    return " ".join(filter(None, found))


def _own_text(name: str, node: Mapping[str, Any]) -> str:
    if name in _PICTURES:
        return f" {PICTURE} "
    attributes = node.get("attrs")
    attributes = attributes if isinstance(attributes, Mapping) else {}
    if name == "text":
        return _string(node.get("text")) + _address(node)
    if name == "date":
        return _date(attributes.get("timestamp"))
    keys = {"expand": "title", "nestedExpand": "title", "inlineCard": "url", "blockCard": "url", "embedCard": "url"}
    if name in keys:
        return _string(attributes.get(keys[name]))
    if name in ("mention", "status", "emoji"):
        return _string(attributes.get("text")) or _string(attributes.get("shortName"))
    return ""


def _address(node: Mapping[str, Any]) -> str:
    marks = node.get("marks")
    for mark in marks if isinstance(marks, list) else ():
        attributes = mark.get("attrs") if isinstance(mark, Mapping) and mark.get("type") == "link" else None
        address = _string(attributes.get("href")) if isinstance(attributes, Mapping) else ""
        if address and address not in _string(node.get("text")):
            return f" ({address})"
    return ""


def _date(timestamp: Any) -> str:
    try:
        return datetime.fromtimestamp(int(timestamp) / 1000, timezone.utc).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
