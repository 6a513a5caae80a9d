"""The service catalog as YAML.

    service_catalog.catalog.categories[].{name, requests[].{name, sla: {value, unit}}}

A request type may have `description`, `keywords` and `examples`; an SLA may have a `response` of its own.
`service_hours` may stand beside `categories`, in a category and in a request type (`service_hours.py`); the one that
is nearest to a request type counts. Other fields are ignored. An error refuses the whole catalog and names the line:
with half a catalog, tickets would get request types that are wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node

from ...domain.catalog import SLA, SLA_UNITS, RequestType, Scope, ServiceCatalog, fold, sla_unit
from ...domain.sanitizing import truncate
from ...domain.service_hours import ServiceHours
from ...errors import CatalogError
from ..yaml_nodes import WrongYAML, compose, line_of
from .holiday_dates import holiday_dates
from .service_hours import parse_service_hours
from .yaml_fields import field_of, fields_of, items_of, number_of, text_of, texts_of

MAX_BYTES = 2 * 1024 * 1024
MAX_SERVICE_HOURS = 100
"""The most different service hours in one catalog: each may hold the holidays of a century."""

_MAX_REGIONS = 20
_LONGEST_REASON = 500
_MAX_TYPOS = 3
_SERVICE_HOURS = "service_hours"


def parse_catalog(content: bytes, name: str, *, hint: str = "Correct the catalog.") -> ServiceCatalog:
    """The catalog in `content`. Raises CatalogError, which calls the catalog `name` and carries `hint`."""
    if len(content) > MAX_BYTES:
        raise CatalogError(f"{name} is larger than {MAX_BYTES:,} bytes", hint=hint)
    if content.lstrip()[:1] == b"<":
        raise CatalogError(
            f"{name} is a web page, not YAML", hint="It is often a login page or an error page: check the URL."
        )
    try:
        return _catalog(compose(content.decode("utf-8-sig")))
    except WrongYAML as wrong:
        raise CatalogError(f"{name}, line {wrong.line}: {truncate(str(wrong), _LONGEST_REASON)}", hint=hint) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        reason = " ".join(filter(None, (error.context, error.problem)))
        raise CatalogError(f"{name}{line} is not valid YAML: {truncate(reason, _LONGEST_REASON)}", hint=hint) from error
    except (YAMLError, UnicodeDecodeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise CatalogError(f"{name} is not valid YAML: {truncate(reason, _LONGEST_REASON)}", hint=hint) from error


def _catalog(document: Node) -> ServiceCatalog:
    top = fields_of(document)
    outer = fields_of(field_of(top, "service_catalog", document))
    catalog = field_of(outer, "catalog", top["service_catalog"])
    fields = fields_of(catalog)
    for elsewhere in (top, outer):
        _refuse_misplaced(elsewhere)
    hours = _HoursReader()
    hours.read(fields, ())
    entries = tuple(_entries(field_of(fields, "categories", catalog), hours))
    return ServiceCatalog(entries, hours.found)


def _entries(categories: Node, hours: _HoursReader) -> Iterator[RequestType]:
    names: dict[str, str] = {}
    for category in items_of(categories, "categories"):
        fields = fields_of(category)
        name = _name(fields, category, "category")
        _refuse_duplicate(name, names, category, "category")
        hours.read(fields, (name,))
        request_types: dict[str, str] = {}
        for request in items_of(field_of(fields, "requests", category), f"category '{name}'"):
            entry = _entry(name, request)
            _refuse_duplicate(entry.name, request_types, request, "request type")
            hours.read(fields_of(request), entry.pair)
            yield entry


class _HoursReader:
    """The service hours of the whole catalog, of categories and of request types, as they are found."""

    def __init__(self) -> None:
        self.found: dict[Scope, ServiceHours | None] = {}
        self._different: set[ServiceHours | None] = set()
        self._regions: dict[str, frozenset[date]] = {}

    def read(self, fields: Mapping[str, Node], scope: Scope) -> None:
        """Keep what `fields` say of the service hours, where they say anything."""
        _refuse_typos(fields, _SERVICE_HOURS)
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


def _entry(category: str, request: Node) -> RequestType:
    fields = fields_of(request)
    name = _name(fields, request, "request type")
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
    fields = fields_of(node)
    _refuse_misplaced(fields)
    _refuse_typos(fields, "response", "resolution")
    if "resolution" in fields and ("value" in fields or "unit" in fields):
        raise WrongYAML(
            f"the SLA of '{request_type}' has a value and a resolution: keep one", line_of(fields["resolution"])
        )
    resolution = _sla(fields.get("resolution", node), "SLA", request_type)
    response = _sla(fields["response"], "response SLA", request_type) if "response" in fields else None
    return resolution, response


def _sla(node: Node, what: str, request_type: str) -> SLA:
    fields = fields_of(node)
    value_node, unit_node = field_of(fields, "value", node), field_of(fields, "unit", node)
    value, unit = number_of(value_node), sla_unit(text_of(unit_node))
    if value is None or value < 0:
        raise WrongYAML(f"the {what} value of '{request_type}' is not a number of at least 0", line_of(value_node))
    if unit is None:
        units = ", ".join(SLA_UNITS)
        raise WrongYAML(f"the {what} unit of '{request_type}' is not one of {units}", line_of(unit_node))
    return SLA(value, unit)


def _refuse_misplaced(fields: Mapping[str, Node]) -> None:
    if node := fields.get(_SERVICE_HOURS):
        raise WrongYAML(f"'{_SERVICE_HOURS}' belongs to 'catalog', to a category or to a request type", line_of(node))
    _refuse_typos(fields, _SERVICE_HOURS)


def _refuse_typos(fields: Mapping[str, Node], *known: str) -> None:
    """Unknown fields are ignored, but not those that somebody meant to be one of `known`."""
    for name, node in fields.items():
        if name in known or all(abs(len(name) - len(other)) > _MAX_TYPOS for other in known):
            continue
        meant = get_close_matches(name.strip().lower(), known, n=1, cutoff=0.87)
        if meant:
            raise WrongYAML(f"'{name}' is not a field of the catalog; did you mean '{meant[0]}'?", line_of(node))


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
