"""The report log in SQL: what a file of SQLite and a database of PostgreSQL have in common."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal

from ...application.ports import DeliveryLog, ReportLogMaintenance
from ...domain.delivery import (
    ABANDONED,
    SHARED_STATE,
    Adoption,
    Delivery,
    Event,
    LogIdentity,
    Message,
    MessageState,
    RecipientResult,
    ReportFile,
)
from ...errors import InputError
from ..databases.sql import Connection
from .report_log_rows import (
    delete_message,
    insert_message,
    is_known,
    keep_frame,
    path_text,
    read_adoptions,
    read_deliveries,
    read_delivery,
    read_events,
    read_id,
    read_recent,
    set_new_id,
    set_shared_state,
    settle_message,
)


class SQLReportLog(DeliveryLog, ReportLogMaintenance, ABC):
    """What `DeliveryLog` and `ReportLogMaintenance` need. `who` is the user and host in the events.

    Every call opens the database. Reading a log that does not exist creates none.
    """

    who: str

    @property
    @abstractmethod
    def where(self) -> str:
        """Where the log is, for people, without a password."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether the database has the tables of a log."""

    @abstractmethod
    def lock_holder(self) -> str:
        """The process that holds the sender lock; empty if none does."""

    @abstractmethod
    def check_integrity(self) -> bool:
        """Whether the tables exist already. Changes nothing, and raises the errors that using the log would raise."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make sure that a log which does not exist can be created."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection | None]:
        """A connection with one consistent view of all tables; None if the log does not exist."""

    @abstractmethod
    def _transaction(self, *, may_be_new: bool = True) -> AbstractContextManager[Connection]:
        """A transaction that no other process can come between. Nothing of it stays if the block raises."""

    @abstractmethod
    def _check(self, log: Connection) -> None:
        """Raises InputError if the database itself is damaged."""

    @abstractmethod
    def _deleting(self, log: Connection) -> AbstractContextManager[None]:
        """Allow the deletion of events, for retention only."""

    def deliveries(self) -> list[Delivery]:
        """All deliveries, oldest first, after a check of the whole database."""
        with self._reading() as log:
            if log is None:
                return []
            self._check(log)
            return read_deliveries(log)

    def delivery(self, message_id: str) -> Delivery | None:
        """The delivery of one message; None if the log does not contain it."""
        with self._reading() as log:
            if log is None:
                return None
            return read_delivery(log, message_id)

    def recent_deliveries(self, before: int | None, limit: int) -> dict[int, Delivery]:
        """The latest deliveries by their numbers, the latest first."""
        with self._reading() as log:
            return read_recent(log, before, limit) if log else {}

    def adoptions(self) -> list[Adoption]:
        """All adoptions, in the order in which they were recorded."""
        with self._reading() as log:
            if log is None:
                return []
            return read_adoptions(log)

    def identity(self) -> LogIdentity:
        """The id in the database, and where it is; the id is empty before the first use."""
        with self._reading() as log:
            if log is None:
                return LogIdentity("", self.where)
            return LogIdentity(read_id(log), self.where)

    def establish(self) -> LogIdentity:
        """The id in the database, which is created with one if it does not exist."""
        self._prepare()
        with self._transaction() as log:
            if not read_id(log):
                set_new_id(log)
            return LogIdentity(read_id(log), self.where)

    def events(self) -> list[Event]:
        """All events, in the order in which they were recorded, after a check of the whole database."""
        with self._reading() as log:
            if log is None:
                return []
            self._check(log)
            return read_events(log)

    def start_attempt(self, message: Message, at: datetime, *, to: Sequence[str] = (), why: str = "") -> None:
        """Set the message to `sending`, and create it, and the database, if they do not exist."""
        to = to or message.envelope_recipients
        self._prepare()
        with self._transaction() as log:
            known = log.execute(
                "UPDATE messages SET state = 'sending', detail = '', attempts = attempts + 1, changed = ?, released = 0"
                " WHERE message_id = ?",
                (at.isoformat(), message.message_id),
            )
            if known.rowcount == 0:
                insert_message(log, message, at)
            log.executemany(
                "UPDATE message_recipients SET state = 'sending', reply = '' WHERE message_id = ? AND address = ?",
                [(message.message_id, address) for address in to],
            )
            keep_frame(log, message)
            reports = [report.sha256 for report in message.reports]
            self._add_event(log, at, "sending", message.message_id, to=list(to), reports=reports, why=why)

    def record_result(
        self,
        message: Message,
        state: MessageState,
        detail: str,
        at: datetime,
        *,
        results: Sequence[RecipientResult] = (),
        size: int = 0,
    ) -> None:
        """Set the state of the message and of each recipient.

        A message that is not in the log is added, and then InputError is raised: the log is not the one from before.
        """
        with self._transaction(may_be_new=False) as log:
            is_lost = not is_known(log, message.message_id)
            if is_lost:
                insert_message(log, message, at)
                keep_frame(log, message)
            log.execute(
                "UPDATE messages SET state = ?, detail = ?, size = CASE WHEN size < ? THEN ? ELSE size END, changed = ?"
                " WHERE message_id = ?",
                (state, detail, size, size, at.isoformat(), message.message_id),
            )
            log.executemany(
                "UPDATE message_recipients SET state = ?, reply = ? WHERE message_id = ? AND address = ?",
                [(result.state, result.reply, message.message_id, result.address) for result in results],
            )
            set_shared_state(log, message.message_id, state, detail)
            replies = {result.address: f"{result.state}: {result.reply}" for result in results}
            self._add_event(log, at, state, message.message_id, detail=detail, size=size, recipients=replies)
        if is_lost:
            raise self._replaced(message, "its result is recorded in the present one now")

    def record_decision(self, message: Message, state: MessageState, detail: str, at: datetime) -> None:
        """Set the state of a message in doubt, and of its recipients in doubt."""
        with self._transaction(may_be_new=False) as log:
            if not is_known(log, message.message_id):
                raise self._replaced(message, "nothing was decided")
            log.execute(
                "UPDATE messages SET state = ?, detail = ?, changed = ?, released = ? WHERE message_id = ?",
                (state, detail, at.isoformat(), int(state == "in_doubt"), message.message_id),
            )
            log.execute(
                "UPDATE message_recipients SET state = ? WHERE message_id = ? AND state = 'in_doubt'",
                (SHARED_STATE[state], message.message_id),
            )
            self._add_event(log, at, "resolved", message.message_id, state=state, detail=detail)

    def settle_recipient(
        self, message: Message, address: str, state: Literal["sent", "refused"], detail: str, at: datetime
    ) -> None:
        """Set the state of one recipient; that of a message in doubt follows when no recipient is left in doubt."""
        with self._transaction(may_be_new=False) as log:
            if not is_known(log, message.message_id):
                raise self._replaced(message, "nothing was decided")
            log.execute(
                "UPDATE message_recipients SET state = ?, reply = ? WHERE message_id = ? AND address = ?",
                (state, detail, message.message_id, address),
            )
            settle_message(log, message.message_id, at)
            self._add_event(log, at, "settled", message.message_id, recipient=address, state=state, detail=detail)

    def adopt(self, reports: Sequence[ReportFile], detail: str, at: datetime) -> None:
        """Add an adoption for each report, and create the database if it does not exist."""
        self._prepare()
        with self._transaction() as log:
            self._adopt(log, reports, detail, at)

    def delete_deliveries(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        """Delete the messages and their events."""
        with self._transaction() as log:
            with self._deleting(log):
                for delivery in deliveries:
                    delete_message(log, delivery)
            self._add_event(log, at, "pruned", "", messages=len(deliveries))

    def _doubt_abandoned_messages(self, at: datetime) -> None:
        """Messages that are still `sending` belonged to a process that died: this process has the lock now."""
        with self._transaction() as log:
            self._check(log)
            abandoned = log.execute("SELECT message_id FROM messages WHERE state = 'sending' ORDER BY rowid").fetchall()
            for (message_id,) in abandoned:
                log.execute(
                    "UPDATE messages SET state = 'in_doubt', detail = ?, changed = ? WHERE message_id = ?",
                    (ABANDONED, at.isoformat(), message_id),
                )
                set_shared_state(log, message_id, "in_doubt", ABANDONED)
                self._add_event(log, at, "in_doubt", message_id, detail=ABANDONED)

    def _adopt(self, log: Connection, reports: Sequence[ReportFile], detail: str, at: datetime) -> None:
        for report in reports:
            log.execute(
                "INSERT INTO adoptions VALUES (?, ?, ?, '', ?)",
                (at.isoformat(), detail, report.sha256, report.run_id),
            )
            self._add_event(log, at, "adopted", "", path=path_text(report.path), sha256=report.sha256)

    def _add_event(self, log: Connection, at: datetime, what: str, message_id: str, **facts: object) -> None:
        log.execute(
            "INSERT INTO events (at, what, message_id, who, facts) VALUES (?, ?, ?, ?, ?)",
            (
                at.isoformat(),
                what,
                message_id,
                self.who,
                json.dumps({key: fact for key, fact in facts.items() if fact}),
            ),
        )

    def _replaced(self, message: Message, what: str) -> InputError:
        return InputError(
            f"the report log {self.where} was replaced or cut meanwhile: it does not contain {message.message_id};"
            f" {what}",
            hint="Put the right report log back, or restore it from a backup: without it, nobody knows what was sent.",
        )
