"""What the use cases need from outside the process. Adapters fit these shapes; they do not inherit.

The exceptions here never reach a user: a use case turns each into a state that is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ..domain.catalog import ServiceCatalog
from ..domain.correction import Correction
from ..domain.delivery import (
    Adoption,
    Delivery,
    Event,
    Message,
    MessageState,
    RecipientResult,
    ReportFile,
    Transport,
)
from ..domain.examples import Example
from ..domain.report import Report
from ..domain.ticket import AttributedTicket, Outcome, Reason, Ticket
from ..domain.usage import Bill

if TYPE_CHECKING:
    from ..domain.alerting import Alert
    from ..domain.run_history import Figures, RunHistory

Clock: TypeAlias = Callable[[], datetime]
"""The time, in UTC."""

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many batches are done, and of how many."""

TextComparison: TypeAlias = Callable[[str, str], bool]
"""Whether a text that came back from a person (first) may be a text of a ticket as a report shows it (second)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One pass through the stages. Its id goes through stage files, workbook and report log."""

    id: str
    clock: Clock


class BatchFailed(Exception):
    """One batch got no usable answer, for a reason that all its tickets share.

    `lies_in_content`: some of its tickets may be answered without the others.
    """

    def __init__(self, reason: Reason, detail: str, *, lies_in_content: bool = True) -> None:
        super().__init__(detail)
        self.reason = reason
        self.lies_in_content = lies_in_content


class ClassifierStopped(Exception):
    """No further call will be answered, or may be paid for; what was answered so far stands."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class MessageRefused(Exception):
    """The mail server definitely did not take this message; it may well take another.

    `may_pass`: it may take this one later. `results`: what it said to each recipient, if it got that far.
    """

    def __init__(self, detail: str, *, may_pass: bool = False, results: Sequence[RecipientResult] = ()) -> None:
        super().__init__(detail)
        self.may_pass = may_pass
        self.results = tuple(results)


class DeliveryInDoubt(Exception):
    """The message was handed over and no answer came: it may have arrived or not."""


class Helpdesk(Protocol):
    """Where tickets come from."""

    def fetch_tickets(self) -> list[Ticket]:
        """The whole queue, in its order. Raises SettingsError, InputError or ServiceError."""


class CatalogSource(Protocol):
    """Where the service catalog comes from."""

    def fetch_catalog(self) -> ServiceCatalog:
        """The service catalog. Raises SettingsError, CatalogError or ServiceError."""


class Classifier(AbstractAsyncContextManager["Classifier"], Protocol):
    """Chooses request types. Entered once, for all batches of a run."""

    @property
    def batch_size(self) -> int:
        """The most tickets that one call takes."""

    @property
    def concurrency(self) -> int:
        """The most calls in flight."""

    @property
    def bill(self) -> Bill:
        """What all calls so far took."""

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        """Whatever decides its answers besides the text of a ticket; the same answers have the same."""

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Sequence[Example] = ()) -> Bill:
        """What one call about these tickets will take, roughly."""

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Sequence[Example] = ()
    ) -> list[Outcome]:
        """One outcome for each ticket, in their order. `examples` are what people decided about others like them.

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


class AnswerCache(Protocol):
    """Answers that were given before, by a key that names the question in full."""

    def get(self, keys: Sequence[str], catalog: ServiceCatalog) -> dict[str, Outcome]:
        """Those that are known and that `catalog` still has."""

    def put(self, answers: Mapping[str, Outcome]) -> None: ...


class StageFiles(Protocol):
    """The files in which each stage of a run leaves its result. Saving raises SettingsError or ServiceError."""

    def save_catalog(self, catalog: ServiceCatalog, run: Run) -> None:
        """Save the catalog of `run`."""

    def save_tickets(self, tickets: Sequence[Ticket], run: Run) -> None:
        """Save the queue of `run`, in its order."""

    def save_attributions(self, tickets: Sequence[AttributedTicket], run: Run, bill: Bill) -> datetime:
        """Save the attributions of `run`. Returns the time in the file, in UTC, which the report takes over."""

    def attributed(self, run_id: str) -> list[AttributedTicket]:
        """The attributions of a run, in the order of the queue. Raises StageFileError."""

    def runs(self) -> list[str]:
        """The ids of the runs that have stage files, oldest first."""

    def remove(self, run_id: str) -> None:
        """Delete all stage files of a run. Raises SettingsError or ServiceError."""


