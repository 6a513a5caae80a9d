"""The mail with reports: a text, the same as HTML, and one attachment for each report.

A mail is composed once, as a frame: its text, cut where the content of each report stands. The report log keeps the
frame. So a repetition has the same bytes after a change of settings, file names, templates, or Python.
"""

from __future__ import annotations

import hashlib
from base64 import encodebytes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from ...domain.delivery import Message
from ...errors import SettingsError
from .headers import problem_of, write_addresses, write_mailbox, write_text
from .mail_content import content_of, file_name
from .mail_html import as_html
from .mail_text import as_text

# Not every server accepts 8-bit text. Headers that are written already stay as they are.
_POLICY = SMTP.clone(cte_type="7bit", refold_source="none")
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


@dataclass(frozen=True, slots=True)
class MailTemplate:
    """The texts that are the same in every mail: the sender's name, and the URL of the code."""

    sender_name: str
    codebase_url: str

    def compose(self, message: Message, contents: Sequence[bytes]) -> bytes:
        """The mail of `message`, as it goes out, from its frame if it has one.

        `contents`: the bytes of its reports, in their order. A frame of one text attaches none of them.
        Raises what `frame` raises.
        """
        first, *others = message.frame or self.frame(message)
        parts = [first.encode("ascii")]
        for content, text in zip(contents if others else (), others, strict=True):
            parts += [_encoded(content), text.encode("ascii")]
        return b"".join(parts)

    def frame(self, message: Message) -> tuple[str, ...]:
        """The text of a new mail, cut where the content of each report stands.

        Raises SettingsError if a setting or a file name makes the mail invalid.
        """
        headers = _headers(message, self.sender_name)
        marks = [_mark(message, position) for position in range(len(message.reports) if message.form.attaches else 0)]
        try:
            content = self._composed(headers, message, marks)
        except (UnicodeError, ValueError) as error:
            raise _invalid(type(error).__name__) from error
        expected = [*headers, "MIME-Version", "Content-Type"]
        if problem := problem_of(content, expected, message.sender, len(marks)):
            raise _invalid(problem)
        return _cut(content.decode("ascii"), marks)

    def _composed(self, headers: Mapping[str, str], message: Message, attached: Sequence[bytes]) -> bytes:
        content = content_of(message)
        mail = EmailMessage(policy=_POLICY)
        for name, value in headers.items():
            mail.set_raw(name, value)
        mail.set_content(as_text(content, self.codebase_url, self.sender_name))
        mail.add_alternative(as_html(content, self.codebase_url, self.sender_name), subtype="html")
        # A mail that attaches no report has no bytes to attach.
        for report, workbook in zip(message.reports, attached, strict=False):
            mail.add_attachment(workbook, *_XLSX, filename=file_name(report))
        return mail.as_bytes()


def _headers(message: Message, sender_name: str) -> dict[str, str]:
    """The headers by name, in their order, as they are written."""
    lists = {"To": message.recipients, "Cc": message.cc, "Reply-To": message.reply_to}
    return {
        "From": write_mailbox(sender_name, message.sender),
        **{name: write_addresses(addresses) for name, addresses in lists.items() if addresses},
        "Subject": write_text("Subject", message.subject),
        "Date": format_datetime(message.date),
        "Message-ID": message.message_id,
        # No automatic reply, such as a vacation notice, is sent to this mail (RFC 3834).
        "Auto-Submitted": "auto-generated",
    }


def _mark(message: Message, position: int) -> bytes:
    """Bytes that stand for the content of a report, and that no other part of the mail contains."""
    return hashlib.sha256(f"{message.message_id} {position}".encode("utf-8", "surrogatepass")).digest()


def _cut(text: str, marks: Sequence[bytes]) -> tuple[str, ...]:
    texts = []
    for mark in marks:
        before, _, text = text.partition(_encoded(mark).decode())
        texts.append(before)
    return (*texts, text)


def _encoded(content: bytes) -> bytes:
    """The content of an attachment as it stands in a mail: base64, in lines of 76 characters."""
    return encodebytes(content).replace(b"\n", b"\r\n")


def _invalid(reason: str) -> SettingsError:
    return SettingsError(
        f"no valid mail can be composed: {reason}",
        hint="Check EMAIL_SENDER, EMAIL_SENDER_NAME, EMAIL_RECIPIENT, EMAIL_SUBJECT and the names of the workbooks.",
    )
