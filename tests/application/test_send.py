"""Each report is sent once: with a real folder, a real log, and a mailer that follows a script."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from ticketattr.application.outgoing_messages import Addressing
from ticketattr.application.ports import DeliveryInDoubt, Mailer, MessageRefused
from ticketattr.application.report_tracker import ReportTracker
from ticketattr.application.send import Outgoing, max_mail_size, send_messages, send_pending, send_report, sent_reports
from ticketattr.domain.delivery import Delivery, Message, RecipientResult, RecipientState
from ticketattr.domain.report import Report, Row
from ticketattr.domain.report_status import DoubtPolicy
from ticketattr.errors import InputError, MailServerError, SettingsError
from ticketattr.infrastructure.delivery.report_folder import OutputFolder
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog
from ticketattr.infrastructure.reports.excel import write_workbook

from ..fakes import MIDNIGHT, FakeMailer, RetryAtOnce, ticking_clock

DOUBT = DeliveryInDoubt("broke off while it took the message")
REFUSED = MessageRefused("554 refused")
TOO_LARGE = MessageRefused("552 too large", is_too_large=True)


@cache
def workbook(run: str, text: str) -> bytes:
    """Kept, because most tests take the same few reports, and writing one takes longer than sending it."""
    file = io.BytesIO()
    write_workbook(Report(run, MIDNIGHT, (Row(text),)), file)
    return file.getvalue()


class Desk:
    """A folder of reports, its log, and the use cases that work with them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.mailer = FakeMailer()
        self.addressing = Addressing("smtp", "desk@example.com", ("lead@example.com",), "Reports")
        self.clock = ticking_clock()
        self.log = SQLiteReportLog(root / "reports.db")
        self.retry = RetryAtOnce()
        self.doubt: DoubtPolicy = "resend"
        self.send_old = False
        root.mkdir(exist_ok=True)

    def outgoing(self, mailer: Mailer | None = None) -> Outgoing:
        mailer = mailer or self.mailer
        return Outgoing(
            tracker=ReportTracker(OutputFolder(self.root), self.log, mailer.transport, self.doubt),
            log=self.log,
            mailer=mailer,
            addressing=replace(self.addressing, transport=mailer.transport),
            clock=self.clock,
            retry=self.retry,
            send_old=self.send_old,
        )

    def put(self, name: str, text: str = "", *, run: str = "", modified: float = 1000) -> Path:
        """A workbook whose content depends on `text` (by default the name) and the run; `modified`: after midnight."""
        path = self.root / name
        path.write_bytes(workbook(run or f"run of {name}", text or name))
        time = MIDNIGHT.timestamp() + modified
        os.utime(path, (time, time))
        return path

    def send(self, mailer: Mailer | None = None) -> list[list[str]]:
        """Send what is pending; returns the names of the reports in each message that was taken."""
        outgoing = self.outgoing(mailer)
        with self.log.acquire_sender_lock(self.clock()):
            return taken(send_pending(outgoing))

    def send_report(self, path: Path, *, again: bool = False) -> list[list[str]]:
        outgoing = self.outgoing()
        with self.log.acquire_sender_lock(self.clock()):
            return taken(send_report(outgoing, path, again=again))

    def states(self) -> dict[str, str]:
        statuses = self.outgoing().tracker.statuses()
        return {status.report.path.name: status.state for status in statuses}

    @property
    def sent(self) -> list[Message]:
        """What the mail server took, whether it said so or not."""
        return [message for message, _ in self.mailer.sent]


def taken(deliveries: list[Delivery]) -> list[list[str]]:
    return [names(delivery.message) for delivery in deliveries if delivery.state == "sent"]


def names(message: Message) -> list[str]:
    return [report.path.name for report in message.reports]


