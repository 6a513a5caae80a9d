"""The mail server, as a check sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from ticketattr.application.check import CheckResult
from ticketattr.application.probes.mail import probe_mail_server
from ticketattr.errors import MailServerError
from ticketattr.infrastructure.options import MailServer

from ...fakes import MIDNIGHT


@dataclass(frozen=True)
class Examined:
    max_size: int | None = None
    certificate_end: datetime | None = None


def check(server: MailServer, examined: Examined, *, is_local: bool = False) -> list[CheckResult]:
    return list(probe_mail_server(server, lambda: examined, lambda: MIDNIGHT, is_local=is_local))


PLAIN = MailServer("mail.example.com", 25, use_tls=False)
SAFE = MailServer("mail.example.com")


def test_a_server_is_named_with_its_encryption_login_and_size() -> None:
    server = MailServer("mail.example.com", 587, username="desk", password="x")
    assert check(server, Examined(max_size=10_000_000)) == [
        CheckResult(
            "mail",
            "mail.example.com:587 over TLS accepts the sender, the login of desk; a mail may have 10,000,000 bytes",
        )
    ]
    assert check(SAFE, Examined()) == [CheckResult("mail", "mail.example.com:587 over TLS accepts the sender")]


def test_mails_in_plain_text_are_a_warning_unless_the_server_is_local() -> None:
    fine = CheckResult("mail", "mail.example.com:25 accepts the sender")
    assert check(PLAIN, Examined(), is_local=True) == [fine]
    assert check(PLAIN, Examined()) == [
        fine,
        CheckResult("mail", "mails travel in plain text", "warning", "Set EMAIL_USE_TLS=true if the server offers it."),
    ]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=13, hours=23), "13 days"),
        (timedelta(days=1, hours=5), "1 day"),
        (timedelta(hours=1), "0 days"),
        (timedelta(days=-3), "0 days"),
    ],
)
def test_a_certificate_that_ends_within_two_weeks_is_a_warning(left: timedelta, words: str) -> None:
    end = MIDNIGHT + left
    assert check(SAFE, Examined(certificate_end=end))[1:] == [
        CheckResult(
            "mail",
            f"the certificate of mail.example.com ends in {words}, on {end:%Y-%m-%d}",
            "warning",
            "Have it renewed before.",
        )
    ]


def test_a_certificate_that_ends_later_is_fine() -> None:
    assert len(check(SAFE, Examined(certificate_end=MIDNIGHT + timedelta(days=14)))) == 1


def test_a_server_that_refuses_raises_its_error() -> None:
    def refuse() -> Examined:
        raise MailServerError("refused")

    with pytest.raises(MailServerError, match="refused"):
        list(probe_mail_server(SAFE, refuse, lambda: MIDNIGHT, is_local=False))
