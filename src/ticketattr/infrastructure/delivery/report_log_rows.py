"""Messages as the rows of the report log; called by `report_log.py` alone, within its transactions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ...domain.delivery import Delivery, Message, MessageState, RecipientResult, RecipientState, ReportFile
from .report_log_schema import may_delete_events

# What one recipient's part comes to when the server said nothing about it in particular.
FATE: dict[MessageState, RecipientState] = {
    "sending": "sending",
    "sent": "sent",
    "failed": "deferred",
    "in_doubt": "in_doubt",
}


def insert_message(log: sqlite3.Connection, message: Message, at: datetime) -> None:
    log.execute(
        "INSERT INTO messages"
        " (message_id, date, transport, sender, recipients, subject, state, attempts, changed, cc, reply_to)"
        " VALUES (?, ?, ?, ?, ?, ?, 'sending', 1, ?, ?, ?)",
        (
            message.message_id,
            message.date.isoformat(),
            message.transport,
            message.sender,
            json.dumps(message.recipients),
            message.subject,
            at.isoformat(),
            json.dumps(message.cc),
            json.dumps(message.reply_to),
        ),
    )
    log.executemany(
        "INSERT INTO message_reports VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                message.message_id,
                position,
                path_text(report.path),
                report.sha256,
                report.size,
                report.modified.isoformat(),
                report.run_id,
            )
            for position, report in enumerate(message.reports)
        ],
    )
    log.executemany(
        "INSERT INTO message_recipients VALUES (?, ?, ?, 'sending', '')",
        [(message.message_id, position, address) for position, address in enumerate(message.envelope)],
    )


def settle_recipients(log: sqlite3.Connection, message_id: str, state: MessageState, reply: str) -> None:
    log.execute(
        "UPDATE message_recipients SET state = ?, reply = ? WHERE message_id = ? AND state = 'sending'",
        (FATE[state], reply, message_id),
    )


def forget_message(log: sqlite3.Connection, delivery: Delivery) -> None:
    """Drop all that is known of a message but what was sent with it; its pages are overwritten."""
    log.execute("PRAGMA secure_delete = ON")
    if delivery.state == "sent":
        detail = "sent; who got it is no longer kept"
        log.executemany(
            "INSERT INTO adoptions VALUES (?, ?, ?, '', ?)",
            [
                (delivery.changed.isoformat(), detail, report.sha256, report.run_id)
                for report in delivery.message.reports
            ],
        )
    with may_delete_events(log):
        for table in ("events", "message_recipients", "message_reports", "messages"):
            log.execute(f"DELETE FROM {table} WHERE message_id = ?", (delivery.message.message_id,))  # noqa: S608  # nosec B608  # three names of ours


def read_deliveries(log: sqlite3.Connection, message_id: str | None = None) -> list[Delivery]:
    """All, oldest first, or that of one message."""
    value = (message_id,)
    reports: dict[str, list[ReportFile]] = {}
    for key, path, sha256, size, modified, run_id in log.execute(
        "SELECT message_id, path, sha256, size, modified, run_id FROM message_reports"
        " WHERE message_id = ifnull(?, message_id) ORDER BY position",
        value,
    ):
        report = ReportFile(Path(path), sha256, size, datetime.fromisoformat(modified), run_id)
        reports.setdefault(key, []).append(report)
    results: dict[str, list[RecipientResult]] = {}
    for key, *fields in log.execute(
        "SELECT message_id, address, state, reply FROM message_recipients"
        " WHERE message_id = ifnull(?, message_id) ORDER BY position",
        value,
    ):
        results.setdefault(key, []).append(RecipientResult(*fields))
    rows = log.execute(
        "SELECT message_id, date, transport, sender, recipients, subject, state, detail, attempts, changed,"
        " cc, reply_to, size, released FROM messages WHERE message_id = ifnull(?, message_id) ORDER BY date, rowid",
        value,
    )
    return [_delivery(row, reports[row[0]], results.get(row[0], [])) for row in rows]


def _delivery(row: tuple[Any, ...], reports: Sequence[ReportFile], results: Sequence[RecipientResult]) -> Delivery:
    message_id, date, transport, sender, recipients, subject, state, detail, attempts, changed, cc, reply_to, *rest = (
        row
    )
    message = Message(
        message_id=message_id,
        date=datetime.fromisoformat(date),
        transport=transport,
        sender=sender,
        recipients=tuple(json.loads(recipients)),
        subject=subject,
        reports=tuple(reports),
        cc=tuple(json.loads(cc)),
        reply_to=tuple(json.loads(reply_to)),
    )
    size, released = rest
    return Delivery(
        message,
        state,
        datetime.fromisoformat(changed),
        detail,
        attempts=attempts,
        size=size,
        results=tuple(results),
        released=bool(released),
    )


def path_text(path: Path) -> str:
    """A path as text that can be kept: not every file name is one."""
    return str(path).encode("utf-8", "backslashreplace").decode()
