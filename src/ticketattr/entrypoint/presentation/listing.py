"""Lists of reports, events, corrections and check results: a table for people, JSON and CSV for programs."""

from __future__ import annotations

import io
import json
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ...application.check import CheckResult
from ...application.redaction_preview import RedactionPreview
from ...domain.correction import Correction
from ...domain.delivery import Event
from ...domain.report_status import ReportStatus
from ...domain.wording import counted
from ...infrastructure.reports.csv_writer import write_csv
from .log_lines import plain
from .tables import print_table

DELIVERY_FIELDS = (
    *("file", "age", "state", "modified", "size", "sha256", "run_id"),
    *("transport", "message_id", "date", "sender", "recipients", "mail_size"),
    *("attempts", "changed", "changed_local", "last_error", "reply", "detail"),
)
"""The names of what is known about a report and its delivery, in their order."""

_WAITING = ("file", "age", "state", "attempts", "size", "changed", "last_error")
_HISTORY = (
    *("file", "state", "changed", "changed_local", "message_id", "sha256"),
    *("sender", "recipients", "mail_size", "attempts", "detail"),
)
_CORRECTION_FIELDS = (
    *("at", "imported_by", "reviewer", "run_id", "ticket_id", "decision", "short_description"),
    *("request_category", "request_type", "reported_category", "reported_type"),
)
_CORRECTIONS_IN_TABLE = (
    *("at", "imported_by", "ticket_id", "decision"),
    *("request_category", "request_type", "reported_type"),
)
_WIDTH = 80
_CHECK = ("status", "area", "what", "fix")


def print_statuses(
    statuses: Sequence[ReportStatus], format: str, *, now: datetime, history: bool, details: bool = False
) -> None:
    """Print the reports. `history`: the table has the columns of reports that were sent.

    Without `details`, unsent reports are listed in lines of at most 80 characters, as far as the paths allow it.
    """
    rows = delivery_rows(statuses, now)
    if format != "json":
        rows = [flat(row) for row in rows]
    if format == "table" and rows and not (history or details):
        _print_unsent(rows)
    else:
        columns, nothing = (_HISTORY, "there is no report yet") if history else (_WAITING, "nothing is pending")
        print_list(rows, format, DELIVERY_FIELDS, columns, nothing)


def _print_unsent(rows: Sequence[dict[str, Any]]) -> None:
    """A line for each report: state, age and file; below it, what went wrong."""
    for row in rows:
        print(f"{row['state']:<8}  {row['age']:>8}  {row['file']}")
        attempts = f"{counted(row['attempts'], 'attempt')}: " if row["attempts"] and row["last_error"] else ""
        indent = " " * 4
        for line in textwrap.wrap(
            attempts + row["last_error"], _WIDTH, initial_indent=indent, subsequent_indent=indent
        ):
            print(line)


