"""Sends each report once.

A message is complete and in the report log before the mail server hears of it. So the log knows after any failure
which messages may have arrived, and a repetition is the same message, not another one.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..domain.delivery import Delivery, Message, MessageState, RecipientResult, RecipientState, ReportFile
from ..domain.send_rules import LIFE_TIME, expired_recipients
from ..domain.wording import counted
from ..errors import MailServerError, TicketAttrError
from .folder_owner import claim, refuse_lost_log
from .outgoing_messages import Addressing, OutgoingMessages
from .ports import Clock, DeliveryInDoubt, DeliveryLog, Mailer, MailSession, MessageRefused, Retry, TransientFailure
from .report_tracker import ReportTracker, refuse_lost_report_log

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What sending works with: the reports, the mailer, and the addresses of new messages.

    `send_old`: without a report log, send also old reports, which may have been sent before.
    """

    tracker: ReportTracker
    log: DeliveryLog
    mailer: Mailer
    addressing: Addressing
    clock: Clock
    retry: Retry
    send_old: bool = False

    def messages(self, report: Path | None = None) -> OutgoingMessages:
        """The messages to send now. `report`: the one to send, if it may be in another folder.

        Raises InputError if the report log is gone, and SettingsError if the folder belongs to another one.
        """
        folder = self.tracker.folder
        if not self.send_old and not self.log.exists():
            named = [folder.inspect(report)] if report else []
            refuse_lost_log(folder, self.log)
            refuse_lost_report_log([*named, *folder.reports()], self.clock())
        return OutgoingMessages(folder, self.tracker.history(), self.addressing, self.clock())

    def give_up_expired(self) -> None:
        """Let recipients who have been deferred for longer than a message lives count as refused."""
        now = self.clock()
        for delivery in self.tracker.history().deliveries:
            for address in expired_recipients(delivery, now):
                days = LIFE_TIME.days
                log.warning(
                    "%s: a recipient has been deferred for more than %d days, and counts as refused",
                    delivery.message.message_id,
                    days,
                )
                detail = f"given up: deferred for more than {days} days"
                self.log.settle_recipient(delivery.message, address, "refused", detail, now)

    def claim_folder(self) -> None:
        """Write down which log the folder belongs to, after a check that it belongs to no other one.

        Then recipients who have been deferred for too long count as refused. Without any log, there is nothing to write
        down. Raises what `messages` raises.
        """
        self.messages()
        if self.log.exists() or self.tracker.folder.owner():
            claim(self.tracker.folder, self.log)
            self.give_up_expired()


@dataclass(frozen=True, slots=True)
class _AttemptResult:
    """The result of one attempt to send a message. `size`: bytes of the mail, if the server accepted it."""

    state: MessageState
    detail: str
    is_transient: bool = False
    results: tuple[RecipientResult, ...] = ()
    size: int = 0
    is_too_large: bool = False


class _NotDoneYet(TransientFailure):
    """The server did not accept the message now, or not for all recipients, and may accept it later."""

    def __init__(self, message: Message, result: _AttemptResult) -> None:
        super().__init__(f"{message.message_id}: {result.detail}")
        self.result = result


def max_mail_size(outgoing: Outgoing) -> int | None:
    """The largest mail that the server accepts, in bytes (None: no limit).

    Raises SettingsError or MailServerError if the server would accept no mail at all, or no mail can be composed.
    """
    outgoing.mailer.compose(outgoing.addressing.message((), outgoing.clock()))
    return outgoing.retry(outgoing.mailer.max_mail_size)


def send_pending(outgoing: Outgoing) -> list[Delivery]:
    """The delivery of each message that was pending. Connects to no server if none was."""
    outgoing.claim_folder()
    messages = outgoing.messages()
    return send_messages(outgoing, messages.pending(max_mail_size(outgoing))) if messages.pending() else []


def send_report(outgoing: Outgoing, path: Path, *, again: bool = False) -> list[Delivery]:
    """The deliveries of the report at `path` alone. `again`: send it whatever the log says. Raises InputError."""
    messages = outgoing.messages(path).for_report(path, again=again)
    return send_messages(outgoing, messages, why="sent again on request" if again else "")


def send_messages(outgoing: Outgoing, messages: Sequence[Message], *, why: str = "") -> list[Delivery]:
    """The delivery of each message, in the order of `messages`. `why` goes into the report log.

    A message that is refused because of one report, or because it is too large, is replaced by others: one for each
    report, and in the end one without the report, which says where the report is.

    Raises SettingsError or MailServerError if the server accepts no mail at all.
    """
    if messages:
        claim(outgoing.tracker.folder, outgoing.log)
    deliveries = []
    waiting = deque(messages)
    while waiting:
        message = waiting.popleft()
        result = _deliver(outgoing, message, why)
        delivery = outgoing.log.delivery(message.message_id)
        if delivery and message.form.attaches and _is_too_large(delivery, result):
            log.warning("%s: too large to attach, so the mail says where it is", message.reports[0].path)
            waiting.appendleft(outgoing.addressing.message(message.reports, outgoing.clock(), attaches=False))
            continue
        if delivery:
            # The log knows where the reports were at the first attempt; they may have moved since.
            deliveries.append(replace(delivery, message=message))
        if delivery and _should_split(delivery, result):
            waiting.extendleft(
                outgoing.addressing.message([report], outgoing.clock()) for report in message.reports[::-1]
            )
    return deliveries


