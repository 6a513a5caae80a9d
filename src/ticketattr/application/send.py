"""Deliver each report once.

A message is frozen and recorded before the server hears of it. Whatever happens afterwards, the log
knows what was handed over, and a repeat after doubt is the same message, not another one.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..domain.delivery import Delivery, Message, MessageState, RecipientResult, RecipientState, ReportFile
from ..errors import MailServerError, TicketAttrError
from .delivery_plan import Addressing, DeliveryPlanner
from .ports import Clock, DeliveryInDoubt, Mailer, MailSession, MessageRefused
from .report_tracker import ReportTracker, refuse_lost_report_log

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The reports and the log of what became of them, who carries them, and to whom.

    `pauses`: the seconds before each further try of what the server does not take now. `send_old`: where
    there is no log, nothing was sent.
    """

    tracker: ReportTracker
    mailer: Mailer
    addressing: Addressing
    clock: Clock
    wait: Callable[[float], None]
    pauses: tuple[float, ...] = ()
    send_old: bool = False

    def planner(self, report: Path | None = None) -> DeliveryPlanner:
        """`report`: to be sent from wherever it lies. Raises InputError when the log is gone."""
        folder = self.tracker.folder
        if not self.send_old:
            named = [folder.inspect(report)] if report else []
            refuse_lost_report_log([*named, *folder.reports()], self.tracker.log, self.clock())
        return DeliveryPlanner(folder, self.tracker.history(), self.addressing, self.clock())


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one try came to. `error`: what to stop with, if no further try helps."""

    state: MessageState
    detail: str
    may_pass: bool = False
    results: tuple[RecipientResult, ...] = ()
    size: int = 0
    error: TicketAttrError | None = None


def largest_mail(outgoing: Outgoing) -> int | None:
    """The most bytes that a mail may have (None: no bound).

    Raises SettingsError or MailServerError when none would be taken.
    """
    size, error = _ask_size(outgoing)
    for pause in outgoing.pauses:
        if not error:
            break
        _pause(outgoing, pause, str(error))
        size, error = _ask_size(outgoing)
    if error:
        raise error
    return size


def send_pending(outgoing: Outgoing) -> list[Delivery]:
    """What became of each message that was due; with none due, nobody is asked anything."""
    planner = outgoing.planner()
    return send_messages(outgoing, planner.pending(largest_mail(outgoing))) if planner.pending() else []


def send_report(outgoing: Outgoing, path: Path, *, again: bool = False) -> list[Delivery]:
    """The same for the report at `path` alone; `again`: whatever the log says. Raises InputError."""
    messages = outgoing.planner(path).report(path, again=again)
    return send_messages(outgoing, messages, why="again, as somebody asked" if again else "")


def send_messages(outgoing: Outgoing, messages: Sequence[Message], *, why: str = "") -> list[Delivery]:
    """What became of each message. `why`: what is special about them, for the log.

    Raises SettingsError or MailServerError when the server takes none.
    """
    deliveries = []
    waiting = deque(messages)
    while waiting:
        message = waiting.popleft()
        outcome = _deliver(outgoing, message, why)
        if outcome.error:
            raise outcome.error
        delivery = outgoing.tracker.log.delivery(message.message_id)
        if delivery:
            # Its reports may lie elsewhere than when it was first recorded.
            deliveries.append(replace(delivery, message=message))
        if delivery and _may_go_singly(delivery, outcome):
            waiting.extendleft(
                outgoing.addressing.message([report], outgoing.clock()) for report in message.reports[::-1]
            )
    return deliveries


def _may_go_singly(delivery: Delivery, outcome: _Outcome) -> bool:
    """Whether one report may be all that the server has against the message: it must not hold up the others."""
    is_final = delivery.state == "failed" and not outcome.may_pass and not outcome.results
    return is_final and len(delivery.message.reports) > 1


def _deliver(outgoing: Outgoing, message: Message, why: str) -> _Outcome:
    """One try, and further ones while the server says that a later one may succeed."""
    outcome = _try(outgoing, message, why)
    for pause in outgoing.pauses:
        if not outcome.may_pass:
            break
        _pause(outgoing, pause, f"{message.message_id}: {outcome.detail}")
        outcome = _try(outgoing, message, why)
    return outcome


def _try(outgoing: Outgoing, message: Message, why: str) -> _Outcome:
    contents = [outgoing.tracker.folder.read(report) for report in message.reports]
    before = outgoing.tracker.log.delivery(message.message_id)
    to = before.outstanding if before else message.envelope
    log.info("sending %s: %d attachments, %d bytes", message.message_id, len(contents), sum(map(len, contents)))
    try:
        with outgoing.mailer.connect() as session:
            outgoing.tracker.log.begin(message, outgoing.clock(), to=to, why=why)
            outcome = _hand_over(session, message, contents, to)
            _record(outgoing, message, before, to, outcome)
            return outcome
    except MailServerError as error:
        # From `connect`: the message was not even begun.
        return _Outcome("failed", str(error), may_pass=True, error=error)


def _hand_over(session: MailSession, message: Message, contents: Sequence[bytes], to: Sequence[str]) -> _Outcome:
    try:
        receipt = session.send(message, contents, to)
    except DeliveryInDoubt as error:
        return _Outcome("in_doubt", str(error))
    except MessageRefused as error:
        return _Outcome("failed", str(error), error.may_pass, error.results)
    except TicketAttrError as error:
        return _Outcome("failed", str(error), may_pass=isinstance(error, MailServerError), error=error)
    deferred = any(result.state == "deferred" for result in receipt.results)
    return _Outcome("sent", receipt.reply, deferred, receipt.results, receipt.size)


def _record(
    outgoing: Outgoing, message: Message, before: Delivery | None, to: Sequence[str], outcome: _Outcome
) -> None:
    state = _state_after(before, outcome.state)
    if state == "sent":
        log.info("sent %s", message.message_id)
    else:
        log.warning("%s is %s: %s", message.message_id, state.replace("_", " "), outcome.detail)
    results = _results(to, state, outcome)
    outgoing.tracker.log.finish(message, state, outcome.detail, outgoing.clock(), results=results, size=outcome.size)


def _state_after(before: Delivery | None, state: MessageState) -> MessageState:
    """What a refusal means depends on what went before it."""
    if state != "failed" or before is None:
        return state
    # An earlier try may have arrived: under another Message-ID nobody could tell the repeat.
    if before.state == "in_doubt":
        return "in_doubt"
    return "sent" if any(result.state == "sent" for result in before.results) else "failed"


def _results(to: Sequence[str], state: MessageState, outcome: _Outcome) -> list[RecipientResult]:
    """What the try came to for each recipient; who heard nothing of his own shares the fate of the message."""
    if state == "in_doubt":
        return [RecipientResult(address, "in_doubt", outcome.detail) for address in to]
    refusal: RecipientState = "deferred" if outcome.may_pass else "refused"
    rest: RecipientState = "sent" if outcome.state == "sent" else refusal
    told = {result.address: result for result in outcome.results}
    return [told.get(address, RecipientResult(address, rest, outcome.detail)) for address in to]


def _ask_size(outgoing: Outgoing) -> tuple[int | None, MailServerError | None]:
    try:
        return outgoing.mailer.check(), None
    except MailServerError as error:
        return None, error


def _pause(outgoing: Outgoing, pause: float, reason: str) -> None:
    log.warning("%s; again in %.1f s", reason, pause)
    outgoing.wait(pause)


def sent_reports(deliveries: Sequence[Delivery]) -> list[ReportFile]:
    """The reports of those deliveries that the mailer accepted, in their order."""
    return [report for delivery in deliveries if delivery.state == "sent" for report in delivery.message.reports]
