"""The mail with reports: text and HTML from the packaged templates, and one attachment for each report."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from importlib.resources import files
from string import Template

from ...domain.delivery import Message, ReportFile

# Not every server accepts 8-bit text.
_POLICY = SMTP.clone(cte_type="7bit")
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class MailTemplate:
    """The texts that are the same in every mail: the sender's name, and the URL of the code."""

    sender_name: str
    codebase_url: str

    def compose(self, message: Message, contents: Sequence[bytes]) -> EmailMessage:
        """The mail of `message`. `contents`: the bytes of its reports, in their order."""
        mail = EmailMessage(policy=_POLICY)
        mail["From"] = Address(self.sender_name, addr_spec=message.sender)
        mail["To"] = [Address(addr_spec=recipient) for recipient in message.recipients]
        for header, addresses in (("Cc", message.cc), ("Reply-To", message.reply_to)):
            if addresses:
                mail[header] = [Address(addr_spec=address) for address in addresses]
        mail["Subject"] = " ".join(message.subject.splitlines())
        mail["Date"] = format_datetime(message.date)
        mail["Message-ID"] = message.message_id
        # No automatic reply, such as a vacation notice, is sent to this mail (RFC 3834).
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(self._text(message.reports))
        mail.add_alternative(self._html(message.reports), subtype="html")
        for report, content in zip(message.reports, contents, strict=True):
            mail.add_attachment(content, *_XLSX, filename=_name(report))
        return mail

    def _text(self, reports: Sequence[ReportFile]) -> str:
        lines = (f"  {_name(report)}  ({_size(report.size)})" for report in reports)
        return _fill(
            "report.txt",
            count=_count(reports),
            reports="\n".join(lines),
            codebase_url=self.codebase_url,
            sender_name=self.sender_name,
        )

    def _html(self, reports: Sequence[ReportFile]) -> str:
        rows = (f"<li>{html.escape(_name(report))} <small>({_size(report.size)})</small></li>" for report in reports)
        return _fill(
            "report.html",
            count=_count(reports),
            reports="\n".join(rows),
            codebase_url=html.escape(self.codebase_url),
            sender_name=html.escape(self.sender_name),
        )


def _fill(template: str, **values: str) -> str:
    source = (files(__package__) / "templates" / template).read_text(encoding="utf-8")
    return Template(source).substitute(values)


def _name(report: ReportFile) -> str:
    return _CONTROL.sub("_", report.path.name)


def _count(reports: Sequence[ReportFile]) -> str:
    return "one report" if len(reports) == 1 else f"{len(reports)} reports"


def _size(size: int) -> str:
    return f"{max(1, round(size / 1024)):,} KiB"
