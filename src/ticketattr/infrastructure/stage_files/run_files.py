"""Stage files that a command needs together, which must belong to the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...application.ports import AppliedRun
from ...application.report import AttributedRun
from ...domain.catalog import ServiceCatalog
from ...domain.correction import ReportedRun
from ...domain.ticket import AttributedTicket, Ticket
from ...errors import StageFileError
from ..catalog.yaml_format import MAX_BYTES as MAX_CATALOG
from ..catalog.yaml_format import parse_catalog
from ..files import STREAM, read_bounded, shown_path
from .applied import read_applied
from .attributions import AttributionsFile, AttributionStream, read_attributions
from .catalog_and_tickets import read_catalog, read_tickets
from .header import Kind, StageFile, stage_kind
from .work_folder import WorkFolder


@dataclass(frozen=True, slots=True)
class FetchedRun:
    """The result of the fetch of one run."""

    run_id: str
    catalog: ServiceCatalog
    tickets: list[Ticket]


def read_fetched(tickets_path: Path, catalog_path: Path | None, work: WorkFolder) -> FetchedRun:
    """The tickets and the catalog of a run; without `catalog_path`, the catalog in the folder of the run.

    Raises StageFileError, also if the two files belong to different runs.
    """
    tickets = read_tickets(tickets_path)
    catalog = _catalog("tickets", tickets.run_id, catalog_path, work)
    return FetchedRun(tickets.run_id, catalog, tickets.data)


def attributed_run(
    stage: AttributionsFile | AttributionStream,
    tickets: Sequence[AttributedTicket],
    catalog_path: Path | None,
    work: WorkFolder,
) -> AttributedRun:
    """The tickets of a stage file with the catalog and the changes of their run. Raises StageFileError."""
    catalog, applied = read_catalog_of(stage.run_id, catalog_path, work), read_applied_of(stage.run_id, work)
    return AttributedRun(stage.run_id, stage.generated_at, tickets, stage.bill, catalog, applied)


def read_catalog_of(run_id: str, catalog_path: Path | None, work: WorkFolder) -> ServiceCatalog | None:
    """The catalog of a run, at `catalog_path` or in the folder of the run; None if the folder does not have one.

    Raises StageFileError, also if the catalog belongs to another run.
    """
    path = catalog_path or work.path(run_id, "catalog")
    if not catalog_path and not path.exists():
        return None
    return _catalog("attributions", run_id, catalog_path, work)


def read_applied_of(run_id: str, work: WorkFolder) -> AppliedRun | None:
    """What a run changed in the helpdesk; None if it wrote nothing. Raises StageFileError."""
    path = work.path(run_id, "applied")
    if not path.exists():
        return None
    applied = read_applied(path)
    _refuse_another_run("attributions", run_id, "applied", applied)
    return applied.data


def read_reported(
    run_id: str, attributions_path: Path | None, catalog_path: Path | None, work: WorkFolder
) -> ReportedRun:
    """What the report of a run or of an audit was made from; without paths, the files in the folder of the run.

    A workbook that does not name a run (`run_id` is empty) belongs to the run of `attributions_path`. Raises
    StageFileError, also if a file belongs to another run.
    """
    if not run_id and attributions_path is None:
        raise StageFileError(
            "the workbook does not name a run",
            hint="Give a workbook that names its run, or the attributions of its run with `--input`.",
        )
    work = work.holding(run_id)
    attributions = read_attributions(attributions_path or work.path(run_id, "attributions"))
    run_id = run_id or attributions.run_id
    catalog = _catalog("workbook", run_id, catalog_path, work)
    _refuse_another_run("workbook", run_id, "attributions", attributions)
    return ReportedRun(run_id, catalog, attributions.data)


def _catalog(what: str, run_id: str, path: Path | None, work: WorkFolder) -> ServiceCatalog:
    """The catalog at `path`, or in the folder of the run of `what`; YAML belongs to any run."""
    if path and (path == STREAM or path.exists()) and not stage_kind(path):
        return parse_catalog(read_bounded(path, MAX_CATALOG), shown_path(path))
    catalog = read_catalog(path or work.path(run_id, "catalog"))
    _refuse_another_run(what, run_id, "catalog", catalog)
    return catalog.data


def _refuse_another_run(what: str, run_id: str, other: Kind, file: StageFile[Any]) -> None:
    if file.run_id != run_id:
        raise StageFileError(
            f"{what} and {other} belong to different runs, {run_id} and {file.run_id}",
            hint="Give files of the same run.",
        )
