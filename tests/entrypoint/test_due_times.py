"""Due times, from the service catalog and the queue to the report."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ticketattr.domain.report import Report, Row
from ticketattr.infrastructure.reports.corrections_reader import read_reviewed
from ticketattr.infrastructure.reports.excel import ExcelReports
from ticketattr.infrastructure.words import words

from ..conftest import CLI
from ..fakes import MIDNIGHT
from ..workbooks import field_of, tickets_table

CATALOG = """\
service_catalog:
  catalog:
{hours}
    categories:
    - name: Access
      requests:
      - name: Password Reset
        keywords: [password]
        sla: {{value: 4, unit: hours, response: {{value: 30, unit: minutes}}}}
    - name: Other
      requests:
      - name: General Inquiry
        sla: {{value: 1.5, unit: weeks}}
"""
NEVER_TODAY = "    service_hours: {time_zone: UTC, hours: {mon-sun: 0-24}, closed: [%s]}"


def a_ticket(created_at: str = "", **fields: str) -> dict[str, str]:
    pair = {"request_category": "Access", "request_type": "Password Reset"}
    return {"id": "1", "short_description": "forgot my password", "created_at": created_at, **pair, **fields}


def set_up(cli: CLI, *tickets: dict[str, str], hours: str = "") -> None:
    (cli.folder / "queue.json").write_text(json.dumps(tickets))
    (cli.folder / "catalog.yaml").write_text(CATALOG.format(hours=hours))
    cli.settings |= {"HELPDESK_API_URL": "queue.json", "SERVICE_CATALOG_URL": "catalog.yaml"}


def csv_rows(cli: CLI) -> list[dict[str, str]]:
    text = cli.ok("report", "--format", "csv", "-o", "-").stdout.lstrip("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def classified(cli: CLI) -> None:
    cli.ok("fetch")
    cli.ok("classify")


def texts(workbook: Path, sheet: str) -> list[str]:
    lines = openpyxl.load_workbook(workbook)[sheet].iter_rows(values_only=True)
    return [str(value) for line in lines for value in line if value is not None]


def test_every_format_says_when_a_ticket_is_due(cli: CLI) -> None:
    set_up(cli, a_ticket("2026-11-20T10:00:00Z"))
    cli.settings["TIME_ZONE"] = "Europe/Berlin"
    classified(cli)
    (row,) = csv_rows(cli)
    assert (row["due"], row["response_due"]) == ("2026-11-20T15:00:00+01:00", "2026-11-20T11:30:00+01:00")
    assert row["urgency"] == "overdue"
    assert float(row["overdue_by"]) > 100
    cli.ok("report", "-o", "report.xlsx")
    (ticket,) = tickets_table(cli.folder / "report.xlsx")
    assert (str(ticket["due"]), str(ticket["created_at"])) == ("2026-11-20 15:00:00", "2026-11-20 11:00:00")
    page = cli.ok("report", "--format", "html", "-o", "-").stdout
    assert "2026-11-20 15:00" in page
    assert "overdue by " in page


def test_the_sheet_act_now_links_to_the_helpdesk_and_to_the_row(cli: CLI) -> None:
    set_up(cli, a_ticket("2026-11-20T10:00:00Z"), a_ticket(id="2"))
    cli.settings["TICKET_URL"] = "https://desk.example.com/{id}"
    classified(cli)
    cli.ok("report", "-o", "report.xlsx")
    sheet = openpyxl.load_workbook(cli.folder / "report.xlsx")["Act now"]
    assert [cell.value for cell in sheet["A"]][4:] == ["1"]
    assert sheet["A5"].hyperlink.target == "https://desk.example.com/1"
    assert sheet["H5"].hyperlink.location == "'Tickets'!B2"
    assert str(sheet["B5"].value).startswith("overdue by ")


def test_service_hours_stop_the_clock_of_the_sla(cli: CLI) -> None:
    now = datetime.now(timezone.utc)
    closed = ", ".join(f"{now + timedelta(days=day):%Y-%m-%d}" for day in range(-3, 2))
    set_up(cli, a_ticket(f"{now - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"), hours=NEVER_TODAY % closed)
    classified(cli)
    (row,) = csv_rows(cli)
    assert row["due"] == f"{now + timedelta(days=2):%Y-%m-%dT04:00:00+00:00}"
    assert row["urgency"] == "due within a day"
    cli.ok("report", "-o", "report.xlsx")
    assert "service hours: Monday-Sunday 00:00-24:00 (UTC); a day is a business day" in texts(
        cli.folder / "report.xlsx", "Summary"
    )


def test_without_service_hours_the_report_says_that_the_clock_never_stops(cli: CLI) -> None:
    set_up(cli, a_ticket("2026-11-20T10:00:00Z"))
    classified(cli)
    cli.ok("report", "-o", "report.xlsx")
    assert "the calendar, day and night: a day has 24 hours" in texts(cli.folder / "report.xlsx", "Summary")


def test_tickets_without_a_creation_time_are_counted(cli: CLI) -> None:
    set_up(cli, a_ticket("2026-11-20T10:00:00Z"), a_ticket(id="2"), a_ticket("soon", id="3"))
    classified(cli)
    cli.ok("report", "-o", "report.xlsx")
    summary = openpyxl.load_workbook(cli.folder / "report.xlsx")["Summary"]
    assert [line[:2] for line in summary.iter_rows(values_only=True) if line[1] == "no creation time"] == [
        (2, "no creation time")
    ]
    assert [row["due"] for row in csv_rows(cli) if row["id"] != "1"] == ["", ""]


def test_needs_review_says_what_was_checked_and_lists_the_lowest_confidence(cli: CLI) -> None:
    set_up(cli, a_ticket(request_type="", request_category=""))
    cli.settings["REVIEW_BELOW"] = "0"
    classified(cli)
    cli.ok("report", "-o", "report.xlsx")
    shown = texts(cli.folder / "report.xlsx", "Needs review")
    assert any(text.startswith("No check found a ticket to review, then the 1 with the lowest") for text in shown)
    assert any("Not checked: whether a confident choice is right." in text for text in shown)
    assert "forgot my password" in shown


@pytest.mark.parametrize(
    ("hours", "reason"),
    [
        ("    service_hours: {time_zone: Europe/Berlim, hours: {mon: 8-17}}", "did you mean 'Europe/Berlin'?"),
        ("    service_hours: {time_zone: UTC, hours: {mon: closed}}", "no open hour"),
        ("    service_hours: {time_zone: UTC, hours: {mon: 8-17}, holidays: DE-XX}", "no holiday region 'DE-XX'"),
    ],
)
def test_a_catalog_with_wrong_service_hours_is_refused_with_its_line(cli: CLI, hours: str, reason: str) -> None:
    set_up(cli, a_ticket(), hours=hours)
    result = cli("fetch")
    assert result.exit_code == 3
    assert "catalog.yaml, line 3: " in result.stderr
    assert reason in result.stderr


@pytest.mark.parametrize("zone", ["Europe/Berlim", "Berlin", "CEST", "../etc/passwd", "+01:00"])
def test_a_misspelt_time_zone_is_a_wrong_setting(cli: CLI, zone: str) -> None:
    cli.settings["TIME_ZONE"] = zone
    for command in ("report", "run"):
        result = cli(command)
        assert result.exit_code == 2
        assert f"TIME_ZONE is not a time zone like Europe/Berlin: there is no time zone '{zone}'" in result.stderr


def headings_of_earlier_versions(sheet: Any) -> None:
    for cell in sheet[1]:
        cell.value = field_of(cell.value)


def headings_in_another_language(sheet: Any) -> None:
    for cell in sheet[1]:
        cell.value = f"¿{cell.value}?"


@pytest.mark.parametrize("change", [headings_of_earlier_versions, headings_in_another_language])
def test_corrections_are_read_whatever_the_headings_are(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "report.xlsx"
    row = Row("1", "Access", "Password Reset", "locked", due=MIDNIGHT, urgency="overdue", overdue_by=1, place=1)
    ExcelReports().write(Report("20261123T150301Z-7f3a", MIDNIGHT, (row,)), path)
    before = read_reviewed(path).rows
    workbook = openpyxl.load_workbook(path)
    change(workbook["Tickets"])
    workbook.save(path)
    assert read_reviewed(path).rows == before
    assert before[0].request_type == "Password Reset"


def test_every_field_has_a_heading_of_its_own() -> None:
    columns = words("en").section("columns")
    assert len(set(columns.values())) == len(columns)
