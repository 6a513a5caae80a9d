"""The work folder, with a folder for each run, with a file for each stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ...application.ports import Run
from ...domain.catalog import ServiceCatalog
from ...domain.run_id import is_run_id
from ...domain.ticket import AttributedTicket, Ticket
from ...domain.usage import Bill
from ...errors import StageFileError
from ..files import remove_folder
from .attributions import read_attributions, write_attributions
from .catalog_and_tickets import write_catalog, write_tickets
from .header import Kind


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """The stage files `root/<run id>/<kind>.json`."""

    root: Path

    def path(self, run_id: str, kind: Kind) -> Path:
        """Where the stage file lies, whether or not it exists."""
        return self.root / run_id / f"{kind}.json"

    def newest(self, kind: Kind) -> Path:
        """The path of the file of the newest run, even if only older runs have one. Raises StageFileError."""
        runs = self.runs()
        if not runs:
            raise StageFileError(f"{self.root} has no run", hint="Run `ticketattr fetch` first.")
        return self.path(runs[-1], kind)

    def runs(self) -> list[str]:
        try:
            return sorted(path.name for path in self.root.iterdir() if is_run_id(path.name))
        except OSError:
            return []

    def remove(self, run_id: str) -> None:
        remove_folder(self.root / run_id)

    def save_catalog(self, catalog: ServiceCatalog, run: Run) -> None:
        write_catalog(self.path(run.id, "catalog"), catalog, run)

    def save_tickets(self, tickets: Sequence[Ticket], run: Run) -> None:
        write_tickets(self.path(run.id, "tickets"), tickets, run)

    def save_attributions(self, tickets: Sequence[AttributedTicket], run: Run, bill: Bill) -> datetime:
        return write_attributions(self.path(run.id, "attributions"), tickets, run, bill)

    def attributed(self, run_id: str) -> list[AttributedTicket]:
        return read_attributions(self.path(run_id, "attributions")).data
