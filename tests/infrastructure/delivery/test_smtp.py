"""Delivery by SMTP, to real servers on loopback."""

from __future__ import annotations

import hmac
import logging
import socket
import socketserver
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from email.message import EmailMessage
from typing import Any

import pytest
import trustme

from ticketattr.application.ports import DeliveryInDoubt, MessageRefused
from ticketattr.domain.delivery import Message
from ticketattr.errors import MailServerError, ServiceError, SettingsError
from ticketattr.infrastructure.delivery import smtp, smtp_client
from ticketattr.infrastructure.delivery.message import MailTemplate
from ticketattr.infrastructure.delivery.smtp import SMTPMailer
from ticketattr.infrastructure.options import MailServer as ServerOptions
from ticketattr.infrastructure.options import StepTimeouts

from ...fakes import a_message, a_report
from ...scripted_smtp import HANG_UP_WITHIN, LATER, scripted_smtp
from ...servers import MailServer, smtp_server

RIGHT, WRONG = "right password", "wrong canary password"
LETTER = MailTemplate("Service Desk", "https://example.com/code?a=1&b=2")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def mailer(
    port: int,
    *,
    host: str = "127.0.0.1",
    tls: bool = False,
    username: str = "",
    password: str = RIGHT,
    timeout: float = 5.0,
    template: MailTemplate = LETTER,
    ehlo_name: str = "",
) -> SMTPMailer:
    steps = StepTimeouts(*[timeout] * len(fields(StepTimeouts)))
    options = ServerOptions(
        host, port, use_tls=tls, username=username, password=password, timeout=timeout, ehlo_name=ehlo_name, steps=steps
    )
    return SMTPMailer(options, "desk@example.com", template)


def send(mailer: SMTPMailer, *messages: Message, content: bytes = b"workbook") -> list[str]:
    with mailer.connect() as session:
        return [session.send(message, [content] * len(message.reports)).reply for message in messages or (a_message(),)]


def delivered(
    mail: MailServer, *messages: Message, template: MailTemplate = LETTER, content: bytes = b"workbook"
) -> EmailMessage:
    """The one mail that comes of it."""
    send(mailer(mail.port, template=template), *messages, content=content)
    (received,) = mail.received
    return received


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body
    content: str = body.get_content()
    return content


def everything_said(error: BaseException) -> str:
    """What could reach a log: the error, its hint, and what caused it."""
    texts = [str(error), str(getattr(error, "hint", ""))]
    return "\n".join([*texts, everything_said(error.__cause__)] if error.__cause__ else texts)