class ReportWriter(Protocol):
    """Writes a report in one format."""

    def write(self, report: Report, path: Path) -> None:
        """Write the report whole or not at all. Raises SettingsError, InputError or ServiceError."""


class ReportFolder(Protocol):
    def reports(self) -> list[ReportFile]:
        """Every workbook that lies there, oldest first."""

    def inspect(self, path: Path) -> ReportFile:
        """The workbook at `path`, which may lie anywhere. Raises InputError."""

    def read(self, report: ReportFile) -> bytes:
        """Its content. Raises InputError when that is no longer what was inspected."""

    def remove(self, report: ReportFile) -> None:
        """Delete it, unless it is no longer what was inspected. Raises InputError, SettingsError or ServiceError."""


class ReportLog(Protocol):
    """All methods raise SettingsError, InputError or ServiceError when the log cannot be used."""

    def hold(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[None]:
        """Keep every other sender out from now on (`at`); what a dead one left `sending` is then in doubt.

        Waits `wait` seconds for one that is at work, then raises BusyError.
        """

    def hold_unread(self, at: datetime) -> AbstractContextManager[datetime]:
        """Keep every other sender out, though the log itself may be past reading. Raises ServiceError."""

    def is_held(self) -> bool:
        """Whether somebody is sending."""

    def exists(self) -> bool:
        """Whether anything was ever recorded in it."""

    def deliveries(self) -> list[Delivery]:
        """All there ever were, oldest first."""

    def delivery(self, message_id: str) -> Delivery | None: ...

    def adoptions(self) -> list[Adoption]: ...

    def events(self) -> list[Event]:
        """What happened, oldest first."""

    def begin(self, message: Message, at: datetime, *, to: Sequence[str] = (), why: str = "") -> None:
        """Record that `message` is about to be handed over for the recipients `to` (empty: all of them).

        One that is known already is tried again. `why`: what is special about it.
        """

    def finish(
        self,
        message: Message,
        state: MessageState,
        detail: str,
        at: datetime,
        *,
        results: Sequence[RecipientResult] = (),
        size: int = 0,
    ) -> None:
        """Record what came of it. A recipient who is not in `results` shares the fate of the message."""

    def resolve(self, message: Message, state: MessageState, detail: str, at: datetime) -> None:
        """Record what a person decided about a message in doubt; still `in_doubt`: that it goes again."""

    def adopt(self, reports: Sequence[ReportFile], detail: str, at: datetime) -> None:
        """Record that these count as sent."""

    def back_up(self, target: Path) -> None:
        """A whole copy in one file, though others may be at work. Raises InputError where there is no log."""

    def restore(self, copy: Path, at: datetime) -> Path | None:
        """Put `copy` in the place of what there is, and return where that lies now (None: there was none)."""

    def prune(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        """Forget these, and who got them. That the reports of those `sent` were sent, and when, stays known."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the server said to a message that it took, how large that was, and what it said to each recipient."""

    reply: str
    size: int = 0
    results: tuple[RecipientResult, ...] = ()


class MailSession(Protocol):
    def send(self, message: Message, contents: Sequence[bytes], to: Sequence[str] = ()) -> Receipt:
        """Hand over `message` with the contents of its reports, for the recipients `to` (empty: all of them).

        Raises MessageRefused, DeliveryInDoubt, SettingsError or, when the session broke off, MailServerError.
        """


class Mailer(Protocol):
    @property
    def transport(self) -> Transport: ...

    def connect(self) -> AbstractContextManager[MailSession]:
        """A session in which the server has accepted us. Raises SettingsError or MailServerError."""

    def check(self) -> int | None:
        """The most bytes that a mail may have (None: no bound).

        Raises what `connect`, or the sender of a message, would be refused with.
        """


class RunHistoryStore(Protocol):
    def change(self, change: Callable[[RunHistory], RunHistory]) -> RunHistory:
        """What is known from now on, after `change` to what was known; nobody else changes it meanwhile.

        Raises nothing: what cannot be read is unknown, what cannot be kept is forgotten, both with a warning.
        """


class MetricsSink(Protocol):
    def publish(self, figures: Figures) -> None:
        """Put these in the place of what was published before. Raises SettingsError or ServiceError, soon."""


class Alerts(Protocol):
    def send(self, alert: Alert) -> bool:
        """Whether somebody could be told within a few seconds. Raises nothing: what failed is logged."""
