"""Reports on their way to the reader: what is sent, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, TypeAlias

Transport: TypeAlias = Literal["smtp", "file"]

MessageState = Literal["sending", "sent", "failed", "in_doubt"]
"""`sending` until the server answered; `failed`: definitely not taken; `in_doubt`: nobody knows."""

ABANDONED = "its process ended before it knew the answer"
"""Why a message is in doubt that nobody is sending any more."""

RecipientState = Literal["sending", "sent", "deferred", "refused", "in_doubt"]
"""What one recipient's part of a message came to. `deferred`: refused for now (4xx); `refused`: for good (5xx)."""

UNKNOWN_TIME = datetime.fromtimestamp(0, timezone.utc)
"""When a file was changed that nobody could look at."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A workbook on disk. Its content is its identity: the name may change, the SHA-256 does not.

    `run_id` is the run that the workbook names (empty: none). `damage` says why it cannot be sent (empty: it can).
    `is_temporary`: another program made the file and will delete it, so nobody has to act on it.
    """

    path: Path
    sha256: str
    size: int
    modified: datetime
    run_id: str = ""
    damage: str = ""
    is_temporary: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, frozen before the server is spoken to, so that a repeat can be known as one."""

    message_id: str
    date: datetime
    transport: Transport
    sender: str
    recipients: tuple[str, ...]
    subject: str
    reports: tuple[ReportFile, ...]
    cc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()

    @property
    def envelope(self) -> tuple[str, ...]:
        """Everybody who gets it, each once."""
        return tuple(dict.fromkeys((*self.recipients, *self.cc)))

    @property
    def contents(self) -> frozenset[str]:
        """What its reports are known by: the SHA-256 of each."""
        return frozenset(report.sha256 for report in self.reports)


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """What became of a message for one of its recipients, and what the server said to that."""

    address: str
    state: RecipientState
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message. Times are in UTC; `size` is that of the whole mail (0: not known).

    `released`: somebody decided that it goes again although it is in doubt.
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
        """To whom the message still has to go: after doubt to everybody who may lack it, else to the deferred."""
        if self.state == "sent":
            return tuple(result.address for result in self.results if result.state == "deferred")
        settled = {result.address for result in self.results if result.state in ("sent", "refused")}
        return tuple(address for address in self.message.envelope if address not in settled)


@dataclass(frozen=True, slots=True)
class Adoption:
    """A report that counts as sent though no message of the log took it: of that content, or else of that name.

    A name counts for files that were not changed after `at` alone.
    """

    at: datetime
    detail: str
    sha256: str = ""
    name: str = ""
    run_id: str = ""

    def covers(self, report: ReportFile) -> bool:
        if self.sha256:
            return self.sha256 == report.sha256
        return self.name == report.path.name and report.modified <= self.at


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a message or to the log itself; never changed afterwards."""

    number: int
    at: datetime
    what: str
    message_id: str
    who: str
    facts: str
    """Further facts, as JSON."""