class TestOnce:
    def test_all_pending_reports_go_in_one_message_oldest_first(self, desk: Desk) -> None:
        for name, modified in {"a.xlsx": 3000, "b.xlsx": 1000, "c.xlsx": 2000}.items():
            desk.put(name, modified=modified)
        assert desk.send() == [["b.xlsx", "c.xlsx", "a.xlsx"]]

    def test_the_contents_are_those_of_the_files(self, desk: Desk) -> None:
        paths = [desk.put("a.xlsx"), desk.put("b.xlsx")]
        desk.send()
        assert desk.mailer.sent[0][1] == [path.read_bytes() for path in paths]

    def test_what_was_sent_is_not_sent_again(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.send()
        assert desk.send() == []
        assert len(desk.sent) == 1

    def test_without_pending_reports_it_connects_to_no_server(self, desk: Desk) -> None:
        desk.mailer.unreachable = MailServerError("nobody there")
        assert desk.send() == []

    def test_a_renamed_report_is_not_sent_again(self, desk: Desk) -> None:
        path = desk.put("a.xlsx")
        desk.send()
        path.rename(path.with_name("renamed.xlsx"))
        assert desk.send() == []
        assert desk.states() == {"renamed.xlsx": "sent"}

    def test_other_content_under_an_old_name_is_a_new_report(self, desk: Desk) -> None:
        desk.put("a.xlsx", "one", run="first")
        desk.send()
        desk.put("a.xlsx", "two", run="second")
        assert desk.send() == [["a.xlsx"]]
        assert len(desk.sent) == 2

    def test_the_same_content_twice_goes_once(self, desk: Desk) -> None:
        desk.put("a.xlsx", "same", run="same")
        desk.put("copy.xlsx", "same", run="same", modified=2000)
        assert desk.send() == [["a.xlsx"]]
        assert desk.states() == {"a.xlsx": "sent", "copy.xlsx": "sent"}
        assert desk.send() == []

    def test_an_edited_workbook_is_not_sent_again(self, desk: Desk) -> None:
        desk.put("a.xlsx", "as made", run="20261123T150301Z-7f3a")
        desk.send()
        path = desk.put("a.xlsx", "edited", run="20261123T150301Z-7f3a")
        assert desk.send() == []
        assert desk.states() == {"a.xlsx": "edited"}
        assert desk.outgoing().tracker.pending() == []
        with pytest.raises(InputError):
            desk.send_report(path)
        assert desk.send_report(path, again=True) == [["a.xlsx"]]

    def test_a_damaged_workbook_is_never_sent_and_stops_no_other_report(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        broken = desk.root / "broken.xlsx"
        broken.write_bytes(b"no workbook")
        assert desk.send() == [["a.xlsx"]]
        assert [status.report.path.name for status in desk.outgoing().tracker.pending()] == ["broken.xlsx"]
        for again in (False, True):
            with pytest.raises(InputError):
                desk.send_report(broken, again=again)

    def test_each_message_has_its_own_id_in_the_domain_of_the_sender(self, desk: Desk) -> None:
        for name in ("a.xlsx", "b.xlsx"):
            desk.put(name)
            desk.send()
        one, other = (message.message_id for message in desk.sent)
        assert one != other
        assert one.endswith("@example.com>")


class TestTransports:
    def test_delivery_into_a_file_does_not_count_for_smtp(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        into_files = FakeMailer(transport="file")
        assert desk.send(into_files) == [["a.xlsx"]]
        assert desk.states() == {"a.xlsx": "pending"}
        assert desk.send() == [["a.xlsx"]]
        assert desk.send() == desk.send(into_files) == []

    def test_doubt_about_one_transport_does_not_affect_the_other(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.mailer.troubles = [DOUBT]
        desk.send()
        into_files = FakeMailer(transport="file")
        desk.send(into_files)
        assert into_files.sent[0][0].message_id != desk.sent[0].message_id
        assert desk.states() == {"a.xlsx": "in_doubt"}

    def test_a_report_edited_after_delivery_into_a_file_is_new_for_smtp(self, desk: Desk) -> None:
        desk.put("a.xlsx", "as made", run="20261123T150301Z-7f3a")
        desk.send(FakeMailer(transport="file"))
        desk.put("a.xlsx", "edited", run="20261123T150301Z-7f3a")
        assert desk.send() == [["a.xlsx"]]


class TestLog:
    def test_the_log_knows_a_message_before_the_server_does(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        known: list[list[tuple[str, str]]] = []

        def look(message: Message) -> None:
            known.append([(delivery.message.message_id, delivery.state) for delivery in desk.log.deliveries()])

        desk.mailer.before_sending = look
        desk.send()
        assert known == [[(desk.sent[0].message_id, "sending")]]

    def test_the_log_contains_the_message_and_the_reply_of_the_server(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.send()
        (delivery,) = desk.log.deliveries()
        assert delivery.message == desk.sent[0]
        assert (delivery.state, delivery.detail) == ("sent", "250 OK")
        assert delivery.changed > delivery.message.date

    def test_a_file_name_that_is_not_utf_8_is_sent_like_any_other(self, desk: Desk) -> None:
        path = desk.put("a.xlsx")
        try:
            path.rename(path.with_name(os.fsdecode(b"not utf-8 \xff.xlsx")))
        except OSError:
            pytest.skip("this file system takes no such name")
        assert len(desk.send()) == 1
        assert desk.send() == []

    def test_a_file_that_changes_before_it_is_sent_is_neither_sent_nor_recorded(self, desk: Desk) -> None:
        desk.put("a.xlsx", "one")
        outgoing = desk.outgoing()
        messages = outgoing.messages().pending()
        desk.put("a.xlsx", "two")
        with pytest.raises(InputError, match="changed"):
            send_messages(outgoing, messages)
        assert (desk.sent, desk.log.deliveries()) == ([], [])


def leave_in_doubt(desk: Desk) -> None:
    desk.mailer.troubles = [DOUBT]
    assert desk.send() == []


def leave_sending(desk: Desk) -> None:
    """Leave what a process leaves that dies after the server accepted its message."""
    outgoing = desk.outgoing()
    for message in outgoing.messages().pending():
        outgoing.log.start_attempt(message, outgoing.clock())
        desk.mailer.sent.append((message, []))


def leave_interrupted(desk: Desk) -> None:
    desk.mailer.troubles = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        desk.send()


class TestDoubt:
    @pytest.fixture(params=[leave_in_doubt, leave_sending], ids=["no answer came", "the process died"])
    def leave_doubt(self, request: pytest.FixtureRequest) -> Callable[[Desk], None]:
        leave: Callable[[Desk], None] = request.param
        return leave

    def test_a_message_in_doubt_is_repeated_as_the_same_message(
        self, desk: Desk, leave_doubt: Callable[[Desk], None]
    ) -> None:
        desk.put("a.xlsx")
        desk.put("b.xlsx")
        leave_doubt(desk)
        assert desk.send() == [["a.xlsx", "b.xlsx"]]
        first, repeat = desk.sent
        assert repeat == first
        assert set(desk.states().values()) == {"sent"}

    def test_it_is_not_merged_with_newer_reports(self, desk: Desk, leave_doubt: Callable[[Desk], None]) -> None:
        desk.put("a.xlsx")
        leave_doubt(desk)
        desk.put("newer.xlsx", modified=500)
        assert desk.send() == [["a.xlsx"], ["newer.xlsx"]]
        first, repeat, newer = desk.sent
        assert repeat.message_id == first.message_id != newer.message_id

    def test_a_repetition_ignores_changed_settings(self, desk: Desk, leave_doubt: Callable[[Desk], None]) -> None:
        desk.put("a.xlsx")
        leave_doubt(desk)
        desk.addressing = Addressing("smtp", "new@example.org", ("other@example.org",), "Another subject")
        desk.send()
        first, repeat = desk.sent
        assert repeat == first

    def test_a_repetition_finds_renamed_reports(self, desk: Desk, leave_doubt: Callable[[Desk], None]) -> None:
        path = desk.put("a.xlsx")
        leave_doubt(desk)
        path.rename(path.with_name("renamed.xlsx"))
        assert desk.send() == [["renamed.xlsx"]]
        assert len({message.message_id for message in desk.sent}) == 1

    def test_a_message_with_a_missing_report_is_not_repeated(
        self, desk: Desk, leave_doubt: Callable[[Desk], None]
    ) -> None:
        desk.put("a.xlsx")
        desk.put("b.xlsx")
        leave_doubt(desk)
        (desk.root / "b.xlsx").unlink()
        assert desk.send() == []
        assert sorted(status.report.path.name for status in desk.outgoing().tracker.pending()) == ["a.xlsx", "b.xlsx"]

    def test_sending_a_named_report_repeats_its_whole_message_in_doubt(
        self, desk: Desk, leave_doubt: Callable[[Desk], None]
    ) -> None:
        path = desk.put("a.xlsx")
        desk.put("b.xlsx")
        leave_doubt(desk)
        desk.put("newer.xlsx")
        assert desk.send_report(path) == [["a.xlsx", "b.xlsx"]]
        first, repeat = desk.sent
        assert repeat == first

    def test_several_doubts_about_a_message_never_create_a_second_one(
        self, desk: Desk, leave_doubt: Callable[[Desk], None]
    ) -> None:
        desk.put("a.xlsx")
        leave_doubt(desk)
        desk.mailer.troubles = [DOUBT, DOUBT]
        for _ in range(3):
            desk.send()
        assert len(desk.sent) == 4
        assert len(set(desk.sent)) == 1
        assert desk.states() == {"a.xlsx": "sent"}

    def test_an_interrupted_send_is_repeated_as_the_same_message(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        leave_interrupted(desk)
        (interrupted,) = desk.log.deliveries()
        desk.send()
        assert desk.sent == [interrupted.message]

    def test_a_report_in_doubt_is_repeated_in_one_message_only(self, desk: Desk) -> None:
        path = desk.put("a.xlsx")
        leave_in_doubt(desk)
        desk.mailer.troubles = [REFUSED]
        desk.send_report(path, again=True)
        planned = desk.outgoing().messages().pending()
        assert [names(message) for message in planned] == [["a.xlsx"]]

    def test_a_message_is_not_repeated_if_another_one_delivered_all_its_reports(self, desk: Desk) -> None:
        path = desk.put("a.xlsx")
        leave_in_doubt(desk)
        desk.send_report(path, again=True)
        assert desk.states() == {"a.xlsx": "sent"}
        assert desk.send() == []

    def test_doubt_is_recorded_and_listed(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        leave_in_doubt(desk)
        (status,) = desk.outgoing().tracker.pending()
        assert (status.state, status.detail) == ("in_doubt", str(DOUBT))


class TestRefused:
    def test_a_refused_report_is_failed_and_is_sent_next_time(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.mailer.troubles = [MessageRefused("552 too large")]
        assert desk.send() == []
        (status,) = desk.outgoing().tracker.pending()
        assert (status.state, status.detail) == ("failed", "552 too large")
        assert desk.send() == [["a.xlsx"]]
        assert len(desk.sent) == 1

    def test_a_refused_report_is_sent_with_new_reports_in_a_new_message(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.mailer.troubles = [REFUSED]
        desk.send()
        desk.put("b.xlsx")
        assert desk.send() == [["a.xlsx", "b.xlsx"]]
        assert [delivery.state for delivery in desk.log.deliveries()] == ["failed", "sent"]

    def test_a_refused_repetition_stays_in_doubt_and_does_not_stop_newer_reports(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        leave_in_doubt(desk)
        desk.put("b.xlsx")
        desk.mailer.troubles = [REFUSED, None]
        assert desk.send() == [["b.xlsx"]]
        assert desk.states() == {"a.xlsx": "in_doubt", "b.xlsx": "sent"}

    def test_a_refusal_of_a_sent_report_leaves_it_sent(self, desk: Desk) -> None:
        path = desk.put("a.xlsx")
        desk.send()
        desk.mailer.troubles = [REFUSED]
        desk.send_report(path, again=True)
        assert desk.states() == {"a.xlsx": "sent"}

    @pytest.mark.parametrize("error", [MailServerError("broke off"), SettingsError("refused the sender")], ids=repr)
    def test_a_session_that_ends_before_the_message_was_accepted_fails_it_and_stops(
        self, desk: Desk, error: MailServerError | SettingsError
    ) -> None:
        desk.put("a.xlsx")
        desk.mailer.troubles = [error]
        with pytest.raises(type(error)):
            desk.send()
        assert desk.states() == {"a.xlsx": "failed"}
        assert desk.log.deliveries()[0].detail == str(error)
        assert desk.send() == [["a.xlsx"]]

    @pytest.mark.parametrize(
        ("trouble", "state"),
        [(DOUBT, "in_doubt"), (REFUSED, "refused"), (MessageRefused("452 later", is_transient=True), "deferred")],
        ids=["doubt", "refused", "put off"],
    )
    def test_recipients_share_the_result_of_the_message(
        self, desk: Desk, trouble: MessageRefused | DeliveryInDoubt, state: RecipientState
    ) -> None:
        desk.addressing = replace(desk.addressing, recipients=("lead@example.com", "boss@example.com"))
        desk.put("a.xlsx")
        desk.mailer.troubles = [trouble]
        desk.send()
        (delivery,) = desk.log.deliveries()
        assert delivery.results == tuple(
            RecipientResult(address, state, str(trouble)) for address in ("lead@example.com", "boss@example.com")
        )

    def test_an_unreachable_server_leaves_everything_pending(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.mailer.unreachable = MailServerError("nobody there")
        with pytest.raises(MailServerError):
            desk.send()
        assert desk.states() == {"a.xlsx": "pending"}
        assert desk.log.deliveries() == []


class TestByName:
    def test_one_report_alone_is_sent_from_anywhere(self, desk: Desk, tmp_path: Path) -> None:
        desk.put("a.xlsx")
        elsewhere = desk.put("b.xlsx").rename(tmp_path / "elsewhere.xlsx")
        assert desk.send_report(elsewhere) == [["elsewhere.xlsx"]]
        assert desk.states() == {"a.xlsx": "pending"}

    def test_a_sent_report_is_sent_again_only_with_again(self, desk: Desk) -> None:
        path = desk.put("a.xlsx")
        desk.send()
        assert desk.send_report(path) == []
        assert desk.outgoing().tracker.status(path).state == "sent"
        assert desk.send_report(path, again=True) == [["a.xlsx"]]
        first, second = desk.sent
        assert first.message_id != second.message_id

    def test_an_old_report_from_another_folder_is_not_sent_without_a_log(self, desk: Desk, tmp_path: Path) -> None:
        elsewhere = desk.put("b.xlsx", modified=-2 * 86_400).rename(tmp_path / "elsewhere.xlsx")
        with pytest.raises(InputError, match="there is no report log"):
            desk.send_report(elsewhere)
        desk.send_old = True
        assert desk.send_report(elsewhere) == [["elsewhere.xlsx"]]

    def test_a_missing_report_is_an_error(self, desk: Desk) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            desk.send_report(desk.root / "absent.xlsx")


class TestAudit:
    def test_the_history_lists_every_message_oldest_first_then_reports_in_no_message(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.mailer.troubles = [REFUSED]
        desk.send()
        desk.send()
        desk.put("b.xlsx")
        (desk.root / "broken.xlsx").write_bytes(b"")
        statuses = desk.outgoing().tracker.report_history()
        assert sorted((status.report.path.name, status.state) for status in statuses[2:]) == [
            ("b.xlsx", "pending"),
            ("broken.xlsx", "damaged"),
        ]
        assert [(status.report.path.name, status.state) for status in statuses[:2]] == [
            ("a.xlsx", "failed"),
            ("a.xlsx", "sent"),
        ]

    def test_the_history_includes_other_transports(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.send(FakeMailer(transport="file"))
        told = desk.outgoing().tracker.report_history()
        assert [(status.delivery.message.transport if status.delivery else "", status.state) for status in told] == [
            ("file", "sent"),
            ("", "pending"),
        ]

    def test_reading_statuses_creates_no_log(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.states()
        assert [path.name for path in desk.root.iterdir()] == ["a.xlsx"]


def test_the_date_of_a_message_has_whole_seconds(desk: Desk) -> None:
    desk.clock = ticking_clock(MIDNIGHT + timedelta(microseconds=123456))
    desk.put("a.xlsx")
    (message,) = desk.outgoing().messages().pending()
    assert message.date.microsecond == 0


LATER = MessageRefused("451 later", is_transient=True)
LEAD, GONE = "lead@example.com", "gone@example.com"


def statuses(desk: Desk) -> list[tuple[str, str, str]]:
    """What the log says of each recipient of the last message."""
    return [(one.address, one.state, one.reply) for one in desk.log.deliveries()[-1].results]


class TestRetries:
    def test_a_transient_refusal_is_retried_as_the_same_message(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.retry.times = 3
        later = MessageRefused("451 later", is_transient=True)
        desk.mailer.troubles = [later, later, None]
        assert desk.send() == [["a.xlsx"]]
        (delivery,) = desk.log.deliveries()
        assert desk.retry.failures == [f"{delivery.message.message_id}: 451 later"] * 2
        assert (delivery.attempts, delivery.state) == (3, "sent")

    def test_after_the_last_retry_it_stays_failed_and_is_not_split(self, desk: Desk) -> None:
        for name in ("a.xlsx", "b.xlsx"):
            desk.put(name)
        desk.retry.times = 1
        desk.mailer.troubles = [LATER, LATER]
        assert desk.send() == []
        assert [(each.state, each.attempts, each.detail) for each in desk.log.deliveries()] == [
            ("failed", 2, "451 later")
        ]
        assert statuses(desk) == [(LEAD, "deferred", "451 later")]

    def test_a_permanent_refusal_and_a_doubt_are_not_retried(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.retry.times = 1
        for trouble in (MessageRefused("552 too large"), DeliveryInDoubt("broke off")):
            desk.mailer.troubles = [trouble]
            assert desk.send() == []
        assert desk.retry.failures == []

    def test_a_broken_connection_is_retried_and_then_stops_sending(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.retry.times = 1
        desk.mailer.troubles = [MailServerError("broke off"), MailServerError("broke off again")]
        with pytest.raises(MailServerError, match="broke off again"):
            desk.send()
        assert (desk.retry.failures, desk.states()) == (["broke off"], {"a.xlsx": "failed"})

    def test_the_question_for_the_largest_size_is_retried(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.retry.times = 2
        desk.mailer.unreachable = MailServerError("nobody there")
        with pytest.raises(MailServerError, match="nobody there"):
            desk.send()
        assert desk.retry.failures == ["nobody there"] * 2

    def test_a_server_that_responds_again_ends_the_retries(self, desk: Desk) -> None:
        desk.mailer.unreachable, desk.mailer.max_size = MailServerError("nobody there"), 777

        def respond_again(number: int) -> None:
            desk.mailer.unreachable = desk.mailer.unreachable if number < 1 else None

        desk.retry = RetryAtOnce(times=3, before_repeat=respond_again)
        assert max_mail_size(desk.outgoing()) == 777
        assert desk.retry.failures == ["nobody there"] * 2

    def test_an_unreachable_server_is_retried_and_nothing_is_recorded(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.retry.times = 1
        outgoing = desk.outgoing()
        messages = outgoing.messages().pending()
        desk.mailer.unreachable = MailServerError("went away")
        with pytest.raises(MailServerError, match="went away"):
            send_messages(outgoing, messages)
        assert (desk.retry.failures, desk.log.deliveries()) == (["went away"], [])


class TestTakenApart:
    def test_two_reports_that_are_too_large_together_are_sent_in_two_mails(self, desk: Desk) -> None:
        desk.put("a.xlsx", modified=1)
        desk.put("b.xlsx", modified=2)
        desk.mailer.max_size = 30_000
        assert desk.send() == [["a.xlsx"], ["b.xlsx"]]

    def test_two_reports_that_are_refused_together_are_sent_singly(self, desk: Desk) -> None:
        desk.put("a.xlsx", modified=1)
        desk.put("b.xlsx", modified=2)
        desk.mailer.troubles = [REFUSED]
        assert desk.send() == [["a.xlsx"], ["b.xlsx"]]

    def test_reports_refused_together_are_sent_singly_in_order_before_the_next_message(self, desk: Desk) -> None:
        for place, name in enumerate(("a.xlsx", "b.xlsx", "c.xlsx")):
            desk.put(name, modified=place)
        outgoing = desk.outgoing()
        (message,) = outgoing.messages().pending()
        last = desk.addressing.message([OutputFolder(desk.root).inspect(desk.put("d.xlsx"))], MIDNIGHT)
        desk.mailer.troubles = [REFUSED, None, REFUSED, None, None]
        with desk.log.acquire_sender_lock(desk.clock()):
            deliveries = send_messages(outgoing, [message, last])
        assert [(names(each.message), each.state) for each in deliveries] == [
            (["a.xlsx", "b.xlsx", "c.xlsx"], "failed"),
            (["a.xlsx"], "sent"),
            (["b.xlsx"], "failed"),
            (["c.xlsx"], "sent"),
            (["d.xlsx"], "sent"),
        ]

    def test_a_report_that_is_too_large_is_announced_by_a_mail_without_it(self, desk: Desk) -> None:
        path = desk.put("a.xlsx")
        desk.mailer.troubles = [TOO_LARGE]
        assert desk.send() == [["a.xlsx"]]
        assert [message.form.attaches for message in desk.sent] == [False]
        assert [delivery.state for delivery in desk.log.deliveries()] == ["failed", "sent"]
        assert len({delivery.message.message_id for delivery in desk.log.deliveries()}) == 2
        assert desk.states() == {path.name: "sent"}
        assert desk.send() == []

    def test_of_reports_that_are_too_large_together_only_the_large_one_is_not_attached(self, desk: Desk) -> None:
        for place, name in enumerate(("a.xlsx", "b.xlsx")):
            desk.put(name, modified=place)
        desk.mailer.troubles = [TOO_LARGE, None, TOO_LARGE, None]
        assert desk.send() == [["a.xlsx"], ["b.xlsx"]]
        assert [message.form.attaches for message in desk.sent] == [True, False]

    def test_a_mail_without_the_report_that_is_refused_ends_there(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.mailer.troubles = [TOO_LARGE] * 9
        assert desk.send() == []
        assert len(desk.log.deliveries()) == 2
        assert desk.states() == {"a.xlsx": "failed"}

    def test_a_message_with_refused_recipients_is_not_split(self, desk: Desk) -> None:
        for name in ("a.xlsx", "b.xlsx"):
            desk.put(name)
        refused = RecipientResult(LEAD, "refused", "550 unknown")
        desk.mailer.troubles = [MessageRefused("550 unknown", results=[refused])]
        assert desk.send() == []
        assert len(desk.log.deliveries()) == 1
        assert statuses(desk) == [(LEAD, "refused", "550 unknown")]


class TestRecipients:
    @pytest.fixture(autouse=True)
    def two(self, desk: Desk) -> None:
        desk.addressing = replace(desk.addressing, recipients=(LEAD,), cc=(GONE,))
        desk.put("a.xlsx")

    def test_a_sent_message_was_sent_to_all_recipients_and_its_size_is_known(self, desk: Desk) -> None:
        desk.send()
        assert desk.mailer.to == [(LEAD, GONE)]
        assert statuses(desk) == [(LEAD, "sent", "250 OK"), (GONE, "sent", "250 OK")]
        assert desk.log.deliveries()[0].size == (desk.root / "a.xlsx").stat().st_size

    def test_only_a_deferred_recipient_gets_the_same_message_again(self, desk: Desk) -> None:
        put_off = RecipientResult(GONE, "deferred", "450 later")
        desk.retry.times = 1
        desk.mailer.answers = [(put_off,), (put_off,)]
        assert desk.send() == [["a.xlsx"]]
        assert statuses(desk) == [(LEAD, "sent", "250 OK"), (GONE, "deferred", "450 later")]
        assert [status.state for status in desk.outgoing().tracker.pending()] == ["sent"]
        assert desk.send() == [["a.xlsx"]]
        assert desk.mailer.to == [(LEAD, GONE), (GONE,), (GONE,)]
        assert len({message.message_id for message in desk.sent}) == 1
        assert desk.outgoing().tracker.pending() == []

    def test_a_permanently_refused_recipient_is_recorded_and_not_retried(self, desk: Desk) -> None:
        desk.retry.times = 1
        desk.mailer.answers = [(RecipientResult(GONE, "refused", "550 unknown"),)]
        desk.send()
        assert statuses(desk) == [(LEAD, "sent", "250 OK"), (GONE, "refused", "550 unknown")]
        assert desk.send() == []

    def test_only_the_recipients_of_the_attempt_are_in_doubt(self, desk: Desk) -> None:
        desk.mailer.answers = [(RecipientResult(GONE, "deferred", "450 later"),)]
        desk.send()
        desk.mailer.troubles = [DOUBT]
        desk.send()
        assert statuses(desk) == [(LEAD, "sent", "250 OK"), (GONE, "in_doubt", str(DOUBT))]

    def test_a_refusal_for_the_remaining_recipients_leaves_the_message_sent(self, desk: Desk) -> None:
        desk.mailer.answers = [(RecipientResult(GONE, "deferred", "450 later"),)]
        desk.send()
        desk.mailer.troubles = [MessageRefused("550 no more")]
        desk.send()
        assert desk.states() == {"a.xlsx": "sent"}
        assert statuses(desk) == [(LEAD, "sent", "250 OK"), (GONE, "refused", "550 no more")]
        assert desk.outgoing().tracker.pending() == []

    def test_a_refusal_after_doubt_leaves_all_recipients_in_doubt(self, desk: Desk) -> None:
        for trouble in (DOUBT, REFUSED):
            desk.mailer.troubles = [trouble]
            desk.send()
            assert [(address, state) for address, state, _ in statuses(desk)] == [
                (LEAD, "in_doubt"),
                (GONE, "in_doubt"),
            ]


def test_a_log_that_is_swapped_while_a_message_goes_out_is_an_error_with_its_evidence(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk.put("a.xlsx")
    desk.send()
    earlier = tmp_path / "earlier.db"
    desk.log.back_up(earlier)
    desk.put("b.xlsx")

    def swap(message: Message) -> None:
        shutil.copy(earlier, desk.root / "reports.db")

    desk.mailer.before_sending = swap
    with pytest.raises(InputError, match="was replaced or cut meanwhile"):
        desk.send()
    assert "is sent, and the report log did not take it: 250 OK" in caplog.text
    desk.mailer.before_sending = lambda message: None
    assert desk.send() == []
    assert desk.states() == {"a.xlsx": "sent", "b.xlsx": "sent"}


def test_every_step_is_logged_with_the_message_id_and_no_address(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.put("a.xlsx")
    desk.retry.times = 1
    desk.mailer.troubles = [LATER]
    with caplog.at_level("INFO", logger="ticketattr.application.send"):
        desk.send()
    size, name = (desk.root / "a.xlsx").stat().st_size, desk.sent[0].message_id
    assert caplog.messages == [
        f"sending {name}: 1 attachment, {size} bytes",
        f"{name} is failed: 451 later",
        f"sending {name}: 1 attachment, {size} bytes",
        f"sent {name}",
    ]


def test_doubt_is_logged_as_such(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.put("a.xlsx")
    leave_in_doubt(desk)
    assert caplog.messages == [f"{desk.sent[0].message_id} is in doubt: {DOUBT}"]


def test_the_reason_for_sending_again_is_recorded(desk: Desk) -> None:
    path = desk.put("a.xlsx")
    with desk.log.acquire_sender_lock(desk.clock()):
        assert len(send_report(desk.outgoing(), path)) == 1
        assert send_report(desk.outgoing(), path) == []
    desk.send_report(path, again=True)
    desk.put("b.xlsx")
    desk.send()
    reasons = [json.loads(event.facts).get("why", "") for event in desk.log.events() if event.what == "sending"]
    assert reasons == ["", "sent again on request", ""]


def test_a_recipient_who_was_deferred_for_more_than_five_days_counts_as_refused(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    later = RecipientResult("later@example.com", "deferred", "450 later")
    desk.addressing = replace(desk.addressing, recipients=("lead@example.com", later.address))
    desk.mailer.answers = [(later,)] * 2
    desk.put("a.xlsx")
    desk.send()
    message = desk.log.deliveries()[0].message
    desk.clock = lambda: message.date + timedelta(days=5)
    desk.send()
    assert desk.mailer.to == [("lead@example.com", later.address), (later.address,)]
    desk.clock = lambda: message.date + timedelta(days=5, seconds=1)
    caplog.clear()
    assert desk.send() == []
    assert caplog.messages == [
        f"{message.message_id}: a recipient has been deferred for more than 5 days, and counts as refused"
    ]
    given_up = RecipientResult(later.address, "refused", "given up: deferred for more than 5 days")
    assert desk.log.deliveries()[0].results[1] == given_up
    assert len(desk.sent) == 2


def test_only_what_the_mailer_accepted_counts_as_sent(desk: Desk) -> None:
    paths = [desk.put("a.xlsx"), desk.put("b.xlsx")]
    desk.mailer.troubles = [REFUSED, None, REFUSED]
    outgoing = desk.outgoing()
    with desk.log.acquire_sender_lock(desk.clock()):
        deliveries = send_pending(outgoing)
    assert [delivery.state for delivery in deliveries] == ["failed", "sent", "failed"]
    assert [report.path for report in sent_reports(deliveries)] == paths[:1]


class TestClaim:
    """A folder is claimed for a log as soon as one of both knows of the other."""

    def test_a_log_that_exists_claims_its_folder(self, desk: Desk) -> None:
        identity = desk.log.establish()
        desk.outgoing().claim_folder()
        assert desk.outgoing().tracker.folder.owner() == identity

    def test_an_empty_folder_whose_log_is_gone_gets_a_new_one(self, desk: Desk) -> None:
        desk.log.establish()
        desk.outgoing().claim_folder()
        for path in desk.root.glob("reports.db*"):
            path.unlink()
        desk.outgoing().claim_folder()
        assert desk.outgoing().tracker.folder.owner() == desk.log.identity()

    def test_without_any_log_nothing_is_written_down(self, desk: Desk) -> None:
        desk.outgoing().claim_folder()
        assert (desk.log.exists(), desk.outgoing().tracker.folder.owner()) == (False, None)
