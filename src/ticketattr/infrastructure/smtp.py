"""Delivery by SMTP."""

from __future__ import annotations

import logging
import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from ..application.ports import DeliveryInDoubt, MessageRefused
from ..domain.delivery import Message, Transport
from ..errors import ServiceError, SettingsError
from .message import Letter
from .options import MailServer

log = logging.getLogger(__name__)

IMPLICIT_TLS_PORT = 465

_ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")


@dataclass(frozen=True, slots=True)
class SMTPMailer:
    transport: ClassVar[Transport] = "smtp"

    server: MailServer
    sender: str
    letter: Letter

    @contextmanager
    def connect(self) -> Iterator[SMTPSession]:
        with self._errors():
            client = self._client()
        try:
            with self._errors():
                self._introduce(client)
            yield SMTPSession(client, self.letter)
        finally:
            _quit(client)

    def check(self) -> None:
        with self.connect() as session:
            session.propose_sender(self.sender)

    def _client(self) -> smtplib.SMTP:
        if self.server.use_tls and self.server.port == IMPLICIT_TLS_PORT:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.server.host, self.server.port, timeout=self.server.timeout, context=context)
        return smtplib.SMTP(self.server.host, self.server.port, timeout=self.server.timeout)

    def _introduce(self, client: smtplib.SMTP) -> None:
        client.ehlo_or_helo_if_needed()
        if self.server.use_tls and self.server.port != IMPLICIT_TLS_PORT:
            client.starttls(context=ssl.create_default_context())
            client.ehlo()
        if self.server.username:
            client.login(self.server.username, self.server.password)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """smtplib's errors while a session begins, as ours."""
        where = f"the mail server {self.server.host}:{self.server.port}"
        try:
            yield
        except UnicodeError:
            # Without its cause, which may quote the password.
            raise SettingsError(
                f"{where} cannot be spoken to: a host, user name or password that cannot be sent",
                hint="Check EMAIL_SMTP_HOST, and whether EMAIL_USERNAME and EMAIL_PASSWORD are ASCII.",
            ) from None
        except ssl.SSLError as error:
            raise _tls_error(where, error) from error
        except smtplib.SMTPServerDisconnected as error:
            raise _no_answer(where, error) from error
        except smtplib.SMTPException as error:
            raise _session_error(where, error) from error
        except OSError as error:
            raise _no_answer(where, error) from error


def _tls_error(where: str, error: ssl.SSLError) -> SettingsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return SettingsError(
            f"the certificate of {where} is not trusted: {error.verify_message}",
            hint="EMAIL_SMTP_HOST must be the name in a certificate that this machine trusts.",
        )
    return SettingsError(
        f"{where} speaks no TLS there: {error.reason}", hint="Check EMAIL_SMTP_PORT and EMAIL_USE_TLS."
    )


def _session_error(where: str, error: smtplib.SMTPException) -> SettingsError | ServiceError:
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return SettingsError(
            f"{where} does not offer what is needed: {error}", hint="Check EMAIL_USE_TLS and EMAIL_USERNAME."
        )
    if not isinstance(error, smtplib.SMTPResponseException):
        return SettingsError(f"{where} offers no login that we know: {error}", hint="Check EMAIL_USERNAME.")
    reply = _reply(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
        return SettingsError(f"{where} refused the login: {reply}", hint="Check EMAIL_USERNAME and EMAIL_PASSWORD.")
    return ServiceError(f"{where} refused the session: {reply}", hint="Try again later.")


def _no_answer(where: str, error: OSError) -> ServiceError:
    return ServiceError(
        f"{where} did not answer: {error or type(error).__name__}",
        hint="Check EMAIL_SMTP_HOST and EMAIL_SMTP_PORT, or try again later.",
    )


class SMTPSession:
    """A session that the server has accepted."""

    def __init__(self, client: smtplib.SMTP, letter: Letter) -> None:
        self._client = client
        self._letter = letter

    def send(self, message: Message, contents: Sequence[bytes]) -> str:
        content = self._letter.compose(message, contents).as_bytes()
        with _unless_broken_off():
            self._mail_from(message.sender)
            refusals = self._rcpt_to(message.recipients)
        reply = self._data(content)
        if refusals:
            log.warning("%s: %d recipients refused: %s", message.message_id, len(refusals), "; ".join(refusals))
        return "; ".join([reply, *refusals])

    def propose_sender(self, sender: str) -> None:
        """Ask whether a message from `sender` would be taken. Raises SettingsError or ServiceError."""
        with _unless_broken_off():
            self._mail_from(sender)
            self._client.rset()

    def _mail_from(self, sender: str) -> None:
        code, reply = self._client.mail(sender)
        if code == 250:
            return
        self._client.rset()
        message = f"the mail server refused the sender: {_reply(code, reply)}"
        if code < 500:
            raise ServiceError(message, hint="Try again later.")
        raise SettingsError(message, hint="Check EMAIL_SENDER, and whether the server wants EMAIL_USERNAME.")

    def _rcpt_to(self, recipients: Sequence[str]) -> list[str]:
        """The refusals; raises MessageRefused when nobody is left."""
        replies = [self._client.rcpt(recipient) for recipient in recipients]
        refusals = [_reply(code, reply) for code, reply in replies if code not in (250, 251)]
        if len(refusals) == len(recipients):
            self._client.rset()
            raise MessageRefused(f"the mail server refused the recipient: {'; '.join(refusals)}")
        return refusals

    def _data(self, content: bytes) -> str:
        try:
            code, reply = self._client.data(content)
        except smtplib.SMTPDataError as error:
            code, reply = error.smtp_code, _as_bytes(error.smtp_error)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            # The server may have taken it before it fell silent.
            raise DeliveryInDoubt(
                f"the mail server broke off while it took the message: {error or type(error).__name__}"
            ) from error
        if code != 250:
            with _unless_broken_off():
                self._client.rset()
            raise MessageRefused(f"the mail server refused the message: {_reply(code, reply)}")
        return _reply(code, reply)


@contextmanager
def _unless_broken_off() -> Iterator[None]:
    try:
        yield
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        raise ServiceError(
            f"the mail server broke off: {error or type(error).__name__}", hint="Try again later."
        ) from error


def _quit(client: smtplib.SMTP) -> None:
    try:
        client.quit()
    except (smtplib.SMTPException, OSError):
        # Whatever was to be said was said before: a bad farewell changes nothing.
        client.close()


def _reply(code: int, text: bytes | str) -> str:
    """A server's answer without the addresses in it, which do not belong into a log."""
    return f"{code} {_ADDRESS.sub('<address>', ' '.join(_as_bytes(text).decode('utf-8', 'replace').split()))}"


def _as_bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
