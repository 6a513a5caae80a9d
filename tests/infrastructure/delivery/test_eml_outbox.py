"""Delivery into a folder."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from ticketattr.domain.delivery import Message
from ticketattr.errors import SettingsError
from ticketattr.infrastructure.delivery.eml_outbox import EMLOutbox
from ticketattr.infrastructure.delivery.message import MailTemplate
from ticketattr.infrastructure.delivery.smtp import SMTPMailer
from ticketattr.infrastructure.options import MailServer as ServerOptions

from ...fakes import MIDNIGHT, a_message, a_report
from ...servers import MailServer

LETTER = MailTemplate("Service Desk", "https://example.com/code?a=1&b=2")


def put(folder: Path, *messages: Message) -> list[Path]:
    """The files in `folder` after these messages."""
    with EMLOutbox(folder, LETTER).connect() as session:
        for message in messages:
            session.send(message, [b"workbook"] * len(message.reports))
    return sorted(folder.iterdir())


def opened(path: Path) -> EmailMessage:
    mail = message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_a_message_becomes_a_file_that_mail_programs_open(tmp_path: Path) -> None:
    message = a_message(a_report(name="für.xlsx"), transport="file")
    (path,) = put(tmp_path, message)
    mail = opened(path)
    assert path.suffix == ".eml"
    assert (mail["Message-ID"], mail["Date"].datetime) == (message.message_id, message.date)
    assert [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()] == [
        ("für.xlsx", b"workbook")
    ]


def test_the_file_is_what_smtp_would_have_sent(tmp_path: Path, mail: MailServer) -> None:
    (path,) = put(tmp_path, a_message())
    with SMTPMailer(
        ServerOptions(mail.host, mail.port, use_tls=False), "desk@example.com", LETTER
    ).connect() as session:
        session.send(a_message(), [b"workbook"])
    in_file, by_smtp = opened(path), mail.received[0]
    headers = ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted")
    assert [in_file[name] for name in headers] == [by_smtp[name] for name in headers]
    # The boundaries between parts are made anew each time.
    assert contents(in_file) == contents(by_smtp)


def contents(mail: EmailMessage) -> list[tuple[str, object]]:
    leaves = (part for part in mail.walk() if not part.is_multipart() and isinstance(part, EmailMessage))
    return [
        (part.get_content_type(), text.splitlines() if isinstance(text := part.get_content(), str) else text)
        for part in leaves
    ]


def test_a_repetition_replaces_the_file_of_the_first_attempt(tmp_path: Path) -> None:
    assert len(put(tmp_path, a_message(), a_message())) == 1


def test_other_messages_of_the_same_second_keep_their_files(tmp_path: Path) -> None:
    messages = [replace(a_message(number=number), date=MIDNIGHT) for number in (1, 2, 3)]
    assert len(put(tmp_path, *messages)) == 3


def test_files_sort_by_date(tmp_path: Path) -> None:
    later, earlier = a_message(number=30), a_message(number=4)
    names = [opened(path)["Message-ID"] for path in put(tmp_path, later, earlier)]
    assert names == [earlier.message_id, later.message_id]


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    (path,) = put(tmp_path, a_message())
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_folder_is_created(tmp_path: Path) -> None:
    assert len(put(tmp_path / "deep" / "outbox", a_message())) == 1


def test_the_reply_names_the_file(tmp_path: Path) -> None:
    with EMLOutbox(tmp_path, LETTER).connect() as session:
        answer = session.send(a_message(), [b"workbook"]).reply
    (path,) = tmp_path.iterdir()
    assert str(path) in answer


def test_asking_for_the_size_writes_no_mail(tmp_path: Path) -> None:
    EMLOutbox(tmp_path, LETTER).max_mail_size()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("folder", ["taken", "taken/below"])
def test_a_folder_that_cannot_be_created_is_a_settings_error(tmp_path: Path, folder: str) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SettingsError):
        EMLOutbox(tmp_path / folder, LETTER).max_mail_size()
