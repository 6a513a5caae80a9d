"""Messages as rows of the report log. Only `report_log.py` calls these functions, within its transactions."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...domain.delivery import (
    SHARED_STATE,
    Adoption,
    Delivery,
    Event,
    Message,
    MessageState,
    RecipientResult,
    ReportFile,
)
from ...errors import InputError
from ..databases.sql import Connection

_LONGEST_KEY, _LONGEST_REASON = 100, 200
_PAST_ALL = 2**62


class WrongRow(InputError):
    """The report log has a row that no version of this program wrote."""

    def __init__(self, row: str) -> None:
        super().__init__(
            f"the report log has a row that no version of ticketattr wrote: {row}",
            hint="Restore the log from a backup: without it, nobody knows what was sent.",
        )


def insert_message(log: Connection, message: Message, at: datetime) -> None:
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


def read_id(log: Connection) -> str:
    """The id of the log; empty before its first use."""
    found = log.execute("SELECT id FROM identity").fetchone()
    return str(found[0]) if found else ""


def set_id(log: Connection, id: str) -> None:
    """Replace the id of the log."""
    log.execute("DELETE FROM identity")
    log.execute("INSERT INTO identity VALUES (?)", (id,))


def set_new_id(log: Connection) -> None:
    """Give the log an id that no other log has."""
    log.execute("INSERT INTO identity VALUES (?)", (secrets.token_hex(16),))


def is_known(log: Connection, message_id: str) -> bool:
    """Whether the log contains the message."""
    return bool(log.execute("SELECT 1 FROM messages WHERE message_id = ?", (message_id,)).fetchone())


def keep_frame(log: Connection, message: Message) -> None:
    """Add the frame of a message, unless the message has one: that of its first attempt stays."""
    if message.frame:
        log.execute(
            "INSERT INTO message_frames VALUES (?, ?) ON CONFLICT DO NOTHING",
            (message.message_id, json.dumps(message.frame)),
        )


def _frames(log: Connection, message_id: str) -> dict[str, tuple[str, ...]]:
    """The frame of one message, by its id. None are read for a list of messages: together they may be large."""
    rows = log.execute("SELECT message_id, frame FROM message_frames WHERE message_id = ?", (message_id,))
    frames = {}
    for key, frame in rows:
        with _row("message_frames", "message", key):
            frames[key] = _texts(frame)
    return frames


def set_shared_state(log: Connection, message_id: str, state: MessageState, reply: str) -> None:
    """Give all recipients that are still `sending` the state that follows from that of the message."""
    log.execute(
        "UPDATE message_recipients SET state = ?, reply = ? WHERE message_id = ? AND state = 'sending'",
        (SHARED_STATE[state], reply, message_id),
    )


def settle_message(log: Connection, message_id: str, at: datetime) -> None:
    """Note the time of a change of its recipients. Without a recipient in doubt, a message is in doubt no longer."""
    log.execute(
        "UPDATE messages SET changed = ? WHERE message_id = ? AND state = 'in_doubt'", (at.isoformat(), message_id)
    )
    of_message = "FROM message_recipients WHERE message_id = messages.message_id"
    log.execute(
        "UPDATE messages SET state ="  # noqa: S608  # nosec B608  # constants
        f" CASE WHEN EXISTS (SELECT 1 {of_message} AND state IN ('sent', 'deferred')) THEN 'sent' ELSE 'failed' END"
        f" WHERE message_id = ? AND state = 'in_doubt' AND NOT EXISTS (SELECT 1 {of_message} AND state = 'in_doubt')",
        (message_id,),
    )


def delete_message(log: Connection, delivery: Delivery) -> None:
    """Delete a message. The reports of a sent one are adopted, so they stay known as sent."""
    if delivery.state == "sent":
        detail = "sent; its recipients were deleted"
        log.executemany(
            "INSERT INTO adoptions VALUES (?, ?, ?, '', ?)",
            [
                (delivery.changed.isoformat(), detail, report.sha256, report.run_id)
                for report in delivery.message.reports
            ],
        )
    for table in ("events", "message_frames", "message_recipients", "message_reports", "messages"):
        log.execute(f"DELETE FROM {table} WHERE message_id = ?", (delivery.message.message_id,))  # noqa: S608  # nosec B608  # constants


def read_deliveries(log: Connection) -> list[Delivery]:
    """All deliveries without their frames, oldest first."""
    return list(_deliveries(log, "", (), {}).values())


def read_delivery(log: Connection, message_id: str) -> Delivery | None:
    """The delivery of `message_id` with its frame; None if there is none."""
    found = _deliveries(log, " WHERE message_id = ?", (message_id,), _frames(log, message_id))
    return next(iter(found.values()), None)


def read_recent(log: Connection, before: int | None, limit: int) -> dict[int, Delivery]:
    """The latest deliveries by their numbers, the latest first; with `before`, those with a smaller number.

    They are in the order in which they were recorded. Of a long log, this reads no more than what it returns.
    """
    chosen = " WHERE message_id IN (SELECT message_id FROM messages WHERE rowid < ? ORDER BY rowid DESC LIMIT ?)"
    found = _deliveries(log, chosen, (_PAST_ALL if before is None else before, limit), {})
    return {number: found[number] for number in sorted(found, reverse=True)}


def _deliveries(
    log: Connection, chosen: str, values: tuple[Any, ...], frames: Mapping[str, tuple[str, ...]]
) -> dict[int, Delivery]:
    """The deliveries that the condition `chosen` chooses, by their numbers, oldest first."""
    # nosec B608 below: only constants are put into statements.
    reports: dict[str, list[ReportFile]] = {}
    for key, path, sha256, size, modified, run_id in log.execute(
        f"SELECT message_id, path, sha256, size, modified, run_id FROM message_reports{chosen} ORDER BY position",  # noqa: S608  # nosec B608
        values,
    ):
        with _row("message_reports", "message", key):
            _require(str, key, path, sha256, run_id)
            _require(int, size)
            report = ReportFile(_path(path), sha256, size, _time(modified), run_id)
        reports.setdefault(key, []).append(report)
    results: dict[str, list[RecipientResult]] = {}
    for key, *fields in log.execute(
        f"SELECT message_id, address, state, reply FROM message_recipients{chosen} ORDER BY position",  # noqa: S608  # nosec B608
        values,
    ):
        with _row("message_recipients", "message", key):
            _require(str, key, *fields)
        results.setdefault(key, []).append(RecipientResult(*fields))
    rows = log.execute(
        "SELECT rowid, message_id, date, transport, sender, recipients, subject, state, detail, attempts, changed,"  # noqa: S608  # nosec B608
        f" cc, reply_to, size, released FROM messages{chosen} ORDER BY date, rowid",
        values,
    )
    deliveries = {}
    for number, *row in rows:
        key = row[0]
        with _row("messages", "message", key):
            deliveries[number] = _delivery(row, reports.get(key, []), results.get(key, []), frames.get(key, ()))
    return deliveries


def read_adoptions(log: Connection) -> list[Adoption]:
    """All adoptions, in the order in which they were recorded."""
    adoptions = []
    for number, at, *fields in log.execute(
        "SELECT rowid, at, detail, sha256, name, run_id FROM adoptions ORDER BY rowid"
    ):
        with _row("adoptions", "row", number):
            _require(str, *fields)
            adoptions.append(Adoption(_time(at), *fields))
    return adoptions


def read_events(log: Connection) -> list[Event]:
    """All events, in the order in which they were recorded."""
    events = []
    for number, at, *fields in log.execute(
        "SELECT number, at, what, message_id, who, facts FROM events ORDER BY number"
    ):
        with _row("events", "event", number):
            _require(str, *fields)
            events.append(Event(number, _time(at), *fields))
    return events


def _delivery(
    row: Sequence[Any], reports: Sequence[ReportFile], results: Sequence[RecipientResult], frame: tuple[str, ...]
) -> Delivery:
    message_id, date, transport, sender, recipients, subject, state, detail, attempts, changed, cc, reply_to, *rest = (
        row
    )
    size, released = rest
    _require(str, message_id, sender, subject, detail)
    _require(int, attempts, size, released)
    if not reports:
        raise ValueError("it has no reports")
    message = Message(
        message_id=message_id,
        date=_time(date),
        transport=transport,
        sender=sender,
        recipients=_addresses(recipients),
        subject=subject,
        reports=tuple(reports),
        cc=_addresses(cc),
        reply_to=_addresses(reply_to),
        frame=frame,
    )
    return Delivery(
        message,
        state,
        _time(changed),
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
    return _texts(text)


def _texts(text: str) -> tuple[str, ...]:
    values = json.loads(text)
    _require(list, values)
    _require(str, *values)
    return tuple(values)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    # It must be possible to compare it with any other time.
    return time.astimezone(timezone.utc) if time.utcoffset() else time


def _require(kind: type, *values: object) -> None:
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"{value!r:.40} is not of type {kind.__name__}")


class _row:  # noqa: N801  # used like a function; a generator would take longer than reading the row
    """Raises WrongRow, which names the row, for whatever is wrong with its values inside the block."""

    def __init__(self, table: str, what: str, key: object) -> None:
        self._name = (table, what, key)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (ValueError, TypeError, AttributeError, OverflowError, RecursionError)):
            table, what, key = self._name
            raise WrongRow(
                f"table {table}, {what} {str(key)[:_LONGEST_KEY]}: {str(error)[:_LONGEST_REASON]}"
            ) from error


def path_text(path: Path) -> str:
    """The path as text that SQLite can store: not every file name is valid UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()