@contextmanager
def scripted_server(greeting: str = "220 hello", **replies: str) -> Iterator[int]:
    """A server of few words: a reply for each verb (250 for the others), "hang up", or "say nothing".

    The verb of a message that is complete is END.
    """

    class Dialogue(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            goes_on = self.reply(greeting)
            while goes_on and (line := self.rfile.readline()):
                reply = replies.get(line.split()[0].decode().upper(), "250 ok")
                goes_on = self.reply(reply)
                if reply.startswith("354"):
                    while self.rfile.readline() not in (b".\r\n", b""):
                        pass
                    goes_on = self.reply(replies.get("END", "250 taken"))

        def reply(self, text: str) -> bool:
            if text == "say nothing":
                self.rfile.read()
                return False
            if text != "hang up":
                self.wfile.write(text.encode() + b"\r\n")
            return text != "hang up"

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dialogue) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class TestConnection:
    def test_starttls_delivers_encrypted_after_the_login(self, server_tls: ssl.SSLContext) -> None:
        with smtp_server(tls=server_tls, auth=True) as mail:
            send(mailer(mail.port, tls=True, username="desk"))
        assert (mail.encrypted, mail.logins, len(mail.received)) == ([True], ["desk"], 1)

    def test_port_465_uses_implicit_tls(self, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
        # Port 465 itself is not ours to bind. This server understands nothing but TLS.
        with smtp_server(tls=server_tls, implicit_tls=True) as mail:
            for module in (smtp, smtp_client):
                monkeypatch.setattr(module, "IMPLICIT_TLS_PORT", mail.port)
            send(mailer(mail.port, tls=True))
        assert len(mail.received) == 1

    def test_without_tls_and_login_a_mail_is_sent_in_plain_text(self, mail: MailServer) -> None:
        send(mailer(mail.port))
        assert (mail.encrypted, mail.logins, len(mail.received)) == ([False], [], 1)

    def test_nothing_is_sent_where_tls_is_required_and_not_offered(self, mail: MailServer) -> None:
        with pytest.raises(SettingsError) as error:
            send(mailer(mail.port, tls=True, username="desk"))
        assert "STARTTLS" in str(error.value)
        assert "EMAIL_USE_TLS" in error.value.hint
        assert (mail.received, mail.logins) == ([], [])

    def test_plain_text_on_a_tls_port_is_a_settings_error(
        self, mail: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (smtp, smtp_client):
            monkeypatch.setattr(module, "IMPLICIT_TLS_PORT", mail.port)
        with pytest.raises(SettingsError) as error:
            send(mailer(mail.port, tls=True))
        assert "EMAIL_SMTP_PORT" in error.value.hint

    def test_a_login_that_the_server_does_not_offer_is_a_settings_error(self, mail: MailServer) -> None:
        with pytest.raises(SettingsError) as error:
            send(mailer(mail.port, username="desk"))
        assert "EMAIL_USERNAME" in error.value.hint
        assert not mail.received

    def test_an_unsupported_login_method_is_a_settings_error(self) -> None:
        with scripted_server(EHLO="250-here\r\n250 AUTH GSSAPI") as port, pytest.raises(SettingsError):
            send(mailer(port, username="desk"))

    def test_a_refused_password_is_a_settings_error(self, server_tls: ssl.SSLContext) -> None:
        with smtp_server(tls=server_tls, auth=True) as mail, pytest.raises(SettingsError) as error:
            send(mailer(mail.port, tls=True, username="desk", password=WRONG))
        assert "EMAIL_PASSWORD" in error.value.hint
        assert WRONG not in everything_said(error.value)
        assert not mail.received

    def test_a_temporarily_refused_login_may_succeed_later(self) -> None:
        replies = {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "454 4.7.0 Temporary authentication failure"}
        with scripted_server(**replies) as port, pytest.raises(ServiceError, match="454"):
            send(mailer(port, username="desk"))

    def test_the_password_is_in_no_repr(self) -> None:
        assert WRONG not in repr(mailer(25, username="desk", password=WRONG))

    def test_a_certificate_of_an_untrusted_authority_is_a_settings_error(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        with smtp_server(tls=context, auth=True) as mail, pytest.raises(SettingsError) as error:
            send(mailer(mail.port, tls=True, username="desk"))
        assert "not trusted" in str(error.value)
        assert (mail.received, mail.logins) == ([], [])

    @pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "implicit"])
    def test_a_certificate_for_another_host_is_a_settings_error(
        self, authority: trustme.CA, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, implicit: bool
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("mail.example.com").configure_cert(context)
        with smtp_server(tls=context, implicit_tls=implicit) as mail:
            for module in (smtp, smtp_client):
                monkeypatch.setattr(module, "IMPLICIT_TLS_PORT", mail.port if implicit else 465)
            with pytest.raises(SettingsError) as error:
                send(mailer(mail.port, tls=True))
        assert "EMAIL_SMTP_HOST" in error.value.hint
        assert not mail.received

    def test_a_missing_server_may_be_there_later(self, closed_port: int) -> None:
        with pytest.raises(ServiceError) as error:
            send(mailer(closed_port))
        assert f"127.0.0.1:{closed_port}" in str(error.value)
        assert "EMAIL_SMTP_HOST" in error.value.hint

    @pytest.mark.parametrize(
        "host",
        ["no.such.host.invalid", "mail..example.com", "m" * 64 + ".example.com", "mail example"],
        ids=["unknown", "empty label", "long label", "blank"],
    )
    def test_an_unknown_host_name_is_not_a_bug(self, host: str) -> None:
        with pytest.raises((ServiceError, SettingsError)):
            mailer(25, host=host, timeout=0.5).max_mail_size()

    @pytest.mark.parametrize("greeting", ["421 4.3.2 busy", "554 5.7.1 no", "hang up", "what?"])
    def test_a_refusal_in_the_greeting_is_temporary(self, greeting: str) -> None:
        with scripted_server(greeting) as port, pytest.raises(ServiceError):
            send(mailer(port))

    @pytest.mark.parametrize("verb", ["greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT"])
    def test_no_reply_before_the_message_is_a_failure_after_the_timeout(self, verb: str) -> None:
        replies = {"EHLO": "250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN", "AUTH": "235 ok", verb: "say nothing"}
        with scripted_server(**replies) as port, pytest.raises(ServiceError):
            send(mailer(port, tls=verb == "STARTTLS", username="desk", timeout=0.1))

    @pytest.mark.parametrize("verb", ["EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT"])
    def test_a_server_that_closes_the_connection_before_the_message_did_not_accept_it(self, verb: str) -> None:
        replies = {"EHLO": "250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN", "AUTH": "235 ok", verb: "hang up"}
        with scripted_server(**replies) as port, pytest.raises(ServiceError):
            send(mailer(port, tls=verb == "STARTTLS", username="desk"))

    def test_an_error_at_quit_changes_nothing(self) -> None:
        with scripted_server(DATA="354 go", QUIT="hang up") as port:
            assert send(mailer(port)) == ["250 taken"]


class TestWhatServersSay:
    """A server's words are passed on, and count only where they can be true."""

    @pytest.mark.parametrize("refusal", ["421 4.7.0 Try again later", "450 4.3.2 busy", "554 5.7.1 not you"])
    def test_a_refusal_of_ehlo_is_told_in_the_words_of_the_server(self, refusal: str) -> None:
        with (
            scripted_server(EHLO=f"{refusal}\r\nhang up", HELO="hang up") as port,
            pytest.raises(ServiceError) as error,
        ):
            send(mailer(port))
        assert f"refused the session: {refusal}" in str(error.value)
        assert "EMAIL_EHLO_NAME" in error.value.hint

    def test_a_server_that_knows_only_helo_gets_the_message(self) -> None:
        with scripted_server(EHLO="502 5.5.1 unknown", DATA="354 go") as port:
            assert send(mailer(port)) == ["250 taken"]

    def test_ehlo_carries_the_name_that_is_set(self) -> None:
        with scripted_smtp() as script:
            send(mailer(script.port, ehlo_name="reports.example.com"))
        assert "EHLO reports.example.com" in script.lines

    @pytest.mark.parametrize("early", ["354 go on\r\n250 2.0.0 taken", "354 go on\r\n250-x\r\n250 y"])
    def test_an_acceptance_before_the_message_is_none(self, early: str) -> None:
        with (
            scripted_smtp({"DATA": [early]}) as script,
            pytest.raises(MailServerError, match="before it was asked: 250"),
        ):
            send(mailer(script.port))
        assert not script.received

    def test_a_refusal_before_the_message_is_complete_is_one(self) -> None:
        replies = {"DATA": ["354 go on\r\n552 5.3.4 too large"]}
        with scripted_smtp(replies) as script, pytest.raises(MessageRefused, match=r"552 5\.3\.4 too large"):
            send(mailer(script.port))

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
    def test_a_reply_to_a_command_that_was_not_sent_ends_the_session(self, verb: str) -> None:
        with scripted_smtp({verb: ["250 ok\r\n250 ok"]}) as script, pytest.raises(MailServerError, match="before"):
            send(mailer(script.port))
        assert not script.received

    @pytest.mark.parametrize("method", ["PLAIN", "LOGIN", "CRAM-MD5"])
    def test_a_password_beyond_ascii_is_sent_as_utf_8(self, method: str) -> None:
        replies = {"AUTH": ["334 " + b64encode(b"<1@x>").decode()] if method == "CRAM-MD5" else ["235 ok"]}
        if method == "LOGIN":
            replies = {"AUTH": ["334 UGFzc3dvcmQ6"]}
        password = "pässwörd€"
        answer = b64encode(password.encode()).decode().upper()
        if method == "CRAM-MD5":
            answer = (
                b64encode(f"dësk {hmac.new(password.encode(), b'<1@x>', 'md5').hexdigest()}".encode()).decode().upper()
            )
        replies[answer] = ["235 ok"]
        with scripted_smtp(replies, extensions=(f"AUTH {method}",)) as script:
            send(mailer(script.port, username="dësk", password=password))
        assert len(script.received) == 1
        if method == "PLAIN":
            assert f"AUTH PLAIN {b64encode(f'{chr(0)}dësk{chr(0)}{password}'.encode()).decode()}" in script.lines

    @pytest.mark.parametrize("challenge", ["334 x", "334 \xff", "334 " + "A" * 1000])
    def test_an_invalid_challenge_is_a_failed_login(self, challenge: str) -> None:
        with (
            scripted_smtp({"AUTH": [challenge]}, extensions=("AUTH CRAM-MD5",)) as script,
            pytest.raises((SettingsError, MailServerError), match="refused"),
        ):
            send(mailer(script.port, username="desk"))


class TestTimeouts:
    def test_each_step_may_take_as_long_as_rfc_5321_says(self) -> None:
        assert astuple(StepTimeouts()) == (300, 300, 300, 120, 180, 600)

    @pytest.mark.parametrize("step", ["GREETING", "MAIL", "RCPT", "DATA", "END"])
    def test_a_step_of_rfc_5321_may_take_longer_than_the_timeout(self, step: str) -> None:
        usual = {"GREETING": "220 hello", "DATA": "354 go on"}.get(step, "250 ok")
        with scripted_smtp({step: [f"{LATER}{usual}"]}) as script:
            options = ServerOptions("127.0.0.1", script.port, use_tls=False, timeout=0.15)
            assert send(SMTPMailer(options, "desk@example.com", LETTER))
        assert len(script.received) == 1


class TestCheck:
    def test_it_succeeds_if_a_message_would_and_sends_none(self, mail: MailServer) -> None:
        mailer(mail.port).max_mail_size()
        assert not mail.received

    def test_it_finds_a_refused_sender(self, mail: MailServer) -> None:
        mail.refuse["MAIL"] = "550 5.7.1 not yours"
        with pytest.raises(SettingsError, match="refused the sender: 550"):
            mailer(mail.port).max_mail_size()

    def test_it_finds_a_missing_server(self, closed_port: int) -> None:
        with pytest.raises(ServiceError):
            mailer(closed_port).max_mail_size()


class TestRefusals:
    def test_a_permanently_refused_sender_is_a_settings_error(self, mail: MailServer) -> None:
        mail.refuse["MAIL"] = "550 5.7.1 <desk@example.com> is not yours"
        with pytest.raises(SettingsError) as error:
            send(mailer(mail.port))
        assert "EMAIL_SENDER" in error.value.hint
        assert "desk@example.com" not in everything_said(error.value)

    @pytest.mark.parametrize("reply", ["450 4.2.0 later", "421 4.3.2 shutting down"])
    def test_a_temporarily_refused_sender_may_be_accepted_later(self, mail: MailServer, reply: str) -> None:
        mail.refuse["MAIL"] = reply
        with pytest.raises(ServiceError, match=reply[:3]):
            send(mailer(mail.port))

    @pytest.mark.parametrize("reply", ["550 5.1.1 <lead@example.com> unknown", "450 4.2.1 lead@example.com is full"])
    def test_a_refusal_of_the_only_recipient_refuses_the_message(self, mail: MailServer, reply: str) -> None:
        mail.refuse_recipients["lead@example.com"] = reply
        with pytest.raises(MessageRefused) as error:
            send(mailer(mail.port))
        assert reply[:9] in str(error.value)
        assert "lead@example.com" not in everything_said(error.value)
        assert not mail.received

    @pytest.mark.parametrize("command", ["RCPT", "DATA"])
    def test_the_session_accepts_the_next_message_after_a_refusal(self, mail: MailServer, command: str) -> None:
        refused, taken = a_message(number=1, recipients=("gone@example.com",)), a_message(number=2)
        with mailer(mail.port).connect() as session:
            if command == "RCPT":
                mail.refuse_recipients["gone@example.com"] = "550 unknown"
            else:
                mail.refuse["DATA"] = "552 too large"
            with pytest.raises(MessageRefused):
                session.send(refused, [b"workbook"])
            mail.refuse.clear()
            session.send(taken, [b"workbook"])
        assert [received["Message-ID"] for received in mail.received] == [taken.message_id]

    def test_a_refusal_of_one_recipient_does_not_affect_the_other(
        self, mail: MailServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        mail.refuse_recipients["gone@example.com"] = "550 5.1.1 <gone@example.com> unknown"
        message = a_message(recipients=("gone@example.com", "lead@example.com"))
        with mailer(mail.port).connect() as session:
            receipt = session.send(message, [b"workbook"])
        assert mail.recipients == [["lead@example.com"]]
        assert [(result.address, result.state) for result in receipt.results] == [
            ("gone@example.com", "refused"),
            ("lead@example.com", "sent"),
        ]
        assert "1 of 2 recipients refused: 550 5.1.1 <address> unknown" in caplog.text
        assert "gone@" not in caplog.text

    @pytest.mark.parametrize(
        ("reply", "is_too_large"),
        [("552 5.3.4 big", True), ("552 big", True), ("552 5.2.2 full", False), ("554", False)],
    )
    def test_a_refusal_says_whether_a_smaller_message_may_be_accepted(
        self, mail: MailServer, reply: str, is_too_large: bool
    ) -> None:
        mail.refuse["DATA"] = reply
        with pytest.raises(MessageRefused) as refusal:
            send(mailer(mail.port), a_message())
        assert refusal.value.is_too_large == is_too_large

    @pytest.mark.parametrize("reply", ["552 5.3.4 too large", "451 4.3.0 later", "554 5.6.0 looks like spam"])
    def test_refused_content_refuses_the_message(self, mail: MailServer, reply: str) -> None:
        mail.refuse["DATA"] = reply
        with pytest.raises(MessageRefused, match=reply[:9]):
            send(mailer(mail.port))

    def test_a_refusal_of_data_refuses_the_message(self) -> None:
        with scripted_server(DATA="452 4.3.1 disk full") as port, pytest.raises(MessageRefused, match="452"):
            send(mailer(port))

    def test_the_reply_of_the_server_is_returned(self, mail: MailServer) -> None:
        assert send(mailer(mail.port)) == ["250 Message accepted for delivery"]

    def test_no_address_and_no_password_is_logged(
        self, server_tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG), smtp_server(tls=server_tls, auth=True) as mail:
            send(mailer(mail.port, tls=True, username="desk@example.com"))
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("ticketattr")]
        assert not [line for line in ours if "@example.com" in line or RIGHT in line]


class TestDoubt:
    def test_a_connection_dropped_after_the_data_leaves_doubt(self, mail: MailServer) -> None:
        mail.drop_after_data = True
        with pytest.raises(DeliveryInDoubt):
            send(mailer(mail.port))
        assert len(mail.received) == 1

    def test_no_reply_after_the_data_leaves_doubt(self) -> None:
        with scripted_server(DATA="354 go", END="say nothing") as port, pytest.raises(DeliveryInDoubt):
            send(mailer(port, timeout=0.5))

    def test_a_second_message_after_the_drop_is_not_in_doubt(self, mail: MailServer) -> None:
        mail.drop_after_data = True
        with mailer(mail.port).connect() as session:
            with pytest.raises(DeliveryInDoubt):
                session.send(a_message(number=1), [b"workbook"])
            with pytest.raises(ServiceError):
                session.send(a_message(number=2), [b"workbook"])
        assert len(mail.received) == 1

    def test_a_connection_lost_within_the_message_leaves_no_doubt(self) -> None:
        # More than the buffers of a connection hold: its end cannot have been sent.
        with scripted_smtp({"END": [HANG_UP_WITHIN]}) as script, pytest.raises(MailServerError):
            send(mailer(script.port), content=bytes(16 * 1024 * 1024))

    @pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
    def test_an_interruption_sends_no_quit(self, interruption: type[BaseException]) -> None:
        with scripted_smtp() as script, pytest.raises(interruption), mailer(script.port).connect():
            raise interruption
        assert "QUIT" not in script.said


class TestMessage:
    def test_the_headers_are_those_of_the_message(self, mail: MailServer) -> None:
        message = a_message(recipients=("lead@example.com", "boss@example.com"), subject="Zuordnung für Ärger")
        received = delivered(mail, message)
        assert received["Message-ID"] == message.message_id
        assert received["Date"].datetime == message.date
        assert received["Subject"] == "Zuordnung für Ärger"
        assert received["Auto-Submitted"] == "auto-generated"
        assert received["From"] == "Service Desk <desk@example.com>"
        assert received["To"] == "lead@example.com, boss@example.com"
        assert mail.recipients == [["lead@example.com", "boss@example.com"]]

    def test_a_repetition_is_the_same_message(self, mail: MailServer) -> None:
        send(mailer(mail.port), a_message(), a_message())
        one, other = mail.received
        assert (one["Message-ID"], one["Date"]) == (other["Message-ID"], other["Date"])

    @pytest.mark.parametrize(
        "name", ["Grüße vom Amt", 'The "Desk", Inc. <x@y.z>', "x" * 300, "", "服务台"], ids=lambda name: name[:10]
    )
    def test_the_display_name_arrives_unchanged(self, mail: MailServer, name: str) -> None:
        (address,) = delivered(mail, template=MailTemplate(name, "https://example.com"))["From"].addresses
        assert (address.display_name, address.addr_spec) == (name, "desk@example.com")

    @pytest.mark.parametrize("subject", ["x" * 1000, "", "🎉" * 200], ids=["long", "empty", "emoji"])
    def test_an_unusual_subject_stops_no_report(self, mail: MailServer, subject: str) -> None:
        received = delivered(mail, a_message(subject=subject))
        assert [attachment.get_content() for attachment in received.iter_attachments()] == [b"workbook"]

    def test_both_bodies_contain_the_url_of_the_code(self, mail: MailServer) -> None:
        received = delivered(mail)
        assert "https://example.com/code?a=1&b=2" in part(received, "plain")
        html = part(received, "html")
        assert 'href="https://example.com/code?a=1&amp;b=2"' in html
        assert ">https://example.com/code?a=1&amp;b=2</a>" in html

    def test_markup_stays_text_in_the_html_body(self, mail: MailServer) -> None:
        template = MailTemplate("<b>Desk</b>", 'https://example.com/"><script>alert(1)</script>')
        html = part(delivered(mail, a_message(a_report(name="<i>&.xlsx")), template=template), "html")
        assert "<script>" not in html
        assert "<b>" not in html
        assert "&lt;i&gt;&amp;.xlsx" in html

    def test_a_dollar_sign_is_not_a_placeholder(self, mail: MailServer) -> None:
        template = MailTemplate("$reports ${x} $", "https://example.com/$count")
        text = part(delivered(mail, template=template), "plain")
        assert "$reports ${x} $" in text
        assert "https://example.com/$count" in text

    def test_a_long_url_of_the_code_is_not_wrapped(self, mail: MailServer) -> None:
        url = "https://example.com/" + "long/" * 300
        assert url in part(delivered(mail, template=MailTemplate("Desk", url)), "plain")

    def test_the_bodies_count_and_name_the_reports(self, mail: MailServer) -> None:
        received = delivered(mail, a_message(a_report(name="a.xlsx"), a_report(b"x" * 5000, name="b.xlsx")))
        for body in (part(received, "plain"), part(received, "html")):
            assert "2 reports" in body
            assert "a.xlsx" in body
            assert "5 KiB" in body

    def test_attachments_carry_the_bytes_of_the_reports_in_their_order(self, mail: MailServer) -> None:
        contents = [bytes(range(256)) * 40, b"\r\n.\r\n", b""]
        message = a_message(*(a_report(content, f"{number}.xlsx") for number, content in enumerate(contents)))
        with mailer(mail.port).connect() as session:
            session.send(message, contents)
        attachments = list(mail.received[0].iter_attachments())
        assert [attachment.get_content() for attachment in attachments] == contents
        assert [attachment.get_filename() for attachment in attachments] == ["0.xlsx", "1.xlsx", "2.xlsx"]
        assert {attachment.get_content_type() for attachment in attachments} == {XLSX}

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Bericht für März.xlsx", "Bericht für März.xlsx"),
            ("报告 📊.xlsx", "报告 📊.xlsx"),
            ('a "b"; c\\d.xlsx', 'a "b"; c\\d.xlsx'),
            ("ü" * 80 + ".xlsx", "ü" * 80 + ".xlsx"),
            ("a\nBcc: all@example.com\x1b[31m.xlsx", "a_Bcc: all@example.com_[31m.xlsx"),
            ("a\u2028b\x85c.xlsx", "a_b_c.xlsx"),
            ("not utf-8 \udcff.xlsx", "not utf-8 _.xlsx"),
        ],
        ids=["German", "Chinese", "quotes", "long", "control", "separators", "undecodable"],
    )
    def test_a_file_name_arrives_without_what_could_steer(self, mail: MailServer, name: str, shown: str) -> None:
        received = delivered(mail, a_message(a_report(name=name)))
        (attachment,) = received.iter_attachments()
        assert attachment.get_filename() == shown
        assert received["Bcc"] is None

    def test_the_mail_is_plain_ascii_on_the_wire(self, mail: MailServer) -> None:
        received = delivered(
            mail, a_message(a_report(name="für.xlsx"), subject="Für"), template=MailTemplate("Für", "http://ü")
        )
        assert received.as_bytes().isascii()

    def test_the_text_body_comes_before_the_html_body(self, mail: MailServer) -> None:
        received = delivered(mail)
        (alternative, _) = parts(received)
        assert received.get_content_type() == "multipart/mixed"
        assert [body.get_content_type() for body in parts(alternative)] == ["text/plain", "text/html"]


def parts(mail: Any) -> list[Any]:
    return list(mail.iter_parts())


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_a_reply_without_end_is_given_up(verb: str) -> None:
    endless = "\r\n".join(["250-and on"] * 20_000 + ["250 at last"])
    with scripted_smtp({verb: [endless]}) as script, pytest.raises(ServiceError, match="longer than 65,536 bytes"):
        send(mailer(script.port))


def test_a_quoted_reply_of_the_server_has_a_maximum_length() -> None:
    with scripted_smtp({"RCPT": [f"550 {'x' * 7_000}"]}) as script, pytest.raises(MessageRefused) as caught:
        send(mailer(script.port))
    assert len(str(caught.value)) < 2_200
