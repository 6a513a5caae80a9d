"""Reports on their way to their recipients: files, messages, and the result of sending them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, TypeAlias

from .figures import ReportFigures

Transport: TypeAlias = Literal["smtp", "file"]
"""`file`: messages are written into a folder."""

MessageState = Literal["sending", "sent", "failed", "in_doubt"]
"""`sending` until the server replied; `failed`: certainly not accepted; `in_doubt`: nobody knows."""

RecipientState = Literal["sending", "sent", "deferred", "refused", "in_doubt"]
"""The state of a message for one recipient. `deferred`: refused temporarily (4xx); `refused`: permanently (5xx)."""

SHARED_STATE: dict[MessageState, RecipientState] = {
    "sending": "sending",
    "sent": "sent",
    "failed": "deferred",
    "in_doubt": "in_doubt",
}
"""The state of recipients for whom the server gave no reply of their own, by the state of the message."""

ABANDONED = "the sending process ended before the server replied"
"""Why a message is in doubt that no process sends any more."""

UNKNOWN_TIME = datetime.fromtimestamp(0, timezone.utc)
"""The modification time of a file that cannot be read."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A workbook on disk. Its SHA-256 identifies it; its name may change.

    `size` is in bytes. `run_id` is the run that the workbook names (empty: none). `damage` says why it cannot be sent
    (empty: it can). `is_temporary`: another program made the file and will delete it, so nobody has to act on it.
    `figures` are those that the workbook states (None: it states none).
    """

    path: Path
    sha256: str
    size: int
    modified: datetime
    run_id: str = ""
    damage: str = ""
    is_temporary: bool = False
    figures: ReportFigures | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MailForm:
    """How a new message shows its reports. It decides the frame, which a repetition keeps whatever the form is now.

    `language` is that of the words, such as `en`. `shows_ticket_text`: the mail may contain what requesters wrote.
    `attaches`: the reports are attached; if not, the mail says where they are.
    """

    language: str = "en"
    shows_ticket_text: bool = False
    attaches: bool = True


DEFAULT_FORM = MailForm()


@dataclass(frozen=True, slots=True)
class Message:
    """A mail with reports, complete before the server hears of it, so that a repetition is the same message.

    `frame` is the composed mail as ASCII text, cut where the content of each report stands. A repetition takes it from
    the report log, so that it has the same bytes. It is empty before the first attempt, and in a list of messages.
    """

    message_id: str
    date: datetime
    transport: Transport
    sender: str
    recipients: tuple[str, ...]
    subject: str
    reports: tuple[ReportFile, ...]
    cc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    frame: tuple[str, ...] = field(default=(), compare=False, repr=False)
    form: MailForm = field(default=DEFAULT_FORM, compare=False)

    @property
    def envelope_recipients(self) -> tuple[str, ...]:
        """The addresses of To and Cc, each once."""
        return tuple(dict.fromkeys((*self.recipients, *self.cc)))

    @property
    def report_hashes(self) -> frozenset[str]:
        """The SHA-256 of each report."""
        return frozenset(report.sha256 for report in self.reports)


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """The result of sending a message to one recipient, and the server's reply about it."""

    address: str
    state: RecipientState
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and its state after the latest attempt. Times are in UTC.

    `size` is that of the whole mail, in bytes (0: unknown). `released`: a person decided that the message is sent again
    although it is in doubt.
    """

    message: Message
    state: MessageState
    changed: datetime
    detail: str = ""
    attempts: int = 1
    size: int = 0
    results: tuple[RecipientResult, ...] = ()
    released: bool = False

    @property
    def outstanding(self) -> tuple[str, ...]:
        """The recipients of the next attempt: the deferred ones of a sent message, else all who may not have it."""
        if self.state == "sent":
            return tuple(result.address for result in self.results if result.state == "deferred")
        settled = {result.address for result in self.results if result.state in ("sent", "refused")}
        return tuple(address for address in self.message.envelope_recipients if address not in settled)


@dataclass(frozen=True, slots=True)
class Adoption:
    """A decision that a report counts as sent, without a message in the log: by its SHA-256, or else by its file name.

    A name counts only for files that were not changed after `at`.
    """

    at: datetime
    detail: str
    sha256: str = ""
    name: str = ""
    run_id: str = ""

    def covers(self, report: ReportFile) -> bool:
        """Whether `report` counts as sent by this decision."""
        if self.sha256:
            return self.sha256 == report.sha256
        return self.name == report.path.name and report.modified <= self.at


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """A report log. `id` stays the same when it is moved or restored; it is empty before the log exists.

    `place` is where the log is, or was when this was written.
    """

    id: str
    place: str


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the log's history: a change of a message, or of the log itself. It never changes.

    `facts` are further facts, as JSON.
    """

    number: int
    at: datetime
    what: str
    message_id: str
    who: str
    facts: str
