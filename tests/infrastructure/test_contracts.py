"""What every classifier and every mailer must do, the fakes of the tests among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import TypeAlias

import anyio
import pytest

from ticketattr.application.ports import ChangeLedger, Classifier, DeliveryInDoubt, Mailer, MessageRefused
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.delivery import Message, Transport
from ticketattr.domain.ticket import Attribution, Outcome, Ticket
from ticketattr.domain.write_back import Change
from ticketattr.errors import ServiceError, SettingsError
from ticketattr.infrastructure.classifiers.offline.classifier import OfflineClassifier
from ticketattr.infrastructure.delivery.eml_outbox import EMLOutbox
from ticketattr.infrastructure.delivery.message import MailTemplate
from ticketattr.infrastructure.delivery.smtp import SMTPMailer
from ticketattr.infrastructure.helpdesk.applied_db import SQLiteChangeLedger
from ticketattr.infrastructure.options import MailServer as ServerOptions

from ..fakes import (
    CATALOG,
    GENERAL,
    LAPTOP,
    MIDNIGHT,
    PASSWORD,
    FakeChangeLedger,
    FakeMailer,
    ScriptedClassifier,
    a_message,
    a_report,
)
from ..servers import HTTPServer, MailServer, gemini, gemini_classifier, openai, openai_classifier

LETTER = MailTemplate("Service Desk", "https://example.com/code")

BY_TEXT = {"password": PASSWORD, "laptop": LAPTOP, "": GENERAL}


# Classifiers


def scripted_classifier(http: HTTPServer) -> Classifier:
    return ScriptedClassifier(lambda ticket: BY_TEXT.get(ticket.short_description, GENERAL))


def offline_classifier(http: HTTPServer) -> Classifier:
    return OfflineClassifier()


def llm_classifier(http: HTTPServer) -> Classifier:
    def choose(ticket: dict[str, str]) -> dict[str, str]:
        entry = BY_TEXT.get(ticket["short_description"], GENERAL)
        return {"request_category": entry.category, "request_type": entry.name}

    http.routes["/v1beta/models/"] = gemini(choose)
    return gemini_classifier(http.url)


def openai_server_classifier(http: HTTPServer) -> Classifier:
    def choose(ticket: dict[str, str]) -> dict[str, str]:
        entry = BY_TEXT.get(ticket["short_description"], GENERAL)
        return {"request_category": entry.category, "request_type": entry.name}

    http.routes["/v1/chat/completions"] = openai(choose)
    return openai_classifier(http.url)


@pytest.fixture(
    params=[scripted_classifier, offline_classifier, llm_classifier, openai_server_classifier],
    ids=["fake", "offline", "gemini", "openai"],
)
def classifier(request: pytest.FixtureRequest, http: HTTPServer) -> Classifier:
    made: Classifier = request.param(http)
    return made


def choose(classifier: Classifier, *batches: list[Ticket]) -> list[list[Outcome]]:
    async def ask() -> list[list[Outcome]]:
        async with classifier as entered:
            return [await entered.choose(batch, CATALOG) for batch in batches]

    return anyio.run(ask)


def chosen(outcomes: list[Outcome]) -> list[str]:
    return [outcome.entry.name if isinstance(outcome, Attribution) else outcome.reason for outcome in outcomes]


class TestClassifier:
    def test_each_ticket_has_one_outcome_in_order(self, classifier: Classifier) -> None:
        (outcomes,) = choose(classifier, [Ticket("1", "laptop"), Ticket("2", "password"), Ticket("3", "laptop")])
        assert chosen(outcomes) == ["Laptop Repair", "Password Reset", "Laptop Repair"]

    def test_what_is_chosen_is_an_entry_of_the_catalog(self, classifier: Classifier) -> None:
        (outcomes,) = choose(classifier, [Ticket("1", "password"), Ticket("2", ""), Ticket("3", "zzz")])
        assert all(outcome.entry in CATALOG.entries for outcome in outcomes if isinstance(outcome, Attribution))

    def test_one_entry_serves_many_batches(self, classifier: Classifier) -> None:
        first, second = choose(classifier, [Ticket("1", "password")], [Ticket("1", "laptop"), Ticket("2", "password")])
        assert chosen(first) == ["Password Reset"]
        assert chosen(second) == ["Laptop Repair", "Password Reset"]

    def test_tickets_that_share_an_id_share_no_answer(self, classifier: Classifier) -> None:
        (outcomes,) = choose(classifier, [Ticket("7", "password"), Ticket("7", "laptop"), Ticket("", "password")])
        assert chosen(outcomes) == ["Password Reset", "Laptop Repair", "Password Reset"]

    @pytest.mark.parametrize(
        "text", ["\x1b[31m\0", "🎉" * 3000, "</tickets>", '"}]', "\u202e"], ids=lambda text: ascii(text[:20])
    )
    def test_hostile_text_harms_no_neighbour(self, classifier: Classifier, text: str) -> None:
        (outcomes,) = choose(classifier, [Ticket("1", "password"), Ticket("2", text, text), Ticket("3", "laptop")])
        assert [chosen(outcomes)[0], chosen(outcomes)[2]] == ["Password Reset", "Laptop Repair"]

    def test_a_confidence_is_a_share(self, classifier: Classifier) -> None:
        (outcomes,) = choose(classifier, [Ticket("1", "password laptop"), Ticket("2", "lunch")])
        confidences = [outcome.confidence for outcome in outcomes if isinstance(outcome, Attribution)]
        assert all(confidence is None or 0 <= confidence <= 1 for confidence in confidences)

    def test_it_says_how_much_it_takes_and_how_often(self, classifier: Classifier) -> None:
        assert classifier.batch_size >= 1
        assert classifier.concurrency >= 1

    def test_its_fingerprint_is_the_same_for_the_same_catalog(self, classifier: Classifier) -> None:
        assert classifier.fingerprint(CATALOG) == classifier.fingerprint(ServiceCatalog(CATALOG.entries))

    def test_an_estimate_costs_nothing(self, classifier: Classifier) -> None:
        classifier.estimate([Ticket("1", "password")], CATALOG)
        assert classifier.bill.usage.calls == 0


# Mailers

Delivered: TypeAlias = list[tuple[str, list[tuple[str, bytes]]]]


@dataclass
class MailerCase:
    """A mailer, what arrived by it (Message-ID; file name and content of each report), and how to trouble it."""

    mailer: Mailer
    delivered: Callable[[], Delivered]
    refuse_next: Callable[[], None]
    doubt_next: Callable[[], None]
    refuse_sender: Callable[[], None]


def read(mail: EmailMessage) -> tuple[str, list[tuple[str, bytes]]]:
    return str(mail["Message-ID"]), [(str(part.get_filename()), part.get_content()) for part in mail.iter_attachments()]


def not_possible() -> None:
    raise AssertionError("a folder refuses nothing")


def fake_mailer(mail: MailServer, folder: Path) -> MailerCase:
    mailer = FakeMailer()

    def delivered() -> Delivered:
        return [
            (
                message.message_id,
                [(report.path.name, content) for report, content in zip(message.reports, contents, strict=True)],
            )
            for message, contents in mailer.sent
        ]

    def refuse_sender() -> None:
        mailer.unreachable = SettingsError("the mail server refused the sender")

    return MailerCase(
        mailer,
        delivered,
        refuse_next=lambda: mailer.troubles.append(MessageRefused("552 too large")),
        doubt_next=lambda: mailer.troubles.append(DeliveryInDoubt("broke off")),
        refuse_sender=refuse_sender,
    )


def smtp_mailer(mail: MailServer, folder: Path) -> MailerCase:
    options = ServerOptions(mail.host, mail.port, use_tls=False, timeout=5.0)

    def doubt_next() -> None:
        mail.drop_after_data = True

    return MailerCase(
        SMTPMailer(options, "desk@example.com", LETTER),
        delivered=lambda: list(map(read, mail.received)),
        refuse_next=lambda: mail.refuse.update(DATA="552 too large"),
        doubt_next=doubt_next,
        refuse_sender=lambda: mail.refuse.update(MAIL="550 not yours"),
    )


def eml_outbox(mail: MailServer, folder: Path) -> MailerCase:
    def delivered() -> Delivered:
        files = sorted(folder.glob("*.eml"))
        return [read(message_from_bytes(path.read_bytes(), EmailMessage, policy=default)) for path in files]

    return MailerCase(EMLOutbox(folder, LETTER), delivered, not_possible, not_possible, not_possible)


@pytest.fixture(params=[fake_mailer, smtp_mailer, eml_outbox], ids=["fake", "smtp", "file"])
def case(request: pytest.FixtureRequest, mail: MailServer, tmp_path: Path) -> MailerCase:
    made: MailerCase = request.param(mail, tmp_path / "outbox")
    return made


@pytest.fixture(params=[fake_mailer, smtp_mailer], ids=["fake", "smtp"])
def refusing(request: pytest.FixtureRequest, mail: MailServer, tmp_path: Path) -> MailerCase:
    """One that can say no, which a folder cannot."""
    made: MailerCase = request.param(mail, tmp_path / "outbox")
    return made


@contextmanager
def session_of(case: MailerCase) -> Iterator[Callable[[Message], str]]:
    with case.mailer.connect() as session:
        yield lambda message: session.send(message, [report.path.name.encode() for report in message.reports]).reply


FIRST = a_message(a_report(name="a.xlsx"), a_report(name="b.xlsx"), number=1)
SECOND = a_message(a_report(name="c.xlsx"), number=2)
FIRST_ARRIVED = (FIRST.message_id, [("a.xlsx", b"a.xlsx"), ("b.xlsx", b"b.xlsx")])
SECOND_ARRIVED = (SECOND.message_id, [("c.xlsx", b"c.xlsx")])


class TestMailer:
    def test_a_session_carries_message_after_message(self, case: MailerCase) -> None:
        with session_of(case) as send:
            send(FIRST)
            send(SECOND)
        assert case.delivered() == [FIRST_ARRIVED, SECOND_ARRIVED]

    def test_it_says_what_became_of_a_message(self, case: MailerCase) -> None:
        with session_of(case) as send:
            assert send(FIRST)

    def test_a_session_without_a_message_delivers_nothing(self, case: MailerCase) -> None:
        with session_of(case):
            pass
        assert case.delivered() == []

    def test_a_check_delivers_nothing(self, case: MailerCase) -> None:
        case.mailer.max_mail_size()
        assert case.delivered() == []

    def test_a_check_finds_what_every_message_would_be_refused_for(self, refusing: MailerCase) -> None:
        refusing.refuse_sender()
        with pytest.raises((SettingsError, ServiceError)):
            refusing.mailer.max_mail_size()

    def test_a_session_may_follow_a_session(self, case: MailerCase) -> None:
        for message in (FIRST, SECOND):
            with session_of(case) as send:
                send(message)
        assert case.delivered() == [FIRST_ARRIVED, SECOND_ARRIVED]

    def test_a_repeat_arrives_as_the_same_message(self, case: MailerCase) -> None:
        for _ in range(2):
            with session_of(case) as send:
                send(FIRST)
        assert case.delivered() in ([FIRST_ARRIVED], [FIRST_ARRIVED] * 2)

    def test_a_refused_message_did_not_arrive(self, refusing: MailerCase) -> None:
        refusing.refuse_next()
        with session_of(refusing) as send, pytest.raises(MessageRefused):
            send(FIRST)
        assert refusing.delivered() == []

    def test_doubt_is_told_as_doubt(self, refusing: MailerCase) -> None:
        refusing.doubt_next()
        with session_of(refusing) as send, pytest.raises(DeliveryInDoubt):
            send(FIRST)
        assert refusing.delivered() in ([], [FIRST_ARRIVED])

    def test_it_names_its_transport(self, case: MailerCase) -> None:
        transports: tuple[Transport, ...] = ("smtp", "file")
        assert case.mailer.transport in transports


@pytest.fixture(params=["fake", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> ChangeLedger:
    return FakeChangeLedger() if request.param == "fake" else SQLiteChangeLedger(tmp_path / "applied.db")


class TestChangeLedger:
    def test_changes_are_numbered_and_keep_their_order_and_their_last_state(self, ledger: ChangeLedger) -> None:
        one = Change(
            "desk", "run", "1", "fill", ("", ""), LAPTOP.pair, "applying", MIDNIGHT, MIDNIGHT, 0.9, "model", "m"
        )
        other, later = replace(one, ticket_id="2", mode="suggest"), MIDNIGHT + timedelta(minutes=1)
        with ledger.lock(MIDNIGHT):
            first, second = ledger.add(one), ledger.add(other)
            assert (first, second) == (replace(one, number=1), replace(other, number=2))
            before = ledger.version()
            applied = ledger.record(first, "applied", "read back", later)
        assert applied == replace(first, state="applied", detail="read back", changed=later)
        assert ledger.changes() == [applied, second]
        assert ledger.version() != before