def delivery_rows(statuses: Sequence[ReportStatus], now: datetime) -> list[dict[str, Any]]:
    """What is known about each report and its delivery, by the names of DELIVERY_FIELDS."""
    return [_row(status, now) for status in statuses]


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row for a table: its recipients are one text."""
    return {**row, "recipients": _recipients(row)}


def csv_file(rows: Sequence[dict[str, Any]], fields: Sequence[str]) -> str:
    """Rows of a table as CSV in which no cell is a formula."""
    text = io.StringIO(newline="")
    write_csv(text, fields, ([row[name] for name in fields] for row in rows))
    return text.getvalue()


def print_corrections(corrections: Sequence[Correction], format: str) -> None:
    rows = [{name: plain(value) for name, value in _correction_row(one).items()} for one in corrections]
    print_list(rows, format, _CORRECTION_FIELDS, _CORRECTIONS_IN_TABLE, "nothing was corrected")


def print_list(
    rows: Sequence[dict[str, Any]], format: str, fields: Sequence[str], columns: Sequence[str], nothing: str
) -> None:
    """Print rows as a table with these `columns`, or `nothing` if there is none; as JSON, or as CSV with `fields`."""
    if format == "json":
        print(json.dumps(rows, indent=2))
    elif format == "csv":
        _print_csv(rows, fields)
    else:
        _print_rows(rows, columns, nothing)


def print_gold(corrections: Sequence[Correction]) -> None:
    """Print the corrections as gold tickets for `evaluate`, a JSON object a line. Each id occurs once."""
    seen: set[str] = set()
    for correction in corrections:
        is_known = correction.ticket_id in seen or not correction.has_unique_id
        seen.add(correction.ticket_id)
        row = {
            "id": "" if is_known else correction.ticket_id,
            "long_description": correction.long_description,
            **{name: value for name, value in _correction_row(correction).items() if name != "ticket_id"},
        }
        print(json.dumps(row))


def _correction_row(correction: Correction) -> dict[str, str]:
    told = {"at": _time(correction.at), "decision": "confirmed" if correction.is_confirmation else "corrected"}
    return {name: told.get(name) or str(getattr(correction, name)) for name in _CORRECTION_FIELDS}


def print_check(results: Sequence[CheckResult], format: str) -> None:
    """Print the results of a check, as a table or as JSON."""
    rows = [
        {
            "status": result.status,
            "area": result.area,
            "what": plain(result.message),
            "fix": plain(result.fix),
            "exit_code": int(result.exit_code),
        }
        for result in results
    ]
    print_list(rows, format, (), _CHECK, "nothing is wrong")


def print_redaction(preview: RedactionPreview, format: str) -> None:
    """Print what would be hidden, as a table or as JSON."""
    if format == "json":
        kinds = [
            {
                "kind": kind.kind,
                "found": kind.found,
                "tickets": kind.tickets,
                "samples": [{"ticket_id": sample.ticket_id, "text": plain(sample.text)} for sample in kind.samples],
            }
            for kind in preview.kinds
        ]
        print(json.dumps({"tickets": preview.tickets, "private": preview.private, "kinds": kinds}, indent=2))
        return
    rows = [
        (kind.kind if first else "", f"{kind.found:,}" if first else "", f"{kind.tickets:,}" if first else "", *shown)
        for kind in preview.kinds
        for first, shown in ((not place, (s.ticket_id, s.text)) for place, s in enumerate(kind.samples))
    ]
    if rows:
        print_table(("kind", "found", "tickets", "ticket", "for example"), rows)


def print_events(events: Sequence[Event]) -> None:
    """Print the events of the report log as JSON."""
    rows = [
        {
            "number": event.number,
            "at": _time(event.at),
            "event": event.what,
            "message_id": event.message_id,
            "who": event.who,
            "facts": json.loads(event.facts),
        }
        for event in events
    ]
    print(json.dumps(rows, indent=2))


def _row(status: ReportStatus, now: datetime) -> dict[str, Any]:
    report, delivery = status.report, status.delivery
    message = delivery.message if delivery else None
    changed = delivery.changed if delivery else status.sent_at
    is_sent = status.state == "sent"
    return {
        "file": plain(str(report.path)),
        "age": _age(now - report.modified),
        "state": status.state,
        "modified": _time(report.modified),
        "size": report.size,
        "sha256": report.sha256,
        "run_id": plain(report.run_id),
        "transport": message.transport if message else "",
        "message_id": message.message_id if message else "",
        "date": _time(message.date) if message else "",
        "sender": message.sender if message else "",
        "recipients": [
            {"address": result.address, "state": result.state, "reply": plain(result.reply)}
            for result in (delivery.results if delivery else ())
        ],
        "mail_size": delivery.size if delivery else 0,
        "attempts": status.attempts,
        "changed": _time(changed) if changed else "",
        "changed_local": changed.astimezone().isoformat(timespec="seconds") if changed else "",
        "last_error": plain(_last_error(status)),
        "reply": plain(status.detail) if is_sent else "",
        "detail": plain(status.detail),
    }


def _last_error(status: ReportStatus) -> str:
    if status.state != "sent":
        return status.detail
    results = status.delivery.results if status.delivery else ()
    return "; ".join(f"{result.state}: {result.reply}" for result in results if result.state != "sent")


def _print_csv(rows: Sequence[dict[str, Any]], fields: Sequence[str]) -> None:
    write_csv(sys.stdout, fields, ([row[name] for name in fields] for row in rows))


def _print_rows(rows: Sequence[dict[str, Any]], columns: Sequence[str], nothing: str) -> None:
    if not rows:
        print(nothing)
        return
    headings = [name.replace("_", " ").capitalize() for name in columns]
    print_table(headings, [[str(row[name]) for name in columns] for row in rows])


def _recipients(row: dict[str, Any]) -> str:
    """The address of each recipient, with the state of those that did not get the message."""
    return " ".join(
        result["address"] if result["state"] == "sent" else f"{result['address']} ({result['state']})"
        for result in row["recipients"]
    )


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 24 * 60 else counted(minutes // 1440, "day")


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
