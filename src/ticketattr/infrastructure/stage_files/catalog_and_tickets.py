"""The result of `fetch`: the catalog, and then the tickets. If tickets.json exists, the fetch is complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from ...application.ports import Run
from ...domain.catalog import RequestType, ServiceCatalog
from ...domain.ticket import Ticket
from ...errors import CatalogError, StageFileError
from ..files import shown_path
from .header import StageFile, checked, read_stage_file, remedy, write_stage_file


@dataclass(frozen=True, slots=True)
class _Catalog:
    entries: tuple[RequestType, ...]


_ENTRIES = TypeAdapter(tuple[RequestType, ...])
_CATALOG = TypeAdapter(_Catalog)
_TICKETS = TypeAdapter(list[Ticket])


def write_catalog(path: Path, catalog: ServiceCatalog, run: Run) -> None:
    """Write the catalog as a stage file."""
    write_stage_file(path, "catalog", run, {"entries": _ENTRIES.dump_python(catalog.entries, mode="json")})


def read_catalog(path: Path) -> StageFile[ServiceCatalog]:
    """The catalog in the stage file at `path`. Raises StageFileError, also if two of its entries have the same name."""
    file = read_stage_file(path, "catalog")
    entries = checked(_CATALOG, file.data, path).entries
    try:
        return StageFile(file.run_id, file.generated_at, ServiceCatalog(entries))
    except CatalogError as error:
        raise StageFileError(f"{shown_path(path)}: {error}", hint=remedy("catalog")) from error


def write_tickets(path: Path, tickets: Sequence[Ticket], run: Run) -> None:
    """Write the tickets as a stage file."""
    write_stage_file(path, "tickets", run, _TICKETS.dump_python(list(tickets), mode="json"))


def read_tickets(path: Path) -> StageFile[list[Ticket]]:
    """The tickets in the stage file at `path`. Raises StageFileError."""
    file = read_stage_file(path, "tickets")
    return StageFile(file.run_id, file.generated_at, checked(_TICKETS, file.data, path))
