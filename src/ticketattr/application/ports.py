"""What the use cases need from outside the process. Adapters fit these shapes; they do not inherit.

The exceptions here never reach a user: a use case turns each into a state that is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar

from ..domain.catalog import ServiceCatalog
from ..domain.correction import Correction, ReviewedReport
from ..domain.delivery import (
    Adoption,
    Delivery,
    Event,
    LogIdentity,
    Message,
    MessageState,
    RecipientResult,
    ReportFile,
    Transport,
)
from ..domain.examples import NO_EXAMPLES, Examples
from ..domain.figures import ReportFigures
from ..domain.report import Report, Row
from ..domain.ticket import AttributedTicket, Outcome, Reason, Ticket
from ..domain.usage import Bill
from ..domain.write_back import Change, ChangeMode, ChangeState, Pair, Skipped, TicketNow

if TYPE_CHECKING:
    from ..domain.alerting import Alert
    from ..domain.metrics import MetricsSnapshot
    from ..domain.run_history import RunHistory

T = TypeVar("T")

Clock: TypeAlias = Callable[[], datetime]
"""The time, in UTC."""

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many tickets have an outcome, and of how many. A ticket that is asked about again counts once."""


class LearningProgress(Protocol):
    """Told what is being done, and how much of it: None if nobody knows how much there is."""

    def __call__(self, done: int, total: int | None, /) -> None: ...

    def describe(self, text: str, /) -> None: ...


class _NoProgress:
    """Shows nobody what is being done."""

    def __call__(self, done: int, total: int | None, /) -> None:
        pass

    def describe(self, text: str, /) -> None:
        pass


NO_PROGRESS = _NoProgress()

TextComparison: TypeAlias = Callable[[str, str], bool]
"""Whether a text that came back from a person (first) may be a text of a ticket as a report shows it (second)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One pass through the stages. Its id goes through stage files, workbook and report log."""

    id: str
    clock: Clock


