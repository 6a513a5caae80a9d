"""The service catalog as YAML.

    service_catalog.catalog.categories[].{name, requests[].{name, sla: {value, unit}}}

A request type may have `description`, `keywords` and `examples`; an SLA may have a `response` of its own.
`service_hours` may stand beside `categories`, in a category and in a request type (`service_hours.py`); the one that
is nearest to a request type counts. Other fields are ignored, but not those of an SLA, and not those that look like a
misspelt known one. An error refuses the whole catalog and names every mistake with its line: with half a catalog,
tickets would get request types that are wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

from ruamel.yaml.nodes import Node

from ...domain.catalog import SLA, SLA_UNITS, RequestType, Scope, ServiceCatalog, SLAUnit, fold, sla_unit
from ...domain.service_hours import ServiceHours
from ...domain.wording import some_of
from ...errors import CatalogError
from ..yaml_nodes import ManyWrong, WrongYAML, compose, line_of
from .holiday_dates import holiday_dates
from .service_hours import parse_service_hours
from .yaml_fields import field_of, fields_of, is_text, items_of, number_of, text_of, texts_of

MAX_BYTES = 2 * 1024 * 1024
MAX_SERVICE_HOURS = 100
"""The most different service hours in one catalog: each may hold the holidays of a century."""

_MAX_REGIONS = 20
_MAX_TYPOS = 3
_NAMED = 20
_SERVICE_HOURS = "service_hours"
_CATALOG_FIELDS = ("categories", _SERVICE_HOURS)
_CATEGORY_FIELDS = ("name", "requests", _SERVICE_HOURS)
_REQUEST_FIELDS = ("name", "sla", "description", "keywords", "examples", _SERVICE_HOURS)
_SLA_FIELDS = ("value", "unit")
_AMOUNT = re.compile(r"(\d+(?:[.,]\d+)?) ?([^\W\d]+)", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\d+,\d+")
_ABBREVIATIONS: dict[str, SLAUnit] = {
    "m": "minutes", "min": "minutes", "mins": "minutes", "h": "hours", "hr": "hours", "hrs": "hours", "d": "days",
}  # fmt: skip


def parse_catalog(content: bytes, name: str, *, hint: str = "Correct the catalog.") -> ServiceCatalog:
    """The catalog in `content`. Raises CatalogError, which calls the catalog `name` and carries `hint`."""
    if len(content) > MAX_BYTES:
        raise CatalogError(f"{name} is larger than {MAX_BYTES:,} bytes", hint=hint)
    if content.lstrip()[:1] == b"<":
        raise CatalogError(
            f"{name} is a web page, not YAML", hint="It is often a login page or an error page: check the URL."
        )
    try:
        return _parsed(content)
    except WrongYAML as wrong:
        raise CatalogError(wrong.of(name), hint=hint) from None
    except ManyWrong as many:
        named = some_of([f"line {wrong.line}: {wrong}" for wrong in many.found], _NAMED, separator="; ")
        raise CatalogError(f"{name}, {named}", hint=hint) from None


# A run reads the kept copy of the last catalog as well, which is nearly always the same. Parsing takes longer than all
# else that is done with a catalog.
@lru_cache(maxsize=4)
def _parsed(content: bytes) -> ServiceCatalog:
    return _catalog(compose(content, "the catalog"))


def _catalog(document: Node) -> ServiceCatalog:
    top = fields_of(document)
    outer = fields_of(field_of(top, "service_catalog", document))
    catalog = field_of(outer, "catalog", top["service_catalog"])
    fields = fields_of(catalog)
    for elsewhere in (top, outer):
        _refuse_misplaced(elsewhere)
    hours, mistakes = _HoursReader(), ManyWrong()
    with mistakes.collecting():
        _refuse_typos(fields, *_CATALOG_FIELDS)
    with mistakes.collecting():
        hours.read(fields, ())
    entries: list[RequestType] = []
    with mistakes.collecting():
        entries += _entries(field_of(fields, "categories", catalog), hours, mistakes)
    mistakes.raise_any()
    return ServiceCatalog(tuple(entries), hours.found)


def _entries(categories: Node, hours: _HoursReader, mistakes: ManyWrong) -> Iterator[RequestType]:
    names: dict[str, str] = {}
    for category in items_of(categories, "categories"):
        with mistakes.collecting():
            fields = fields_of(category)
            _refuse_typos(fields, *_CATEGORY_FIELDS)
            name = _name(fields, category, "category")
            _refuse_duplicate(name, names, category, "category")
            with mistakes.collecting():
                hours.read(fields, (name,))
            requests = items_of(field_of(fields, "requests", category), f"category '{name}'")
            yield from _requests(name, requests, hours, mistakes)


def _requests(category: str, requests: list[Node], hours: _HoursReader, mistakes: ManyWrong) -> Iterator[RequestType]:
    names: dict[str, str] = {}
    for request in requests:
        with mistakes.collecting():
            fields = fields_of(request)
            name = _name(fields, request, "request type")
            _refuse_duplicate(name, names, request, "request type")
            with mistakes.collecting():
                _refuse_typos(fields, *_REQUEST_FIELDS)
            with mistakes.collecting():
                hours.read(fields, (category, name))
            yield _entry(category, name, fields, request)


class _HoursReader:
    """The service hours of the whole catalog, of categories and of request types, as they are found."""

    def __init__(self) -> None:
        self.found: dict[Scope, ServiceHours | None] = {}
        self._different: set[ServiceHours | None] = set()
        self._regions: dict[str, frozenset[date]] = {}

    def read(self, fields: Mapping[str, Node], scope: Scope) -> None:
        """Keep what `fields` say of the service hours, where they say anything."""
        node = fields.get(_SERVICE_HOURS)
        if node is None:
            return
        self._different.add(parsed := parse_service_hours(node, self._holidays))
        if len(self._different) > MAX_SERVICE_HOURS:
            raise WrongYAML(f"more than {MAX_SERVICE_HOURS} different service hours", line_of(node))
        self.found[scope] = parsed

    def _holidays(self, region: str) -> frozenset[date]:
        if region not in self._regions:
            if len(self._regions) == _MAX_REGIONS:
                raise CatalogError(f"more than {_MAX_REGIONS} holiday regions")
            self._regions[region] = holiday_dates(region)
        return self._regions[region]


def _entry(category: str, name: str, fields: Mapping[str, Node], request: Node) -> RequestType:
    resolution, response = _slas(field_of(fields, "sla", request), name)
    return RequestType(
        category=category,
        name=name,
        sla=resolution,
        response=response,
        description=text_of(fields["description"]) if "description" in fields else "",
        keywords=texts_of(fields.get("keywords")),
        examples=texts_of(fields.get("examples")),
    )


def _slas(node: Node, request_type: str) -> tuple[SLA, SLA | None]:
    """The time to resolve, and the time to respond where there is one.

    The time to resolve is `value` and `unit` themselves, or those of `resolution`.
    """
    fields = _sla_fields(node, f"SLA of '{request_type}'")
    _refuse_misplaced(fields)
    if "resolution" in fields and ("value" in fields or "unit" in fields):
        raise WrongYAML(
            f"the SLA of '{request_type}' has a value and a resolution: keep one", line_of(fields["resolution"])
        )
    own = (*_SLA_FIELDS, "response") if "resolution" not in fields else ("resolution", "response")
    _refuse_unknown(fields, own, f"SLA of '{request_type}'")
    resolution = _sla(fields.get("resolution", node), "SLA", request_type)
    if "response" not in fields:
        return resolution, None
    _refuse_unknown(
        _sla_fields(fields["response"], f"response SLA of '{request_type}'"),
        _SLA_FIELDS,
        f"response SLA of '{request_type}'",
    )
    return resolution, _sla(fields["response"], "response SLA", request_type)


def _sla(node: Node, what: str, request_type: str) -> SLA:
    fields = _sla_fields(node, f"{what} of '{request_type}'")
    value_node, unit_node = field_of(fields, "value", node), field_of(fields, "unit", node)
    value, unit = number_of(value_node), sla_unit(text_of(unit_node))
    if value is None or value < 0:
        raise WrongYAML(
            f"the {what} value of '{request_type}' is not a number of at least 0{_value_advice(value_node)}",
            line_of(value_node),
        )
    if unit is None:
        units = ", ".join(SLA_UNITS)
        raise WrongYAML(
            f"the {what} unit of '{request_type}' is not one of {units}{_unit_advice(text_of(unit_node))}",
            line_of(unit_node),
        )
    sla = SLA(value, unit)
    if not sla.is_possible:
        raise WrongYAML(f"the {what} of '{request_type}' is more than 100 years", line_of(value_node))
    return sla


def _sla_fields(node: Node, what: str) -> dict[str, Node]:
    if is_text(node) and (amount := _amount(text_of(node))):
        raise WrongYAML(f"the {what} is one text: write {{value: {amount[0]}, unit: {amount[1]}}}", line_of(node))
    return fields_of(node)


def _value_advice(node: Node) -> str:
    """What to write in the place of a value that people often write, as the end of a sentence."""
    text = text_of(node).strip() if is_text(node) else ""
    if _DECIMAL_COMMA.fullmatch(text):
        return f": write {text.replace(',', '.')}, with a decimal point"
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return f": write {text} without quotes"
    if amount := _amount(text):
        return f": write value: {amount[0]} and unit: {amount[1]}"
    return ""


def _unit_advice(text: str) -> str:
    folded = fold(text)
    if unit := _ABBREVIATIONS.get(folded.rstrip(".")):
        return f": write {unit}"
    first, _, last = folded.partition(" ")
    if first in ("business", "working", "work") and (unit := sla_unit(last)):
        return f": write {unit}, and say in '{_SERVICE_HOURS}' when the desk works"
    return ""


def _amount(text: str) -> tuple[str, SLAUnit] | None:
    """A number and the unit of `4h` or `1,5 days`, or None."""
    match = _AMOUNT.fullmatch(text.strip())
    unit = (sla_unit(match[2]) or _ABBREVIATIONS.get(fold(match[2]))) if match else None
    return (match[1].replace(",", "."), unit) if match and unit else None


def _refuse_unknown(fields: Mapping[str, Node], known: tuple[str, ...], what: str) -> None:
    """An SLA may mean something else than its author thinks if a field of it is ignored."""
    for name, node in fields.items():
        if name in known:
            continue
        whole = text_of(fields["value"]) if "value" in fields and is_text(fields["value"]) else ""
        if name.isdecimal() and whole.isdecimal() and is_text(node) and not text_of(node):
            number = f"{whole}.{name}" if len(name) != len("000") else f"{whole}.{name} or value: {whole}{name}"
            raise WrongYAML(
                f"the {what} has the fields 'value: {whole}' and '{name}', because YAML reads no comma in a number: "
                f"write value: {number}",
                line_of(node),
            )
        raise WrongYAML(f"'{name}' is not a field of an SLA{_meant(name, known)}", line_of(node))


def _refuse_misplaced(fields: Mapping[str, Node]) -> None:
    if node := fields.get(_SERVICE_HOURS):
        raise WrongYAML(f"'{_SERVICE_HOURS}' belongs to 'catalog', to a category or to a request type", line_of(node))
    _refuse_typos(fields, _SERVICE_HOURS)


def _refuse_typos(fields: Mapping[str, Node], *known: str) -> None:
    """Unknown fields are ignored, but not those that somebody meant to be one of `known`."""
    for name, node in fields.items():
        if name not in known and (meant := _meant(name, known)):
            raise WrongYAML(f"'{name}' is not a field of the catalog{meant}", line_of(node))


def _meant(name: str, known: tuple[str, ...]) -> str:
    """A question for the field that is nearest to a misspelt `name`, or nothing."""
    wanted = name.strip().lower()
    for other in known:
        if wanted in (other, f"{other}s", other.removesuffix("s")) or wanted.replace("-", "_") == other:
            return f"; did you mean '{other}'?"
    near = [other for other in known if abs(len(wanted) - len(other)) <= _MAX_TYPOS and len(other) > _MAX_TYPOS]
    meant = get_close_matches(wanted, near, n=1, cutoff=0.8)
    return f"; did you mean '{meant[0]}'?" if meant else ""


def _refuse_duplicate(name: str, seen: dict[str, str], node: Node, what: str) -> None:
    key = fold(name)
    if key in seen:
        raise WrongYAML(
            f"{what} '{name}' occurs twice (as '{seen[key]}'), if case and white space are ignored", line_of(node)
        )
    seen[key] = name


def _name(fields: dict[str, Node], parent: Node, what: str) -> str:
    name = text_of(field_of(fields, "name", parent)).strip()
    if not name:
        raise WrongYAML(f"a {what} has no name", line_of(fields["name"]))
    return name
