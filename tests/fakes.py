"""Fake adapters, which pass the same contract tests as the real ones, and small test data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias, TypeVar, get_args

from ticketattr.application.ports import (
    Acceptance,
    BatchFailed,
    ClassifierStopped,
    DeliveryInDoubt,
    MessageRefused,
    TransientFailure,
)
from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.correction import Correction
from ticketattr.domain.delivery import Message, RecipientResult, ReportFile, Transport
from ticketattr.domain.examples import NO_EXAMPLES, Example, Examples
from ticketattr.domain.run_history import Command, RunRecord
from ticketattr.domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ticketattr.domain.usage import Bill
from ticketattr.domain.write_back import Change, ChangeState
from ticketattr.errors import MailServerError, TicketAttrError
from ticketattr.infrastructure.classifiers.llm.chat_model import ChatAnswer, ChatRequest, Format
from ticketattr.infrastructure.classifiers.llm.parameters import Parameter

MIDNIGHT = datetime(2026, 11, 23, tzinfo=timezone.utc)

PASSWORD = RequestType("Access", "Password Reset", SLA(4, "hours"), keywords=("password", "locked"))
LAPTOP = RequestType("Hardware", "Laptop Repair", SLA(3, "days"), keywords=("laptop", "notebook"))
STOLEN = RequestType("Hardware", "Stolen Device", SLA(0, "minutes"))
GENERAL = RequestType("Other", "General Inquiry", SLA(1.5, "weeks"))
CATALOG = ServiceCatalog((PASSWORD, LAPTOP, STOLEN, GENERAL))


def ticking_clock(start: datetime = MIDNIGHT) -> Callable[[], datetime]:
    """A clock that advances one second at each call."""
    seconds = 0

    def clock() -> datetime:
        nonlocal seconds
        seconds += 1
        return start + timedelta(seconds=seconds)

    return clock


def a_report(
    content: bytes = b"workbook", name: str = "report.xlsx", run_id: str = "", *, modified: datetime = MIDNIGHT
) -> ReportFile:
    return ReportFile(Path(name), hashlib.sha256(content).hexdigest(), len(content), modified, run_id)


def a_message(
    *reports: ReportFile,
    number: int = 1,
    transport: Transport = "smtp",
    sender: str = "desk@example.com",
    recipients: tuple[str, ...] = ("lead@example.com",),
    subject: str = "Ticket attribution report",
) -> Message:
    return Message(
        message_id=f"<ticketattr.{hashlib.sha256(_as_bytes(number)).hexdigest()[:32]}@example.com>",
        date=MIDNIGHT + timedelta(minutes=number),
        transport=transport,
        sender=sender,
        recipients=recipients,
        subject=subject,
        reports=reports or (a_report(),),
    )


def a_run_record(
    exit_code: int = 0, *reasons: str, command: Command = "run", minute: float = 0, **more: Any
) -> RunRecord:
    """A run that started and ended at that minute; `more` are further fields of the record."""
    at = MIDNIGHT + timedelta(minutes=minute)
    return RunRecord(f"run {minute:g}", command, at, at, exit_code, reasons, **more)


Script: TypeAlias = Callable[[Ticket], RequestType | None]


@dataclass
class ScriptedClassifier:
    """Chooses the entry that `script` returns; None means that no entry fits. `failures` are errors by batch."""

    script: Script = lambda ticket: GENERAL
    batch_size: int = 30
    concurrency: int = 1
    bill: Bill = field(default_factory=Bill)
    failures: dict[int, BatchFailed | ClassifierStopped | TicketAttrError] = field(default_factory=dict)
    shown: list[list[Ticket]] = field(default_factory=list)
    examples: list[list[Example]] = field(default_factory=list)
    entered: int = 0
    left: int = 0

    async def __aenter__(self) -> ScriptedClassifier:
        self.entered += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.left += 1

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        return "scripted"

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES) -> Bill:
        return Bill()

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
    ) -> list[Outcome]:
        batch = len(self.shown)
        self.examples.append(list(examples.for_batch(tickets)))
        self.shown.append(list(tickets))
        if batch in self.failures:
            raise self.failures[batch]
        return [
            Attribution(entry, source="model") if (entry := self.script(ticket)) else Unattributed("no_match")
            for ticket in tickets
        ]


T = TypeVar("T")


@dataclass
class RetryAtOnce:
    """Repeats an attempt up to `times` times without a wait, and keeps the failures that it repeated."""

    times: int = 0
    failures: list[str] = field(default_factory=list)
    before_repeat: Callable[[int], None] = lambda number: None

    def __call__(self, attempt: Callable[[], T], /) -> T:
        for number in range(self.times):
            try:
                return attempt()
            except (TransientFailure, MailServerError) as error:  # noqa: PERF203  # that is what it is for
                self.failures.append(str(error))
                self.before_repeat(number)
        return attempt()


@dataclass
class FakeChatModel:
    """A large language model in memory: `reply` gets the request of each call."""

    reply: Callable[[ChatRequest], ChatAnswer | Exception]
    provider: str = "Fake"
    parameters: frozenset[Parameter] = frozenset(get_args(Parameter))
    formats: tuple[Format, ...] = ("schema",)
    models: tuple[str, ...] = ("fake-1",)
    asked: list[ChatRequest] = field(default_factory=list)

    async def __aenter__(self) -> FakeChatModel:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        self.asked.append(request)
        reply = self.reply(request)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def list_models(self) -> list[str]:
        return list(self.models)


@dataclass
class FakeMailer:
    """A mail server in memory.

    `troubles` are raised for the next messages, one for each; None accepts a message. With `arrives_in_doubt`, the
    server receives a message before a DeliveryInDoubt is raised. `answers` are the results for the recipients of the
    next messages that it accepts. `to` records the recipients of each call.
    """

    transport: Transport = "smtp"
    troubles: list[MessageRefused | DeliveryInDoubt | TicketAttrError | KeyboardInterrupt | None] = field(
        default_factory=list
    )
    arrives_in_doubt: bool = True
    answers: list[tuple[RecipientResult, ...]] = field(default_factory=list)
    to: list[tuple[str, ...]] = field(default_factory=list)
    unreachable: TicketAttrError | None = None
    max_size: int | None = None
    sent: list[tuple[Message, list[bytes]]] = field(default_factory=list)
    sessions: int = 0
    before_sending: Callable[[Message], None] = lambda message: None

    @contextmanager
    def connect(self) -> Iterator[FakeMailSession]:
        if self.unreachable:
            raise self.unreachable
        self.sessions += 1
        yield FakeMailSession(self)

    def compose(self, message: Message) -> tuple[str, ...]:
        """It needs no text around the reports."""
        return ()

    def max_mail_size(self) -> int | None:
        if self.unreachable:
            raise self.unreachable
        return self.max_size


@dataclass
class FakeMailSession:
    mailer: FakeMailer

    def send(self, message: Message, contents: Sequence[bytes], to: Sequence[str] = ()) -> Acceptance:
        mailer = self.mailer
        mailer.before_sending(message)
        mailer.to.append(tuple(to))
        trouble = mailer.troubles.pop(0) if mailer.troubles else None
        if trouble is None or (isinstance(trouble, DeliveryInDoubt) and mailer.arrives_in_doubt):
            mailer.sent.append((message, list(contents)))
        if trouble:
            raise trouble
        results = mailer.answers.pop(0) if mailer.answers else ()
        return Acceptance("250 OK", sum(map(len, contents)), results)


@dataclass
class FakeChangeLedger:
    """A ledger of changes in memory; `states` are those that were recorded, in their order."""

    states: list[ChangeState] = field(default_factory=list)
    _changes: list[Change] = field(default_factory=list)

    def version(self) -> object:
        return len(self.states)

    def lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[datetime]:
        return nullcontext(at)

    def changes(self) -> list[Change]:
        return list(self._changes)

    def add(self, change: Change) -> Change:
        self.states.append(change.state)
        self._changes.append(replace(change, number=len(self._changes) + 1))
        return self._changes[-1]

    def record(self, change: Change, state: ChangeState, detail: str, at: datetime) -> Change:
        self.states.append(state)
        self._changes[change.number - 1] = replace(change, state=state, detail=detail, changed=at)
        return self._changes[change.number - 1]


def a_correction(
    text: str,
    id: str = "T-1",
    *,
    pair: tuple[str, str] = ("Hardware", "Laptop Repair"),
    run_id: str = "run",
    long: str = "",
) -> Correction:
    return Correction(
        run_id=run_id,
        place=1,
        ticket_id=id,
        short_description=text,
        long_description=long,
        request_category=pair[0],
        request_type=pair[1],
        reported_category="Other",
        reported_type="General Inquiry",
        reviewer="Lead",
        imported_by="ann",
        at=MIDNIGHT,
        has_unique_id=bool(id),
    )


def _as_bytes(number: int) -> bytes:
    return number.to_bytes(max(1, -(-number.bit_length() // 8)), "big")