class BatchFailed(Exception):
    """A batch got no usable answer, for a reason that all its tickets share.

    `lies_in_content`: the cause is in the tickets, so a part of the batch may be answered. `is_transient`: the same
    batch may be answered later.
    """

    def __init__(
        self, reason: Reason, detail: str, *, lies_in_content: bool = True, is_transient: bool = False
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.lies_in_content = lies_in_content
        self.is_transient = is_transient


class ClassifierStopped(Exception):
    """No further call will be answered, or may be paid for. Earlier answers remain valid."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class MessageRefused(Exception):
    """The mail server certainly did not accept this message. It may accept other messages.

    `is_transient`: the server may accept the same message later. `results`: its reply to each recipient, if it was
    asked about recipients. `is_too_large`: it may accept a smaller message.
    """

    def __init__(
        self,
        detail: str,
        *,
        is_transient: bool = False,
        results: Sequence[RecipientResult] = (),
        is_too_large: bool = False,
    ) -> None:
        super().__init__(detail)
        self.is_transient = is_transient
        self.is_too_large = is_too_large
        self.results = tuple(results)


class DeliveryInDoubt(Exception):
    """The mail server had the whole message and did not reply: nobody knows whether it accepted the message."""


class TransientFailure(Exception):
    """An attempt failed, and the next one may succeed."""


class NotFinished(Exception):
    """Another program may still be writing the file, or has written it since. The message says what shows that."""


class Retry(Protocol):
    """Repeats an attempt, and waits before each repetition."""

    def __call__(self, attempt: Callable[[], T], /) -> T:
        """Returns what `attempt` returns, once it raises neither TransientFailure nor MailServerError.

        Raises the last of these when the attempts are used up, and every other error at once.
        """


@dataclass(frozen=True, slots=True)
class TicketPreview:
    """A ticket as it was understood. `origins` says for each field that is not empty what it was found by."""

    ticket: Ticket
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class QueuePreview:
    """The first tickets of a queue, and the names of all fields that the first one came with."""

    tickets: Sequence[TicketPreview]
    fields_seen: Sequence[str]


class Helpdesk(Protocol):
    """Where tickets come from."""

    def fetch_tickets(self) -> list[Ticket]:
        """The whole queue, in its order. Raises SettingsError, InputError or ServiceError."""


class CatalogSource(Protocol):
    """Where the service catalog comes from."""

    def fetch_catalog(self) -> ServiceCatalog:
        """The service catalog. Raises SettingsError, CatalogError or ServiceError."""


class Classifier(AbstractAsyncContextManager["Classifier"], Protocol):
    """Chooses request types. It is entered once, for all batches of a run."""

    @property
    def batch_size(self) -> int:
        """The largest number of tickets in one call."""

    @property
    def concurrency(self) -> int:
        """The largest number of calls in flight."""

    @property
    def bill(self) -> Bill:
        """What all calls so far took: tokens, cost and time."""

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        """Returns a name for everything that decides the answers, apart from the ticket and the examples.

        Answers under one fingerprint are not used under another.
        """

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES) -> Bill:
        """Returns roughly what the calls about these tickets will take: tokens, and US dollars if prices are known."""

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
    ) -> list[Outcome]:
        """Returns one outcome for each ticket, in their order. Takes at most `batch_size` tickets.

        `examples` are what people decided about other tickets. The classifier chooses those that are like `tickets`.

        Raises BatchFailed when this batch got no usable answer, ClassifierStopped when no further one
        will, and SettingsError when none can, whatever the time.
        """


class CorrectionStore(Protocol):
    """The corrections of all runs, which are added, and never changed.

    All methods raise SettingsError, InputError or ServiceError if the store cannot be used.
    """

    def all(self) -> list[Correction]:
        """All corrections, oldest first."""

    def add(self, corrections: Sequence[Correction]) -> None:
        """Add `corrections`, in their order: all of them or none."""


FileStamp: TypeAlias = tuple[int, int, int]
"""What changes when a file is written: its inode, size in bytes, and time of modification in nanoseconds."""


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A file that somebody put into the folder for corrections; `saved` is the time of its last change, in UTC."""

    name: str
    saved: datetime
    stamp: FileStamp


class CorrectionsInbox(Protocol):
    """The folder into which people put the workbooks that they corrected."""

    def workbooks(self) -> list[DroppedFile]:
        """The files that wait there, the one that was saved first before the others. Raises SettingsError."""

    def read(self, file: DroppedFile) -> ReviewedReport:
        """The report in the file. Raises NotFinished, or InputError if it is not such a report."""

    def settle(self, file: DroppedFile, result: Literal["done", "refused"], note: str) -> Path:
        """Move the file to the folder of that result, with the note in a text file beside it. Returns its new path.

        Raises NotFinished if the file was changed since it was read, SettingsError or ServiceError.
        """


class AnswerCache(Protocol):
    """Earlier answers, by a key that stands for everything that decides an answer."""

    def get(self, tickets: Mapping[str, Ticket], catalog: ServiceCatalog) -> dict[str, Outcome]:
        """Returns the answers that are known, by the keys of the tickets.

        Leaves out those whose request type `catalog` no longer has.
        """

    def put(self, answers: Mapping[str, Outcome], tickets: Mapping[str, Ticket]) -> None:
        """Keep these answers for later runs. `tickets` has the ticket of each key."""


@dataclass(frozen=True, slots=True)
class AppliedRun:
    """All changes of one run in the helpdesk, oldest first, and the tickets that were left as they are."""

    changes: tuple[Change, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class StageFiles(Protocol):
    """The files in which each stage of a run leaves its result. Saving raises SettingsError or ServiceError."""

    def save_catalog(self, catalog: ServiceCatalog, run: Run) -> None:
        """Save the catalog of `run`."""

    def save_tickets(self, tickets: Sequence[Ticket], run: Run) -> None:
        """Save the queue of `run`, in its order."""

    def save_attributions(self, tickets: Sequence[AttributedTicket], run: Run, bill: Bill) -> datetime:
        """Save the attributions of `run`. Returns the time in the file, in UTC, which the report takes over."""

    def save_applied(self, applied: AppliedRun, run: Run) -> None:
        """Save what `run` changed in the helpdesk."""

    def attributed(self, run_id: str) -> list[AttributedTicket]:
        """The attributions of a run, in the order of the queue. Raises StageFileError."""

    def runs(self) -> list[str]:
        """The ids of the runs that have stage files, oldest first."""

    def touched_at(self, run_id: str) -> datetime | None:
        """When the files of a run last changed, by the clock of that time, in UTC; None if nobody knows."""

    def remove(self, run_id: str) -> None:
        """Delete all stage files of a run. Raises SettingsError or ServiceError."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What the helpdesk made of one request. `detail` is its answer, cleaned, cut and without secrets.

    `done`: it took the request. `stale`: the ticket was changed since it was read, so nothing was written. `refused`:
    nothing was written. `unknown`: the request may have taken effect (no answer, or an error of the server).
    """

    outcome: Literal["done", "stale", "refused", "unknown"]
    detail: str = ""


class TicketWriter(AbstractAsyncContextManager["TicketWriter"], Protocol):
    """Writes into tickets of the helpdesk; each writing request is sent once. It is entered once, for all changes.

    All methods raise SettingsError, InputError or ServiceError when no further ticket can be read or written now:
    credentials that are refused, a helpdesk that cannot be reached or asks to wait for long.
    """

    @property
    def requests_per_minute(self) -> int | None:
        """The limit of the helpdesk; None if it has none."""

    @property
    def can_fill(self) -> bool:
        """Whether it can set fields."""

    @property
    def can_note(self) -> bool:
        """Whether it can add an internal note or a tag."""

    def requests_of(self, mode: ChangeMode) -> int:
        """The number of requests that a change in this mode takes."""

    async def read(self, ticket_id: str) -> TicketNow | None:
        """The ticket as it is now; None if it no longer exists. Raises TicketUnreadable for this ticket alone."""

    async def fill(self, now: TicketNow, pair: Pair) -> WriteResult:
        """Set the fields of a ticket that was read; an empty text leaves its field as it is."""

    async def put_back(self, now: TicketNow, pair: Pair) -> WriteResult:
        """Set both fields; an empty text empties its field."""

    async def add_note(self, now: TicketNow, text: str) -> WriteResult:
        """Add an internal note. Nobody outside the desk sees it."""

    async def has_note(self, now: TicketNow, marker: str) -> bool:
        """Whether a note of the ticket holds `marker`."""


class TicketUnreadable(Exception):
    """The helpdesk did not show one ticket, and may show others."""


class ChangeLedger(Protocol):
    """The ledger of changes in the helpdesk, which is only added to.

    All methods raise SettingsError, InputError or ServiceError if the ledger cannot be used.
    """

    def version(self) -> object:
        """A value that differs when the ledger changed."""

    def lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[datetime]:
        """Exclude other writers for the block. Raises BusyError."""

    def changes(self) -> list[Change]:
        """All changes with their present states, oldest first."""

    def add(self, change: Change) -> Change:
        """Record `change` in its state. Returns it with its number."""

    def record(self, change: Change, state: ChangeState, detail: str, at: datetime) -> Change:
        """Record a new state of a change. Returns the change in it."""


class ReportWriter(Protocol):
    """Writes a report in one format."""

    def write(self, report: Report, path: Path) -> None:
        """Write the report whole or not at all. Raises SettingsError, InputError or ServiceError."""


class RowWriter(Protocol):
    """Writes the rows of a report, however many they are."""

    def write_rows(self, rows: Iterable[Row], path: Path) -> None:
        """Write the rows in their order, whole or not at all. Raises SettingsError, InputError or ServiceError."""


RowSorter: TypeAlias = Callable[[Iterable[Row]], AbstractContextManager[Iterator[Row]]]
"""Gives rows, however many they are, in the order of a report, until the block ends."""


class ReportFolder(Protocol):
    """The folder of finished reports."""

    def reports(self) -> list[ReportFile]:
        """Every workbook in the folder, oldest first. Raises InputError."""

    def inspect(self, path: Path) -> ReportFile:
        """The workbook at `path`, which may be in any folder. Raises InputError."""

    def read(self, report: ReportFile) -> bytes:
        """The content of the file. Raises InputError if it changed since it was inspected."""

    def figures(self, report: ReportFile) -> ReportFigures | None:
        """The figures that the workbook states; None if it states none. Raises what `read` raises."""

    def remove(self, report: ReportFile) -> None:
        """Delete the file.

        Raises InputError if it changed since it was inspected, SettingsError or ServiceError if it cannot be deleted.
        """

    def owner(self) -> LogIdentity | None:
        """The report log that the folder belongs to; None if that was never written down. Raises InputError."""

    def set_owner(self, log: LogIdentity) -> None:
        """Write down the log that the folder belongs to. A folder that cannot be written stays as it is."""


class ReportLog(Protocol):
    """The log of every message and adopted report, to be read, and locked against other senders.

    The methods of this port and of the three below raise SettingsError, InputError or ServiceError if the log cannot be
    used.
    """

    def exists(self) -> bool:
        """Whether anything was ever recorded in the log."""

    def identity(self) -> LogIdentity:
        """The id and the place of the log."""

    def deliveries(self) -> list[Delivery]:
        """All deliveries, oldest first."""

    def recent_deliveries(self, before: int | None, limit: int) -> Mapping[int, Delivery]:
        """The latest deliveries by their numbers, the latest first; with `before`, those with a smaller number.

        A later delivery has a greater number. A long log is not read whole.
        """

    def adoptions(self) -> list[Adoption]:
        """All adoptions, oldest first."""

    def acquire_sender_lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[None]:
        """Exclude other senders for the block. Messages that a dead sender left `sending` become `in_doubt` at `at`.

        Waits up to `wait` seconds for another sender. Raises BusyError if that one is still at work then.
        """

    def is_locked(self) -> bool:
        """Whether a sender holds the lock now."""


class WritableReportLog(ReportLog, Protocol):
    """A report log that can be created and changed."""

    def establish(self) -> LogIdentity:
        """The identity of the log, which is created if it does not exist."""

    def settle_recipient(
        self, message: Message, address: str, state: Literal["sent", "refused"], detail: str, at: datetime
    ) -> None:
        """Record that nothing more is sent to one recipient of a message: a person decided so, or it took too long.

        Needs the sender lock.
        """


class DeliveryLog(WritableReportLog, Protocol):
    """The report log for sending: it records every attempt, before and after. Needs the sender lock."""

    def delivery(self, message_id: str) -> Delivery | None:
        """The delivery of one message, with its frame; None if no attempt to send it was started."""

    def start_attempt(self, message: Message, at: datetime, *, to: Sequence[str] = (), why: str = "") -> None:
        """Record that the mail server will now get `message` for the recipients `to` (empty: all).

        For a message that is in the log, this is a further attempt. The frame of the first one is kept. `why`: the
        reason, if a person asked for it.
        """

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
        """Record the result of the attempt. Recipients who are not in `results` share the state of the message."""


class ReportLogMaintenance(WritableReportLog, Protocol):
    """The report log for everything besides sending. Changes need the sender lock."""

    def version(self) -> object:
        """A value that differs when the log changed."""

    def acquire_lock_only(self, at: datetime) -> AbstractContextManager[datetime]:
        """Exclude other senders without reading the log, which may be damaged. Raises BusyError."""

    def events(self) -> list[Event]:
        """The whole history, oldest first."""

    def record_decision(self, message: Message, state: MessageState, detail: str, at: datetime) -> None:
        """Record a person's decision about a message in doubt. With the state `in_doubt`, it is sent again."""

    def adopt(self, reports: Sequence[ReportFile], detail: str, at: datetime) -> None:
        """Record that these reports count as sent."""

    def delete_deliveries(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        """Delete these deliveries with all addresses, and adopt the reports of those that were sent."""

    def back_up(self, target: Path) -> None:
        """Write a consistent copy into one file, even if another process sends now. Raises InputError without a log."""

    def restore(
        self, backup: Path, at: datetime, *, adopted: Sequence[ReportFile] = (), detail: str = "", id: str = ""
    ) -> str:
        """Replace the log by a backup in which the reports `adopted` count as sent, for the reason `detail`.

        `id` is the id of the log from now on (empty: that of the backup).
        All of it happens or nothing, also if the process is killed. Returns where the former log is kept now (empty:
        there was none). Raises InputError if `backup` is no backup.
        """


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The mail server's reply to a message that it accepted, and its reply about each recipient.

    `size` is that of the whole mail, in bytes.
    """

    reply: str
    size: int = 0
    results: tuple[RecipientResult, ...] = ()


class MailSession(Protocol):
    """An open connection to a mail server, for any number of messages."""

    def send(self, message: Message, contents: Sequence[bytes], to: Sequence[str] = ()) -> Acceptance:
        """Send `message` to the recipients `to` (empty: all). `contents`: the bytes of its reports, in their order.

        The mail is the frame of the message around these contents, byte for byte.

        Raises MessageRefused, DeliveryInDoubt, SettingsError or, if the connection broke off, MailServerError.
        """


class Mailer(Protocol):
    """Sends messages by one transport."""

    @property
    def transport(self) -> Transport: ...

    def connect(self) -> AbstractContextManager[MailSession]:
        """A session in which the server accepted the login. Raises SettingsError or MailServerError."""

    def max_mail_size(self) -> int | None:
        """The largest mail that is accepted, in bytes (None: no limit); sends nothing.

        Raises the error of `connect`, or the one with which the server refuses the sender of every message.
        """

    def compose(self, message: Message) -> tuple[str, ...]:
        """The frame of a new message; sends nothing. Raises SettingsError if the mail would not be valid."""


class RunHistoryStore(Protocol):
    def change(self, change: Callable[[RunHistory], RunHistory]) -> RunHistory:
        """Replace the history by `change(history)`, under a lock, and return the new one.

        Raises nothing. A history that cannot be read counts as empty, one that cannot be written is not kept; both are
        logged as warnings.
        """


class MetricsSink(Protocol):
    def publish(self, snapshot: MetricsSnapshot) -> None:
        """Replace the metrics that were published before. Raises SettingsError or ServiceError, within seconds."""


class Alerts(Protocol):
    def send(self, alert: Alert) -> bool:
        """Send an alert within a few seconds. True if at least one service took it. Raises nothing; logs failures."""


class SavedCalibration(Protocol):
    """A map from confidence to probability that was fitted for one classifier and one catalog."""

    @property
    def tickets(self) -> int:
        """The number of gold tickets that it was fitted on."""

    def fits(self, classifier: Classifier, catalog: ServiceCatalog) -> bool:
        """Whether it was made for this classifier, without any calibration, and this catalog."""
