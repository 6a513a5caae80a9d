"""Which reports are put into which message."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from ticketattr.application.outgoing_messages import Addressing, OutgoingMessages
from ticketattr.domain.delivery import Delivery, LogIdentity, Message, ReportFile
from ticketattr.domain.figures import ReportFigures
from ticketattr.domain.report_status import DeliveryHistory, DoubtPolicy
from ticketattr.errors import InputError
from ticketattr.infrastructure.delivery.message import MailTemplate

from ..fakes import MIDNIGHT, a_message, a_report

ADDRESSING = Addressing(
    "smtp", "desk@example.com", ("lead@example.com",), "Reports", cc=("cc@example.com",), reply_to=("it@example.com",)
)


@dataclass
class Folder:
    """Reports by where they lie."""

    here: Sequence[ReportFile]
    elsewhere: Sequence[ReportFile] = ()

    def reports(self) -> list[ReportFile]:
        return list(self.here)

    def inspect(self, path: Path) -> ReportFile:
        return next(report for report in (*self.here, *self.elsewhere) if report.path == path)

    def read(self, report: ReportFile) -> bytes:
        raise NotImplementedError

    def figures(self, report: ReportFile) -> ReportFigures | None:
        return None

    def remove(self, report: ReportFile) -> None:
        raise NotImplementedError

    def owner(self) -> LogIdentity | None:
        return None

    def set_owner(self, log: LogIdentity) -> None:
        raise NotImplementedError


def sized(number: int, size: int, name: str = "") -> ReportFile:
    digest = hashlib.sha256(bytes([number])).hexdigest()
    return ReportFile(Path(name or f"{number}.xlsx"), digest, size, MIDNIGHT)


def messages_of(
    *reports: ReportFile,
    deliveries: Sequence[Delivery] = (),
    doubt: DoubtPolicy = "resend",
    elsewhere: ReportFile | None = None,
) -> OutgoingMessages:
    folder = Folder(reports, [elsewhere] if elsewhere else [])
    return OutgoingMessages(folder, DeliveryHistory(deliveries, doubt=doubt), ADDRESSING, MIDNIGHT)


def bytes_of(message: Message) -> int:
    contents = [bytes(report.size) for report in message.reports]
    return len(MailTemplate("IT Service Desk", "https://example.com/code").compose(message, contents))


class TestAddressing:
    def test_a_message_has_sender_recipients_and_date(self) -> None:
        reports = [a_report(b"a"), a_report(b"b")]
        message = ADDRESSING.message(reports, MIDNIGHT + timedelta(microseconds=5))
        assert message == Message(
            message_id=message.message_id,
            date=MIDNIGHT,
            transport="smtp",
            sender="desk@example.com",
            recipients=("lead@example.com",),
            subject="Reports",
            reports=tuple(reports),
            cc=("cc@example.com",),
            reply_to=("it@example.com",),
        )

    def test_its_id_depends_only_on_reports_recipients_and_time(self) -> None:
        report, other = a_report(b"a"), a_report(b"b")
        elsewhere = Addressing("smtp", "desk@example.com", ("boss@example.com",), "Reports")
        ids = {
            ADDRESSING.message([report], MIDNIGHT).message_id,
            ADDRESSING.message([other], MIDNIGHT).message_id,
            ADDRESSING.message([report, other], MIDNIGHT).message_id,
            ADDRESSING.message([report], MIDNIGHT + timedelta(microseconds=1)).message_id,
            elsewhere.message([report], MIDNIGHT).message_id,
        }
        assert len(ids) == 5
        assert ADDRESSING.message([report], MIDNIGHT).message_id in ids

    @pytest.mark.parametrize("sender", ["desk@mail.example.com", '"odd@name"@mail.example.com'])
    def test_its_id_is_in_the_domain_of_the_sender(self, sender: str) -> None:
        message = Addressing("smtp", sender, (), "Reports").message([a_report()], MIDNIGHT)
        name, _, domain = message.message_id.strip("<>").partition("@")
        assert domain == "mail.example.com"
        assert name.startswith("ticketattr.")
        assert len(name) == len("ticketattr.") + 32


class TestSizes:
    @pytest.mark.parametrize("size", [1, 57, 58, 5_700, 100_000, 333_333])
    @pytest.mark.parametrize(
        "name", ["", "Übersicht der Tickets im November, nochmals geprüft 🔑.xlsx"], ids=["short", "long"]
    )
    def test_no_mail_is_larger_than_the_limit_unless_one_report_is(self, size: int, name: str) -> None:
        reports = [sized(number, size, name and f"{number} {name}") for number in range(30)]
        bound = 700_000
        messages = messages_of(*reports).pending(bound)
        assert [report for message in messages for report in message.reports] == reports
        assert max(bytes_of(message) for message in messages) <= bound

    @pytest.mark.parametrize(("max_size", "messages"), [(22_184, 1), (22_183, 2)])
    def test_a_mail_may_be_as_large_as_is_accepted(self, max_size: int, messages: int) -> None:
        # 16 KiB around two reports, each of 10 lines in base64, with 2 KiB and 6 characters of a name around it.
        assert len(messages_of(sized(0, 570), sized(1, 570)).pending(max_size)) == messages

    @pytest.mark.parametrize("size", [5_700, 100_000])
    def test_a_mail_contains_nearly_as_many_reports_as_fit(self, size: int) -> None:
        reports = [sized(number, size) for number in range(30)]
        (whole,) = messages_of(*reports).pending()
        assert len(messages_of(*reports).pending(round(1.5 * bytes_of(whole)))) == 1
        assert len(messages_of(*reports).pending(round(bytes_of(whole) * 0.99))) == 2

    def test_a_report_that_is_too_large_stays_alone(self) -> None:
        reports = [sized(0, 1000), sized(1, 900_000), sized(2, 1000), sized(3, 1000)]
        messages = messages_of(*reports).pending(500_000)
        assert [[report.size for report in message.reports] for message in messages] == [
            [1000],
            [900_000],
            [1000, 1000],
        ]

    def test_without_pending_reports_there_is_no_message(self) -> None:
        assert messages_of().pending(1000) == []


REPORT, OTHER = a_report(b"a", "a.xlsx", "the run"), a_report(b"b", "b.xlsx")


def delivery(state: str, *reports: ReportFile) -> Delivery:
    return Delivery(a_message(*reports), state, MIDNIGHT, "as the server said")  # type: ignore[arg-type]  # a state


class TestOneReport:
    @pytest.mark.parametrize(
        ("report", "deliveries", "said", "way_out"),
        [
            (
                ReportFile(Path("a.xlsx"), "0", 1, MIDNIGHT, damage="no workbook"), [],
                "a.xlsx is not sent: no workbook", "Create the report again with `ticketattr report`.",
            ),
            (
                a_report(b"edited", "a.xlsx", "the run"), [delivery("sent", REPORT)],
                "a.xlsx is not sent: its run was sent at", "Use `--again` to send it all the same.",
            ),
            (
                REPORT, [delivery("in_doubt", REPORT)],
                "a.xlsx is not sent: it may have arrived (as the server said)",
                "Decide with `ticketattr pending resolve`.",
            ),
        ],
        ids=["damaged", "edited", "held"],
    )  # fmt: skip
    def test_a_report_that_must_not_be_sent_is_refused_with_a_hint(
        self, report: ReportFile, deliveries: list[Delivery], said: str, way_out: str
    ) -> None:
        with pytest.raises(InputError) as caught:
            messages_of(report, deliveries=deliveries, doubt="hold").for_report(report.path)
        assert str(caught.value).startswith(said)
        assert caught.value.hint == way_out

    def test_a_named_report_is_sent_alone_from_any_folder(self) -> None:
        (message,) = messages_of(OTHER, elsewhere=REPORT).for_report(REPORT.path)
        assert message.reports == (REPORT,)

    def test_again_sends_a_new_message_whatever_the_log_says(self) -> None:
        for state in ("sent", "in_doubt", "failed"):
            (message,) = messages_of(REPORT, deliveries=[delivery(state, REPORT)], doubt="hold").for_report(
                REPORT.path, again=True
            )
            assert message == ADDRESSING.message([REPORT], MIDNIGHT)

    def test_for_a_report_in_doubt_only_its_whole_message_is_repeated(self) -> None:
        third = a_report(b"c", "c.xlsx")
        doubts = [delivery("in_doubt", REPORT, OTHER), Delivery(a_message(third, number=2), "in_doubt", MIDNIGHT)]
        (message,) = messages_of(OTHER, third, deliveries=doubts, elsewhere=REPORT).for_report(REPORT.path)
        assert message == doubts[0].message

    def test_a_report_in_doubt_is_not_sent_if_another_report_of_its_message_is_missing(self) -> None:
        assert messages_of(REPORT, deliveries=[delivery("in_doubt", REPORT, OTHER)]).for_report(REPORT.path) == []
