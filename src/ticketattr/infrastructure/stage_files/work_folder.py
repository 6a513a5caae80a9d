"""The work folder, with a folder for each run, with a file for each stage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ...application.ports import AppliedRun, Run
from ...domain.catalog import ServiceCatalog
from ...domain.numbers import time_of
from ...domain.run_id import began_at, is_run_id
from ...domain.ticket import AttributedTicket, Ticket
from ...domain.usage import Bill
from ...errors import StageFileError
from ..files import keep_others_out, make_private_folder, open_regular, remove_folder, replacing
from .applied import write_applied
from .attributions import read_attributions, write_attributions
from .catalog_and_tickets import write_catalog, write_tickets
from .header import Kind

_ORDER = "run-order.txt"
_AUDITS = "audits"
_OURS = re.compile(
    r"\.?(?:(?:answers|corrections|service)\.db|(?:service-catalog|run-history|queue|inspected-workbooks)\.json"
    r"|run-order\.txt|service|audits)(?:[.-].*)?"
)
_LONGEST_ORDER = 1024 * 1024
_LONGEST_OVERLAP = timedelta(minutes=10)
"""Of two runs at the same time, the one that began later may write its first file before the other one."""


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """The stage files `root/<run id>/<kind>.json`."""

    root: Path

    def path(self, run_id: str, kind: Kind) -> Path:
        """Where the stage file lies, whether or not it exists."""
        return self.root / run_id / f"{kind}.json"

    @property
    def audits(self) -> WorkFolder:
        """Where audits of labels keep their files. They are not runs, so nothing that looks for runs finds them."""
        return WorkFolder(self.root / _AUDITS)

    def holding(self, run_id: str) -> WorkFolder:
        """The folder of audits if one of them has this id, or else this folder, whether or not it has the run."""
        is_audit = is_run_id(run_id) and (self.audits.root / run_id).is_dir() and not (self.root / run_id).is_dir()
        return self.audits if is_audit else self

    def newest(self, kind: Kind) -> Path:
        """The path of the file of the newest run, even if only older runs have one. Raises StageFileError."""
        runs = self.runs()
        if not runs:
            raise StageFileError(f"{self.root} has no run", hint="Run `ticketattr fetch` first.")
        return self.path(runs[-1], kind)

    def runs(self) -> list[str]:
        try:
            here = sorted(path.name for path in self.root.iterdir() if is_run_id(path.name))
        except OSError:
            return []
        order = [run for run in self._order() if run in here]
        for run in here:
            if run not in order:
                order.insert(max((place for place, other in enumerate(order, 1) if other < run), default=0), run)
        return order

    def touched_at(self, run_id: str) -> datetime | None:
        try:
            return time_of((self.root / run_id).lstat().st_mtime)
        except OSError:
            return None

    def remove(self, run_id: str) -> None:
        remove_folder(self.root / run_id)

    def save_catalog(self, catalog: ServiceCatalog, run: Run) -> None:
        self.keep_order(run)
        write_catalog(self.path(run.id, "catalog"), catalog, run)

    def save_tickets(self, tickets: Sequence[Ticket], run: Run) -> None:
        self.keep_order(run)
        write_tickets(self.path(run.id, "tickets"), tickets, run)

    def save_attributions(self, tickets: Sequence[AttributedTicket], run: Run, bill: Bill) -> datetime:
        self.keep_order(run)
        return write_attributions(self.path(run.id, "attributions"), tickets, run, bill)

    def save_applied(self, applied: AppliedRun, run: Run) -> None:
        write_applied(self.path(run.id, "applied"), applied, run)

    def keep_order(self, run: Run) -> None:
        """Make the folder, and keep that `run` comes after all others if the clock was set back since they began.

        `run` has no files yet. Only the owner may enter the folder, unless it holds files of others.

        Raises SettingsError or ServiceError.
        """
        make_private_folder(self.root)
        runs = self.runs()
        if self._is_only_ours():
            # Without runs, this program has only just made it, for its other files.
            keep_others_out(self.root, says_so=bool(runs))
        latest, began = began_at(max(runs, default="")), began_at(run.id)
        if run.id not in runs and latest and began and latest - began > _LONGEST_OVERLAP:
            with replacing(self.root / _ORDER) as file:
                file.writelines(f"{each}\n".encode() for each in (*runs, run.id))

    def _is_only_ours(self) -> bool:
        """Whether the folder holds nothing that others may have put there for others."""
        return all(is_run_id(path.name) or _OURS.fullmatch(path.name) for path in self.root.iterdir())

    def _order(self) -> list[str]:
        """The runs in the order in which they were made, as far as it is not that of their ids."""
        try:
            with open_regular(self.root / _ORDER) as file:
                lines = file.read(_LONGEST_ORDER).decode("ascii", "replace").split()
        except OSError:
            return []
        return list(dict.fromkeys(filter(is_run_id, lines)))

    def attributed(self, run_id: str) -> list[AttributedTicket]:
        return read_attributions(self.path(run_id, "attributions")).data
