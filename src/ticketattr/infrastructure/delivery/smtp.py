"""Sends messages by SMTP, and translates the server's replies into results for the message and each recipient."""

from __future__ import annotations

import logging
import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from ...application.ports import Acceptance, DeliveryInDoubt, MessageRefused
from ...domain.delivery import Message, RecipientResult, Transport
from ...domain.numbers import read_count, time_of
from ...domain.wording import counted
from ...errors import MailServerError, SettingsError
from ..network.service_words import service_words, with_words
from ..network.tls import refuse_unusable_key_log
from ..options import MailServer
from .message import MailTemplate
from .smtp_client import IMPLICIT_TLS_PORT, BoundedSMTP, LoginRefused, connect

log = logging.getLogger(__name__)

_LONGEST_REPLY = 2_000
_LARGEST_SIZE = 2**63
# Error codes of OpenSSL: the certificate has expired; it is for another host name, or IP address.
_EXPIRED, _OTHER_NAMES = 10, (62, 64)
# The enhanced code of a mailbox that is full, for which 552 stands, too (RFC 3463).
_FULL_MAILBOX = re.compile(rb"[45]\.2\.2\b")


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """`max_size`: the largest mail that is accepted, in bytes (None: no limit). `certificate_end`: None without TLS."""

    max_size: int | None
    certificate_end: datetime | None


