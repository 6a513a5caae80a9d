"""The report as an Excel workbook: sheets `Summary`, `Act now`, `Needs review`, `Tickets`, two hidden ones.

Rows are written one by one, so that a large queue takes little memory. A custom property holds the id of the run. All
times come from the report, so that the same report always results in the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from ....application.audit_labels import AuditedHistory
from ....domain.report import Report
from ....errors import InputError
from ...files import output
from ...leftovers import temporary_folder
from ..labels import words_of
from ..run_id_reader import RUN_ID_PROPERTY
from .act_now import write_act_now_sheet
from .audit import write_findings_sheet
from .catalog import write_catalog_sheet
from .cells import MAX_CELL
from .figures import write_figures_sheet
from .review import write_review_sheet
from .styles import make_styles
from .summary import write_summary_sheet
from .tickets import MAX_ROWS, write_tickets_sheet

__all__ = ["MAX_CELL", "ExcelReports", "write_audit_workbook", "write_workbook"]


@dataclass(frozen=True, slots=True)
class ExcelReports:
    """Writes reports as workbooks; a path of `-` is stdout."""

    def write(self, report: Report, path: Path) -> None:
        with output(path) as file:
            write_workbook(report, file)


def write_workbook(report: Report, file: IO[bytes]) -> None:
    """Write the workbook into `file`.

    Raises InputError when there are more tickets than a sheet has rows, and OSError when the disk fails.
    """
    _write(report, file, lambda workbook: _write_sheets(workbook, report))


def write_audit_workbook(audited: AuditedHistory, path: Path) -> None:
    """Write the workbook of an audit to `path`: the sheets `Tickets` and `Findings`, and the hidden catalog.

    Raises the same as `write_workbook`.
    """
    with output(path) as file:
        _write(audited.report, file, lambda workbook: _write_audit_sheets(workbook, audited))


def _write(report: Report, file: IO[bytes], write_sheets: Callable[[Workbook], None]) -> None:
    if len(report.rows) > MAX_ROWS:
        raise InputError(
            f"a sheet holds {MAX_ROWS:,} tickets, and the report has {len(report.rows):,}",
            hint="Use `ticketattr report --format csv`.",
        )
    # XlsxWriter keeps rows in temporary files. They get a folder of their own, which is removed in any case.
    with _archive_target(file) as target, temporary_folder() as folder:
        workbook = Workbook(target, {"constant_memory": True, "tmpdir": folder, "use_zip64": True})
        write_sheets(workbook)
        try:
            workbook.close()
        except FileCreateError as error:
            cause = error.args[0]  # XlsxWriter wraps the OSError.
            raise cause if isinstance(cause, OSError) else error from None


class _ArchiveTarget:
    """The file that XlsxWriter gives to `zipfile`."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file: Any = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


class _Discard:
    """A file that counts what is written, and keeps none of it."""

    def __init__(self) -> None:
        self._position = 0

    def seek(self, position: int) -> None:
        self._position = position

    def tell(self) -> int:
        return self._position

    def write(self, content: bytes) -> None:
        self._position += len(content)

    def flush(self) -> None:
        pass


@contextmanager
def _archive_target(file: IO[bytes]) -> Iterator[Any]:
    """Give `file` to `zipfile`, and take it away when writing fails.

    A `ZipFile` that was not closed writes the end of its archive when Python deletes it. By then our file is
    closed or the disk is full, and Python would print an ignored exception.
    """
    target = _ArchiveTarget(file)
    try:
        yield target
    except BaseException:
        target.file = _Discard()
        raise


def _write_sheets(workbook: Workbook, report: Report) -> None:
    _describe(workbook, report)
    styles = make_styles(workbook, words_of(report).section("format")["spreadsheet time"])
    write_summary_sheet(workbook, report, styles)
    write_act_now_sheet(workbook, report, styles)
    write_review_sheet(workbook, report, styles)
    write_tickets_sheet(workbook, report, styles)
    if report.context.catalog:
        write_catalog_sheet(workbook, report.context.catalog, styles)
    write_figures_sheet(workbook, report)


def _write_audit_sheets(workbook: Workbook, audited: AuditedHistory) -> None:
    report = audited.report
    _describe(workbook, report)
    styles = make_styles(workbook, words_of(report).section("format")["spreadsheet time"])
    write_findings_sheet(workbook, audited, styles)
    write_tickets_sheet(workbook, report, styles)
    if report.context.catalog:
        write_catalog_sheet(workbook, report.context.catalog, styles)


def _describe(workbook: Workbook, report: Report) -> None:
    workbook.set_properties(
        {
            "title": f"{words_of(report).text('Ticket attribution')} {report.run_id}",
            "author": "ticketattr",
            "created": report.generated_at.replace(tzinfo=None),
        }
    )
    workbook.set_custom_property(RUN_ID_PROPERTY, report.run_id, "text")
