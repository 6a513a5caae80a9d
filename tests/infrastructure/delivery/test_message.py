"""The composed mail: its headers are those that were meant, whatever settings and file names contain."""

from __future__ import annotations

from base64 import b64encode
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, compat32
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.errors import SettingsError
from ticketattr.infrastructure.delivery.headers import problem_of
from ticketattr.infrastructure.delivery.message import MailTemplate

from ...fakes import a_message, a_report

LONG = "Service Desk of the Regional Hospitals, Department of Information Technology, Second Level"
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]


def word(text: str) -> str:
    return f"=?utf-8?b?{b64encode(text.encode()).decode()}?="


HOSTILE = [
    word("x\r\nBcc: all@example.com\r\n\r\nbody"),
    word("x\nBcc: all@example.com"),
    "=?utf-8?q?x=0D=0ABcc:_all@example.com?=",
    f"a {word(chr(13))} b",
    "\u202exslx.exe",
    "a\r\nBcc: all@example.com",
    '"; filename="b.exe',
]


def composed(*, name: str = "Desk", subject: str = "Report", file: str = "a.xlsx") -> bytes:
    return MailTemplate(name, "https://example.com").compose(a_message(a_report(name=file), subject=subject), [b"x"])


def headers(content: bytes) -> list[str]:
    return list(message_from_bytes(content, policy=compat32).keys())


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("place", ["name", "subject", "file"])
def test_no_text_becomes_a_header(place: str, hostile: str) -> None:
    content = composed(**{place: hostile if place != "file" else f"{hostile}.xlsx"})
    assert headers(content) == HEADERS
    # The policy of this parser decodes encoded words, as mail programs do.
    mail = message_from_bytes(content, EmailMessage, policy=SMTP)
    assert [str(mail[name]).count("\n") for name in ("From", "Subject")] == [0, 0]
    assert mail["Bcc"] is None
    (attachment,) = mail.iter_attachments()
    assert (attachment.get_content(), attachment["Bcc"]) == (b"x", None)
    assert "\u202e" not in str(attachment.get_filename())
    assert "\n" not in str(attachment.get_filename())


@pytest.mark.parametrize("name", [LONG, f"{LONG} ü", LONG * 6, "a, b <c@d>, e@f", f'"{LONG}"', "\\", '"'])
def test_from_holds_one_address_however_long_the_name_is(name: str) -> None:
    mail = message_from_bytes(composed(name=name), policy=compat32)
    written = str(mail["From"]).replace("\r\n", "")
    assert [address for _, address in getaddresses([written])] == ["desk@example.com"]
    if name.isascii() and len(name) < 100:
        parsed = message_from_bytes(composed(name=name), EmailMessage, policy=SMTP)
        (address,) = parsed["From"].addresses
        assert address.display_name == name


def test_an_encoded_word_in_a_setting_is_shown_as_it_stands() -> None:
    mail = message_from_bytes(composed(subject="=?utf-8?q?x?="), EmailMessage, policy=SMTP)
    assert mail["Subject"] == "=?utf-8?q?x?="


@pytest.mark.parametrize(
    "damage",
    [
        (b"Subject: Report", b"Subject: Report\r\nBcc: all@example.com"),
        (b"Subject: Report", b"Subject: Report\nBcc: all@example.com"),
        (b"Subject: Report", b"Subject: Report\rBcc: all@example.com"),
        (b"Subject: Report", b"Subject: Report\r\n\r\nanother body"),
        (b"Subject: Report", b"Subject: " + b"x" * 1000),
        (b"Subject: Report", b"Subject: R\xc3\xbc"),
        (b"From: Desk", b"From: Desk, Mail"),
        (b"Content-Disposition: attachment", b"Content-Disposition: attachment\r\nX-Other: x"),
        (b"Content-Disposition: attachment", b"Content-Disposition: inline"),
    ],
)
def test_what_was_composed_is_checked_whatever_wrote_it(damage: tuple[bytes, bytes]) -> None:
    content = composed()
    assert problem_of(content, HEADERS, "desk@example.com", 1) == ""
    assert damage[0] in content
    assert problem_of(content.replace(*damage, 1), HEADERS, "desk@example.com", 1)


def test_a_message_id_that_would_be_a_header_is_refused() -> None:
    message = a_message(sender="desk@example.com>\r\nBcc: all@example.com")
    with pytest.raises(SettingsError, match="no valid mail can be composed"):
        MailTemplate("Desk", "https://example.com").compose(message, [b"x"])


_TEXTS = st.one_of(
    st.text(max_size=120), st.sampled_from(HOSTILE), st.text(st.sampled_from('=?utf8b_qQ"\\<>,;: @\r\n'), max_size=80)
)


@given(name=_TEXTS, subject=_TEXTS, file=_TEXTS)
def test_any_text_gives_a_mail_with_the_meant_headers(name: str, subject: str, file: str) -> None:
    file = file.replace("/", "").replace("\x00", "") or "a"
    content = composed(name=name, subject=subject, file=file)
    assert headers(content) == HEADERS
    assert problem_of(content, HEADERS, "desk@example.com", 1) == ""


@given(subject=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=200))
def test_a_subject_arrives_unchanged(subject: str) -> None:
    mail = message_from_bytes(composed(subject=subject), EmailMessage, policy=SMTP)
    assert mail["Subject"] == subject
