"""Settings for sending mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from ...domain.mail_subject import PLACEHOLDERS, unknown_placeholders
from ...domain.report_status import DoubtPolicy
from ...infrastructure.options import MailServer, StepTimeouts
from .environment import Environment
from .report import read_language
from .report_tracker import read_doubt, read_transport

_UNSET = MailServer(host="")
"""The defaults."""

STEPS = StepTimeouts()
"""The bounds of RFC 5321, which no setting changes: who waits less sends a message twice."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`destination`: the mail server of EMAIL_TRANSPORT=smtp, or the folder of EMAIL_TRANSPORT=file.

    `subject` is empty if it is not set: the words of the mail have one.
    """

    destination: MailServer | Path
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    cc: tuple[str, ...]
    reply_to: tuple[str, ...]
    subject: str
    shows_ticket_text: bool
    language: str
    codebase_url: str
    max_retries: int
    doubt: DoubtPolicy

    @classmethod
    def read(cls, env: Environment) -> MailSettings:
        """The settings, with everything missing or wrong recorded in `env`."""
        is_smtp = read_transport(env) == "smtp"
        destination = _mail_server(env) if is_smtp else env.path("EMAIL_OUTBOX_DIR", "outbox")
        sender = env.mailbox("EMAIL_SENDER")
        return cls(
            destination=destination,
            sender=sender.address,
            sender_name=env.text("EMAIL_SENDER_NAME") or sender.name or env.text("EMAIL_SENDER_NAME", "ticketattr"),
            recipients=env.addresses("EMAIL_RECIPIENT"),
            cc=env.optional_addresses("EMAIL_CC"),
            reply_to=env.optional_addresses("EMAIL_REPLY_TO"),
            subject=_subject(env),
            shows_ticket_text=env.flag("EMAIL_TICKET_TEXT", default=False),
            language=read_language(env),
            codebase_url=env.required("CODEBASE_URL"),
            max_retries=env.whole("EMAIL_MAX_RETRIES", 3, least=0, most=20),
            doubt=read_doubt(env),
        )


def _subject(env: Environment) -> str:
    subject = env.text("EMAIL_SUBJECT")
    if unknown := unknown_placeholders(subject):
        env.wrong.append(
            f"EMAIL_SUBJECT has placeholders that do not exist: {_braced(unknown)}; there are {_braced(PLACEHOLDERS)}"
        )
    return subject


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def _mail_server(env: Environment) -> MailServer:
    username = env.user_name("EMAIL_USERNAME")
    host, use_tls = env.required("EMAIL_SMTP_HOST"), env.flag("EMAIL_USE_TLS", default=_UNSET.use_tls)
    may_log_in = use_tls or is_loopback(host) or env.flag("EMAIL_ALLOW_PLAIN_AUTH", default=False)
    if username and not may_log_in:
        env.wrong.append(
            "EMAIL_USE_TLS=false would send EMAIL_PASSWORD in plain text (EMAIL_ALLOW_PLAIN_AUTH=true allows it)"
        )
    return MailServer(
        host=host,
        port=env.whole("EMAIL_SMTP_PORT", _UNSET.port, least=1, most=65_535),
        use_tls=use_tls,
        username=username,
        password=env.secret("EMAIL_PASSWORD") if username else "",
        timeout=env.decimal("EMAIL_TIMEOUT", _UNSET.timeout, least=0.1),
        ca_file=env.written_or_read_file("EMAIL_CA_FILE"),
        max_size=env.optional_whole("EMAIL_MAX_SIZE", least=1),
        ehlo_name=env.host_name("EMAIL_EHLO_NAME"),
        steps=STEPS,
    )


def is_loopback(host: str) -> bool:
    """Whether the name or address is local. Not by DNS: its reply must not decide whether a password is sent."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
