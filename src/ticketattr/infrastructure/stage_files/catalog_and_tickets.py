"""The result of `fetch`: the catalog, and then the tickets. If tickets.json exists, the fetch is complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ...application.ports import Run
from ...domain.catalog import RequestType, Scope, ServiceCatalog
from ...domain.service_hours import ServiceHours
from ...domain.ticket import Ticket
from ...errors import CatalogError, StageFileError
from ..files import shown_path
from .header import (
    StageFile,
    checked,
    checked_items,
    parse_header,
    read_stage_file,
    refuse_impossible_slas,
    remedy,
    stage_file,
    write_items,
    write_stage_file,
)


@dataclass(frozen=True, slots=True)
class _HoursOf:
    """`hours` is a place in the list of service hours; None is a clock that never stops."""

    scope: Scope
    hours: int | None = None


@dataclass(frozen=True, slots=True)
class _Catalog:
    """Service hours that several parts of the catalog share are there once."""

    entries: tuple[RequestType, ...]
    service_hours: tuple[ServiceHours, ...] = ()
    hours_of: tuple[_HoursOf, ...] = ()


_CATALOG = TypeAdapter(_Catalog)
_TICKET = TypeAdapter(Ticket)
_TICKETS = TypeAdapter(list[Ticket])


def write_catalog(path: Path, catalog: ServiceCatalog, run: Run) -> None:
    """Write the catalog as a stage file."""
    different = dict.fromkeys(hours for hours in catalog.service_hours.values() if hours)
    places = {hours: place for place, hours in enumerate(different)}
    parts = tuple(_HoursOf(scope, places[hours] if hours else None) for scope, hours in catalog.service_hours.items())
    data = _CATALOG.dump_python(_Catalog(catalog.entries, tuple(different), parts), mode="json", exclude_none=True)
    for hours in data["service_hours"]:
        hours["closed"].sort()
    write_stage_file(path, "catalog", run, data)


def read_catalog(path: Path) -> StageFile[ServiceCatalog]:
    """The catalog in the stage file at `path`. Raises StageFileError, also if two of its entries have the same name."""
    return _catalog_of(read_stage_file(path, "catalog"), path)


def parse_catalog_file(content: bytes, path: Path) -> StageFile[ServiceCatalog]:
    """The same for the `content` of the file at `path`."""
    return _catalog_of(stage_file(parse_header(content, path, "catalog"), path, "catalog"), path)


def _catalog_of(file: StageFile[Any], path: Path) -> StageFile[ServiceCatalog]:
    try:
        found = checked(_CATALOG, file.data, path)
        refuse_impossible_slas(
            (sla for entry in found.entries for sla in (entry.sla, entry.response) if sla), path, "catalog"
        )
        hours = {part.scope: None if part.hours is None else found.service_hours[part.hours] for part in found.hours_of}
        return StageFile(file.run_id, file.generated_at, ServiceCatalog(found.entries, hours))
    except (CatalogError, IndexError) as error:
        reason = error if isinstance(error, CatalogError) else "it names service hours that it does not have"
        raise StageFileError(f"{shown_path(path)}: {reason}", hint=remedy("catalog")) from error


def write_tickets(path: Path, tickets: Sequence[Ticket], run: Run) -> None:
    """Write the tickets as a stage file."""
    write_items(path, "tickets", run, (_TICKET.dump_python(ticket, mode="json") for ticket in tickets))


def read_tickets(path: Path) -> StageFile[list[Ticket]]:
    """The tickets in the stage file at `path`. Raises StageFileError."""
    file = read_stage_file(path, "tickets")
    tickets = list(checked_items(_TICKETS, file.data, path))
    refuse_impossible_slas((ticket.sla for ticket in tickets if ticket.sla), path, "tickets")
    return StageFile(file.run_id, file.generated_at, tickets)