@dataclass(frozen=True, slots=True)
class SMTPMailer:
    """Connects to one mail server. `sender` is the address of every message."""

    transport: ClassVar[Transport] = "smtp"

    server: MailServer
    sender: str
    template: MailTemplate

    @contextmanager
    def connect(self) -> Iterator[SMTPSession]:
        """Connect, start TLS and log in. Raises SettingsError or MailServerError."""
        context = self._tls()
        with self._errors():
            client = connect(self.server, context)
        try:
            with self._errors():
                self._start_session(client, context)
            yield SMTPSession(client, self.template, self.server.max_size)
        except (KeyboardInterrupt, SystemExit):
            # No QUIT within a message: the server would not reply, and the user wants the program to end.
            client.close()
            raise
        finally:
            _quit(client)

    def compose(self, message: Message) -> tuple[str, ...]:
        """The frame of a new message. Raises SettingsError if it is not valid."""
        return self.template.frame(message)

    def max_mail_size(self) -> int | None:
        """The smaller of the configured limit and the one that the server announces, in bytes (None: no limit)."""
        return self.server_info().max_size

    def server_info(self) -> ServerInfo:
        """What the server says in a session without a message. Raises what `max_mail_size` raises."""
        with self.connect() as session:
            session.propose_sender(self.sender)
            return ServerInfo(session.max_size, session.certificate_end)

    def _tls(self) -> ssl.SSLContext | None:
        if not self.server.use_tls:
            return None
        refuse_unusable_key_log()
        try:
            return ssl.create_default_context(cafile=self.server.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or "it contains no certificate"
            raise SettingsError(
                f"EMAIL_CA_FILE cannot be used: {self.server.ca_file}: {reason}",
                hint="Set EMAIL_CA_FILE to a file with certificates (PEM), or leave it empty.",
            ) from error

    def _start_session(self, client: BoundedSMTP, context: ssl.SSLContext | None) -> None:
        client.introduce()
        if context and self.server.port != IMPLICIT_TLS_PORT:
            client.starttls(context=context)
            client.introduce()
        if self.server.username:
            client.login(self.server.username, self.server.password)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Translate the errors of smtplib at the start of a session."""
        where = f"the mail server {self.server.host}:{self.server.port}"
        try:
            yield
        except UnicodeError:
            # Without its cause, which may contain the password.
            raise SettingsError(
                f"{where} cannot be used: the host, user name or password contains a character that cannot be sent",
                hint="Check EMAIL_SMTP_HOST, EMAIL_USERNAME and EMAIL_PASSWORD.",
            ) from None
        except ssl.SSLError as error:
            raise _tls_error(where, error) from error
        except smtplib.SMTPServerDisconnected as error:
            raise _no_answer(where, error) from error
        except smtplib.SMTPException as error:
            raise _session_error(where, error) from error
        except OSError as error:
            raise _no_answer(where, error) from error


def _tls_error(where: str, error: ssl.SSLError) -> SettingsError | MailServerError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return SettingsError(
            f"the certificate of {where} is not trusted: {error.verify_message}", hint=_certificate_hint(error)
        )
    if isinstance(error, ssl.SSLEOFError):
        return MailServerError(f"{where} closed the connection at the start of TLS", hint="Try again later.")
    return SettingsError(
        f"{where} does not support TLS on this port: {error.reason}", hint="Check EMAIL_SMTP_PORT and EMAIL_USE_TLS."
    )


def _certificate_hint(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return "Renew the certificate of the mail server, or correct the clock of this machine."
    if error.verify_code in _OTHER_NAMES:
        return "Set EMAIL_SMTP_HOST to a name in the certificate."
    return "Set EMAIL_CA_FILE to the file with the certificate of its authority."


def _session_error(where: str, error: smtplib.SMTPException) -> SettingsError | MailServerError:
    if isinstance(error, smtplib.SMTPNotSupportedError):
        hint = "Check EMAIL_SMTP_PORT (STARTTLS: usually 587, implicit TLS: 465), or set EMAIL_USE_TLS=false."
        if "AUTH" in str(error):
            hint = "Check EMAIL_SMTP_PORT (usually 587), or leave EMAIL_USERNAME empty."
        return SettingsError(with_words(f"{where} does not offer a required extension", error), hint=hint)
    if not isinstance(error, smtplib.SMTPResponseException):
        return SettingsError(
            with_words(f"{where} offers no supported login method", error), hint="Check EMAIL_USERNAME."
        )
    reply = _reply(error.smtp_code, error.smtp_error)
    if isinstance(error, LoginRefused) and error.smtp_code >= 500:
        tried = ", ".join(dict.fromkeys(error.tried))
        return SettingsError(
            f"{where} refused the login: {reply} (tried: AUTH {tried})", hint="Check EMAIL_USERNAME and EMAIL_PASSWORD."
        )
    hint = "Try again later."
    if isinstance(error, smtplib.SMTPHeloError):
        hint = "Try again later, or set EMAIL_EHLO_NAME to the full name of this host."
    return MailServerError(f"{where} refused the session: {reply}", hint=hint)


def _no_answer(where: str, error: OSError) -> MailServerError:
    return MailServerError(
        with_words(f"{where} did not answer", _text(error)),
        hint="Check EMAIL_SMTP_HOST and EMAIL_SMTP_PORT, or try again later.",
    )


class SMTPSession:
    """A session in which the server accepted the login."""

    def __init__(self, client: BoundedSMTP, template: MailTemplate, max_size: int | None = None) -> None:
        self._client = client
        self._template = template
        bounds = (max_size, read_count(client.esmtp_features.get("size", ""), most=_LARGEST_SIZE))
        self.max_size = min((bound for bound in bounds if bound), default=None)
        self.certificate_end = _certificate_end(client)

    def send(self, message: Message, contents: Sequence[bytes], to: Sequence[str] = ()) -> Acceptance:
        """Send one message, and translate the replies. Raises what `MailSession.send` raises."""
        content = self._template.compose(message, contents)
        if self.max_size and len(content) > self.max_size:
            raise MessageRefused(
                f"a mail of {len(content):,} bytes is too large: at most {self.max_size:,} are accepted",
                is_too_large=True,
            )
        with _broken_connection_as_error():
            self._mail_from(message.sender, len(content))
            results = self._rcpt_to(to or message.envelope_recipients)
            self._ask_for_data()
            self._hand_over(content)
        return Acceptance(self._final_reply(), len(content), results)

    def propose_sender(self, sender: str) -> None:
        """Ask whether the server accepts messages from `sender`. Raises SettingsError or MailServerError."""
        with _broken_connection_as_error():
            self._mail_from(sender)
            self._client.rset()

    def _mail_from(self, sender: str, size: int = 0) -> None:
        announces_size = size and self._client.has_extn("size")
        options = f" SIZE={size}" if announces_size else ""
        code, reply = self._client.command(self._client.steps.mail, "MAIL", f"FROM:<{sender}>{options}")
        if code == 250:
            return
        self._reset(code)
        refusal = _reply(code, reply)
        if announces_size and code in (452, 552):
            raise self._message_refused(code, reply)
        message = f"the mail server refused the sender: {refusal}"
        if code < 500:
            raise MailServerError(message, hint="Try again later.")
        raise SettingsError(message, hint="Check EMAIL_SENDER, and whether the server requires EMAIL_USERNAME.")

    def _rcpt_to(self, recipients: Sequence[str]) -> tuple[RecipientResult, ...]:
        """The server's reply about each recipient. Raises MessageRefused if it accepts none."""
        within = self._client.steps.recipient
        results = tuple(
            _result(recipient, *self._client.command(within, "RCPT", f"TO:<{recipient}>")) for recipient in recipients
        )
        refused = [result for result in results if result.state != "sent"]
        if len(refused) == len(results):
            self._reset()
            replies = "; ".join(dict.fromkeys(result.reply for result in refused))
            raise MessageRefused(
                f"the mail server refused the recipient: {replies}",
                is_transient=any(result.state == "deferred" for result in refused),
                results=results,
            )
        if refused:
            log.warning(
                "%d of %s refused: %s",
                len(refused),
                counted(len(results), "recipient"),
                "; ".join(r.reply for r in refused),
            )
        return results

    def _ask_for_data(self) -> None:
        code, reply = self._client.command(self._client.steps.data, "DATA")
        if code != 354:
            raise self._refusal(code, reply)

    def _hand_over(self, content: bytes) -> None:
        try:
            self._client.hand_over(content)
        except smtplib.SMTPDataError as error:
            # A refusal may come before the whole message did. An acceptance may not.
            raise self._refusal(error.smtp_code, _bytes(error.smtp_error)) from error

    def _final_reply(self) -> str:
        """The reply to a complete message. Raises MessageRefused or DeliveryInDoubt if the server did not accept it."""
        try:
            code, reply = self._client.getreply(self._client.steps.final)
        except (smtplib.SMTPException, OSError) as error:
            # The server may have accepted the message before the connection broke.
            raise DeliveryInDoubt(
                with_words("the connection broke after the mail server had the whole message", _text(error))
            ) from error
        if 200 <= code < 300:
            return _reply(code, reply)
        if not 400 <= code < 600:
            raise DeliveryInDoubt(
                f"the mail server had the whole message, and sent an invalid reply: {_reply(code, reply)}"
            )
        raise self._refusal(code, reply)

    def _refusal(self, code: int, reply: bytes) -> MessageRefused:
        self._reset(code)
        return self._message_refused(code, reply)

    def _message_refused(self, code: int, reply: bytes) -> MessageRefused:
        return MessageRefused(
            f"the mail server refused the message: {_reply(code, reply)}",
            is_transient=code < 500,
            is_too_large=code == 552 and not _FULL_MAILBOX.match(reply),
        )

    def _reset(self, code: int = 250) -> None:
        """Prepare for another message, unless the server is closing the connection (421)."""
        try:
            if code != 421:
                self._client.rset()
        except (smtplib.SMTPException, OSError):
            # The refusal stays valid; the next message fails at the closed connection.
            self._client.close()


def _certificate_end(client: BoundedSMTP) -> datetime | None:
    """The end of validity of the server's certificate; None without TLS."""
    certificate = client.sock.getpeercert() if isinstance(client.sock, ssl.SSLSocket) else None
    if not certificate:
        return None
    return time_of(ssl.cert_time_to_seconds(str(certificate["notAfter"])))


@contextmanager
def _broken_connection_as_error() -> Iterator[None]:
    try:
        yield
    except (smtplib.SMTPException, OSError) as error:
        raise MailServerError(
            with_words("the connection to the mail server broke", _text(error)), hint="Try again later."
        ) from error


def _quit(client: smtplib.SMTP) -> None:
    try:
        client.quit()
    except (smtplib.SMTPException, OSError):
        # All results are known already: an error at QUIT changes nothing.
        client.close()


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _result(address: str, code: int, reply: bytes) -> RecipientResult:
    if code in (250, 251):
        return RecipientResult(address, "sent", _reply(code, reply))
    return RecipientResult(address, "deferred" if code < 500 else "refused", _reply(code, reply))


def _reply(code: int, text: bytes | str) -> str:
    return f"{code} {service_words(text, _LONGEST_REPLY)}"
