"""The service catalog as YAML.

    service_catalog.catalog.categories[].{name, requests[].{name, sla: {value, unit}}}

A request type may have `description`, `keywords` and `examples`; other fields are ignored. An error refuses the whole
catalog and names the line: with half a catalog, tickets would get request types that are wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ...domain.catalog import SLA, SLA_UNITS, RequestType, ServiceCatalog, fold, sla_unit
from ...errors import CatalogError
from ..yaml_nodes import WrongYAML as _Wrong
from ..yaml_nodes import compose

MAX_BYTES = 2 * 1024 * 1024

_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"


def parse_catalog(content: bytes, name: str, *, hint: str = "Correct the catalog.") -> ServiceCatalog:
    """The catalog in `content`. Raises CatalogError, which calls the catalog `name` and carries `hint`."""
    if len(content) > MAX_BYTES:
        raise CatalogError(f"{name} is larger than {MAX_BYTES:,} bytes", hint=hint)
    if content.lstrip()[:1] == b"<":
        raise CatalogError(
            f"{name} is a web page, not YAML", hint="It is often a login page or an error page: check the URL."
        )
    try:
        return ServiceCatalog(tuple(_entries(compose(content, "the catalog"))))
    except _Wrong as wrong:
        raise CatalogError(wrong.of(name), hint=hint) from None


def _entries(document: Node) -> Iterator[RequestType]:
    catalog = _field(_fields(document), "service_catalog", document)
    catalog = _field(_fields(catalog), "catalog", catalog)
    categories: dict[str, str] = {}
    for category in _items(_field(_fields(catalog), "categories", catalog), "categories"):
        fields = _fields(category)
        name = _name(fields, category, "category")
        _refuse_duplicate(name, categories, category, "category")
        request_types: dict[str, str] = {}
        for request in _items(_field(fields, "requests", category), f"category '{name}'"):
            entry = _entry(name, request)
            _refuse_duplicate(entry.name, request_types, request, "request type")
            yield entry


def _entry(category: str, request: Node) -> RequestType:
    fields = _fields(request)
    name = _name(fields, request, "request type")
    return RequestType(
        category=category,
        name=name,
        sla=_sla(_field(fields, "sla", request), name),
        description=_text(fields["description"]) if "description" in fields else "",
        keywords=_texts(fields.get("keywords")),
        examples=_texts(fields.get("examples")),
    )


def _sla(node: Node, request_type: str) -> SLA:
    fields = _fields(node)
    value_node, unit_node = _field(fields, "value", node), _field(fields, "unit", node)
    value, unit = _number(value_node), sla_unit(_text(unit_node))
    if value is None or value < 0:
        raise _Wrong(f"the SLA value of '{request_type}' is not a number of at least 0", _line(value_node))
    if unit is None:
        raise _Wrong(f"the SLA unit of '{request_type}' is not one of {', '.join(SLA_UNITS)}", _line(unit_node))
    return SLA(value, unit)


def _number(node: Node) -> int | float | None:
    if node.tag not in (f"{_TAG}int", f"{_TAG}float"):
        return None
    try:
        number = float(node.value)
    except ValueError:  # YAML allows forms that nobody uses for an SLA: 0x10, 1:30.
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def _refuse_duplicate(name: str, seen: dict[str, str], node: Node, what: str) -> None:
    key = fold(name)
    if key in seen:
        raise _Wrong(
            f"{what} '{name}' occurs twice (as '{seen[key]}'), if case and white space are ignored", _line(node)
        )
    seen[key] = name


def _name(fields: dict[str, Node], parent: Node, what: str) -> str:
    name = _text(_field(fields, "name", parent)).strip()
    if not name:
        raise _Wrong(f"a {what} has no name", _line(fields["name"]))
    return name


def _fields(node: Node) -> dict[str, Node]:
    if not isinstance(node, MappingNode):
        raise _Wrong("expected `name: value` pairs", _line(node))
    fields: dict[str, Node] = {}
    for key, value in node.value:
        name = _text(key)
        if isinstance(value, ScalarNode) and not value.value and not value.style:
            # The parser places an empty value where the next element begins, which is often a later line.
            value.start_mark = key.start_mark
        fields[name] = value
    return fields


def _field(fields: dict[str, Node], name: str, parent: Node) -> Node:
    if name not in fields:
        raise _Wrong(f"'{name}' is missing", _line(parent))
    return fields[name]


def _items(node: Node, what: str) -> list[Node]:
    if not isinstance(node, SequenceNode) or not node.value:
        raise _Wrong(f"expected a list with at least one item for {what}", _line(node))
    return list(node.value)


def _texts(node: Node | None) -> tuple[str, ...]:
    if node is None or (isinstance(node, SequenceNode) and not node.value):
        return ()
    return tuple(_text(item) for item in _items(node, "texts"))


def _text(node: Node) -> str:
    """A scalar as it is written: a name such as 2024 or `no` stays what its author sees."""
    if not isinstance(node, ScalarNode):
        raise _Wrong("expected a text", _line(node))
    if _SURROGATE.search(node.value):
        raise _Wrong("this text holds half of a surrogate pair", _line(node))
    return "" if node.tag == f"{_TAG}null" else str(node.value)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
