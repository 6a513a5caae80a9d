"""Messages as rows of the report log. Only `report_log.py` calls these functions, within its transactions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...domain.delivery import SHARED_STATE, Adoption, Delivery, Message, MessageState, RecipientResult, ReportFile
from .report_log_schema import may_delete_events


def insert_message(log: sqlite3.Connection, message: Message, at: datetime) -> None:
    """Add a message in the state `sending`, with its reports and recipients."""
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
        [(message.message_id, position, address) for position, address in enumerate(message.envelope_recipients)],
    )


def keep_frame(log: sqlite3.Connection, message: Message) -> None:
    """Add the frame of a message, unless the message has one: that of its first attempt stays."""
    if message.frame:
        log.execute(
            "INSERT OR IGNORE INTO message_frames VALUES (?, ?)", (message.message_id, json.dumps(message.frame))
        )


def _frames(log: sqlite3.Connection, message_id: str | None) -> dict[str, tuple[str, ...]]:
    """The frame of one message, by its id. None are read for a list of messages: together they may be large."""
    rows = log.execute("SELECT message_id, frame FROM message_frames WHERE message_id = ?", (message_id,))
    return {key: tuple(json.loads(frame)) for key, frame in rows}


def set_shared_state(log: sqlite3.Connection, message_id: str, state: MessageState, reply: str) -> None:
    """Give all recipients that are still `sending` the state that follows from that of the message."""
    log.execute(
        "UPDATE message_recipients SET state = ?, reply = ? WHERE message_id = ? AND state = 'sending'",
        (SHARED_STATE[state], reply, message_id),
    )


def delete_message(log: sqlite3.Connection, delivery: Delivery) -> None:
    """Delete a message, and overwrite its pages. The reports of a sent one are adopted, so they stay known as sent."""
    log.execute("PRAGMA secure_delete = ON")
    if delivery.state == "sent":
        detail = "sent; its recipients were deleted"
        log.executemany(
            "INSERT INTO adoptions VALUES (?, ?, ?, '', ?)",
            [
                (delivery.changed.isoformat(), detail, report.sha256, report.run_id)
                for report in delivery.message.reports
            ],
        )
    with may_delete_events(log):
        for table in ("events", "message_frames", "message_recipients", "message_reports", "messages"):
            log.execute(f"DELETE FROM {table} WHERE message_id = ?", (delivery.message.message_id,))  # noqa: S608  # nosec B608  # constants


def read_deliveries(log: sqlite3.Connection, message_id: str | None = None) -> list[Delivery]:
    """All deliveries without their frames, oldest first, or the one of `message_id` with its frame."""
    value = (message_id,)
    reports: dict[str, list[ReportFile]] = {}
    for key, path, sha256, size, modified, run_id in log.execute(
        "SELECT message_id, path, sha256, size, modified, run_id FROM message_reports"
        " WHERE message_id = ifnull(?, message_id) ORDER BY position",
        value,
    ):
        report = ReportFile(_path(path), sha256, size, datetime.fromisoformat(modified), run_id)
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
    frames = _frames(log, message_id)
    return [_delivery(row, reports[row[0]], results.get(row[0], []), frames.get(row[0], ())) for row in rows]


def read_adoptions(log: sqlite3.Connection) -> list[Adoption]:
    """All adoptions, in the order in which they were recorded."""
    rows = log.execute("SELECT at, detail, sha256, name, run_id FROM adoptions ORDER BY rowid")
    return [Adoption(datetime.fromisoformat(at), *fields) for at, *fields in rows]


def _delivery(
    row: tuple[Any, ...], reports: Sequence[ReportFile], results: Sequence[RecipientResult], frame: tuple[str, ...]
) -> Delivery:
    message_id, date, transport, sender, recipients, subject, state, detail, attempts, changed, cc, reply_to, *rest = (
        row
    )
    message = Message(
        message_id=message_id,
        date=datetime.fromisoformat(date),
        transport=transport,
        sender=sender,
        recipients=_addresses(recipients),
        subject=subject,
        reports=tuple(reports),
        cc=_addresses(cc),
        reply_to=_addresses(reply_to),
        frame=frame,
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


# A command reads the whole log several times, and making a path takes longer than reading its row.
@lru_cache(maxsize=16_384)
def _path(text: str) -> Path:
    return Path(text)


# A log has many messages to few addresses.
@lru_cache(maxsize=1024)
def _addresses(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def path_text(path: Path) -> str:
    """The path as text that SQLite can store: not every file name is valid UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()
