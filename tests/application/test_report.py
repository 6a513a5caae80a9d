"""Reports of any number of tickets, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from ticketattr.application.ports import ReportLog, ReportWriter, StageFiles
from ticketattr.application.report import AttributedRun, Reporting, RowCounts, report_name, stream_report
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.report import Row
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket, Unattributed

from ..fakes import CATALOG, LAPTOP, MIDNIGHT


class Rows:
    """Keeps the rows that were written, and sorts them the other way round."""

    def __init__(self) -> None:
        self.written: dict[Path, list[Row]] = {}

    def write_rows(self, rows: Iterable[Row], path: Path) -> None:
        self.written[path] = list(rows)

    @contextmanager
    def reversed(self, rows: Iterable[Row]) -> Iterator[Iterator[Row]]:
        yield reversed(list(rows))


# A stream is compared with no earlier report, and written row by row.
REPORTING = Reporting(
    *(cast(ReportWriter, None), cast(StageFiles, None), cast(ReportLog, None), "smtp", 0.7),
    ticket_url="https://desk.example.com/{id}",
    time_zone="Asia/Tokyo",
)
TICKETS = [
    AttributedTicket(Ticket("1", "Screen", created_at="2026-11-20T00:00:00Z"), Attribution(LAPTOP, "model", 0.6)),
    AttributedTicket(Ticket("2", "Lunch?"), Unattributed("no_match")),
    AttributedTicket(Ticket("3", "Screen"), Attribution(LAPTOP, "model", 0.7)),
]


def streamed(tickets: Iterable[AttributedTicket], catalog: ServiceCatalog | None) -> tuple[RowCounts, list[Row]]:
    rows, path = Rows(), Path("report.parquet")
    run = AttributedRun("run", MIDNIGHT, (), catalog=catalog)
    counts = stream_report(run, tickets, REPORTING, rows, rows.reversed, path)
    return counts, rows.written[path]


def test_rows_are_written_in_the_order_of_a_report_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    counts, rows = streamed(iter(TICKETS), CATALOG)
    assert counts == RowCounts(rows=3, attributed=2)
    assert [(row.id, row.place, row.request_type) for row in rows] == [
        *(("3", 3, "Laptop Repair"), ("2", 2, ""), ("1", 1, "Laptop Repair")),
    ]
    assert [bool(row.needs_review) for row in rows] == [False, True, True]
    assert (rows[2].url, str(rows[2].due)) == ("https://desk.example.com/1", "2026-11-23 09:00:00+09:00")
    assert (rows[2].overdue_by, rows[2].urgency) == (None, "due within a day")
    assert caplog.messages == ["report written: 3 rows, 2 attributed"]


def test_without_a_catalog_no_row_is_due_and_that_is_told(caplog: pytest.LogCaptureFixture) -> None:
    counts, rows = streamed(TICKETS, None)
    assert (counts.rows, {row.due for row in rows}) == (3, {None})
    assert caplog.messages == ["the catalog of run run is missing: the report has no drop-down lists and no due times"]


def test_a_stream_without_tickets_is_a_report_without_rows() -> None:
    assert streamed([], CATALOG) == (RowCounts(), [])


def test_a_report_has_the_name_of_its_run_and_format() -> None:
    assert report_name("20261123T150301Z-7f3a") == "ticket-attribution-20261123T150301Z-7f3a.xlsx"
    assert report_name("r", "parquet") == "ticket-attribution-r.parquet"