def _is_too_large(delivery: Delivery, result: _AttemptResult) -> bool:
    """Whether the server certainly refused a message with one report because of its size."""
    is_final = delivery.state == "failed" and result.is_too_large
    return is_final and len(delivery.message.reports) == 1


def _should_split(delivery: Delivery, result: _AttemptResult) -> bool:
    """Whether the server may have refused the message because of one report, which must not hold up the others."""
    is_final = delivery.state == "failed" and not result.is_transient and not result.results
    return is_final and len(delivery.message.reports) > 1


def _deliver(outgoing: Outgoing, message: Message, why: str) -> _AttemptResult:
    """The result of the last attempt; the message is attempted again while a failure is transient."""

    def attempt() -> _AttemptResult:
        result = _attempt(outgoing, message, why)
        if result.is_transient:
            raise _NotDoneYet(message, result)
        return result

    try:
        return outgoing.retry(attempt)
    except _NotDoneYet as last:
        return last.result


def _attempt(outgoing: Outgoing, message: Message, why: str) -> _AttemptResult:
    contents = [outgoing.tracker.folder.read(report) for report in message.reports]
    before = outgoing.log.delivery(message.message_id)
    message = replace(message, frame=(before and before.message.frame) or outgoing.mailer.compose(message))
    to = before.outstanding if before else message.envelope_recipients
    attached = contents if message.form.attaches else []
    log.info(
        "sending %s: %s, %d bytes", message.message_id, counted(len(attached), "attachment"), sum(map(len, attached))
    )
    with outgoing.mailer.connect() as session:
        outgoing.log.start_attempt(message, outgoing.clock(), to=to, why=why)
        try:
            result = _hand_over(session, message, contents, to)
        except TicketAttrError as error:
            is_transient = isinstance(error, MailServerError)
            _record(outgoing, message, before, to, _AttemptResult("failed", str(error), is_transient))
            raise
        _record(outgoing, message, before, to, result)
        return result


def _hand_over(session: MailSession, message: Message, contents: Sequence[bytes], to: Sequence[str]) -> _AttemptResult:
    try:
        acceptance = session.send(message, contents, to)
    except DeliveryInDoubt as error:
        return _AttemptResult("in_doubt", str(error))
    except MessageRefused as error:
        return _AttemptResult("failed", str(error), error.is_transient, error.results, is_too_large=error.is_too_large)
    is_deferred = any(result.state == "deferred" for result in acceptance.results)
    return _AttemptResult("sent", acceptance.reply, is_deferred, acceptance.results, acceptance.size)


def _record(
    outgoing: Outgoing, message: Message, before: Delivery | None, to: Sequence[str], result: _AttemptResult
) -> None:
    state = _state_after(before, result.state)
    if state == "sent":
        log.info("sent %s", message.message_id)
    else:
        log.warning("%s is %s: %s", message.message_id, state.replace("_", " "), result.detail)
    results = _recipient_results(to, state, result)
    try:
        outgoing.log.record_result(message, state, result.detail, outgoing.clock(), results=results, size=result.size)
    except TicketAttrError:
        log.error("%s is %s, and the report log did not take it: %s", message.message_id, state, result.detail)
        raise


def _state_after(before: Delivery | None, state: MessageState) -> MessageState:
    """The state of the message after an attempt; what a refusal means depends on the attempts before it."""
    if state != "failed" or before is None:
        return state
    # An earlier attempt may have arrived. Under another Message-ID, no mailbox could recognize the repetition.
    if before.state == "in_doubt":
        return "in_doubt"
    return "sent" if any(result.state == "sent" for result in before.results) else "failed"


def _recipient_results(to: Sequence[str], state: MessageState, result: _AttemptResult) -> list[RecipientResult]:
    """The result for each recipient. Recipients without a reply of their own share the result of the message."""
    if state == "in_doubt":
        return [RecipientResult(address, "in_doubt", result.detail) for address in to]
    refusal: RecipientState = "deferred" if result.is_transient else "refused"
    shared: RecipientState = "sent" if result.state == "sent" else refusal
    own = {each.address: each for each in result.results}
    return [own.get(address, RecipientResult(address, shared, result.detail)) for address in to]


def sent_reports(deliveries: Sequence[Delivery]) -> list[ReportFile]:
    """The reports of those deliveries that the mailer accepted, in their order."""
    return [report for delivery in deliveries if delivery.state == "sent" for report in delivery.message.reports]
