"""The whole chain over the wire: helpdesk, catalog and model by HTTP, reports by SMTP."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from ..conftest import CLI, DATA
from ..servers import (
    HTTPServer,
    MailServer,
    Request,
    Response,
    asked_tickets,
    gemini,
    gemini_error,
    gemini_text,
    smtp_server,
)
from ..workbooks import tickets_table

pytestmark = pytest.mark.usefixtures("no_backoff")

SECRETS = {
    "HELPDESK_API_KEY": "helpdesk-key-canary",
    "HELPDESK_API_SECRET": "helpdesk-secret-canary",
    "LLM_API_KEY": "model-key-canary",
}
PASSWORD = "right password"

PAIRS = {
    "password": ("Access", "Password Reset"),
    "laptop": ("Hardware", "Laptop Repair"),
    "stolen": ("Hardware", "Stolen Device"),
    "lunch": ("Other", "General Inquiry"),
}
MODELS = "/v1beta/models"


def queue(size: int) -> list[dict[str, Any]]:
    """Tickets of which every seventh comes with a pair."""
    words = list(PAIRS)
    tickets: list[dict[str, Any]] = [
        {
            "id": f"T-{number:02}",
            "short_description": f"{words[number % len(words)]} {number}",
            "long_description": "Please help.",
            "requester_email": f"person-{number}@example.com",
        }
        for number in range(size)
    ]
    for ticket in tickets[::7]:
        ticket |= {"request_category": "Access", "request_type": "SaaS Platform Access (Jira/Salesforce)"}
    return tickets


def by_word(ticket: dict[str, Any]) -> dict[str, Any]:
    category, request_type = PAIRS[ticket["short_description"].split()[0]]
    return {"request_category": category, "request_type": request_type, "confidence": 0.8, "evidence": "the word"}


@dataclass
class World:
    """The program and everything it talks to."""

    cli: CLI
    http: HTTPServer
    mail: MailServer

    def __call__(self, *args: str) -> Result:
        """A call that, whatever comes of it, shows neither a secret nor a traceback."""
        result = self.cli(*args)
        for canary in (*SECRETS.values(), PASSWORD):
            assert canary not in result.output
        assert "Traceback" not in result.output
        return result

    def ok(self, *args: str) -> Result:
        result = self(*args)
        assert result.exit_code == 0, result.output
        return result

    def refused(self, *args: str, exit_code: int) -> str:
        """What is said on stderr by a call that ends with this code."""
        result = self(*args)
        assert result.exit_code == exit_code, result.output
        return result.stderr

    def asked(self, prefix: str) -> list[Request]:
        return [request for request in self.http.requests if request.path.startswith(prefix)]

    def pending(self) -> list[tuple[str, str]]:
        listed = json.loads(self.ok("pending", "list", "--format", "json").stdout)
        return [(Path(entry["file"]).name, entry["state"]) for entry in listed]

    def history(self) -> list[str]:
        return [entry["state"] for entry in json.loads(self.ok("pending", "list", "--all", "--format", "json").stdout)]

    def rows(self) -> list[dict[str, Any]]:
        (report,) = self.cli.reports
        return tickets_table(report)


@pytest.fixture
def world(cli: CLI, http: HTTPServer, mail: MailServer) -> World:
    http.routes["/helpdesk"] = [Response(body={"response_code": 200, "data": {"requests": queue(42)}})]
    http.routes["/catalog"] = [Response(body=(DATA / "catalog.yaml").read_bytes())]
    http.routes[f"{MODELS}/gemini-test:"] = gemini(by_word)
    cli.settings |= {
        **SECRETS,
        "HELPDESK_API_URL": f"{http.url}/helpdesk",
        "SERVICE_CATALOG_URL": f"{http.url}/catalog",
        "HTTP_MAX_RETRIES": "1",
        "CLASSIFIER": "gemini",
        "GOOGLE_GEMINI_BASE_URL": http.url,
        "LLM_MODEL_NAME": "gemini-test",
        "LLM_BATCH_SIZE": "10",
        "LLM_MAX_RETRIES": "1",
        "LLM_TIMEOUT": "10",
        "EMAIL_TRANSPORT": "smtp",
        "EMAIL_SMTP_HOST": mail.host,
        "EMAIL_SMTP_PORT": str(mail.port),
        "EMAIL_USE_TLS": "false",
        "EMAIL_TIMEOUT": "5",
    }
    return World(cli, http, mail)


class TestTheWholeChain:
    def test_a_queue_becomes_one_mail_with_one_report(self, world: World) -> None:
        result = world.ok("run")
        (report,) = world.cli.reports
        (mail,) = world.mail.received
        (attachment,) = mail.iter_attachments()
        assert result.stdout == f"output/{report.name}\n"
        assert "42 of 42 tickets attributed\n1 report sent\n" in result.stderr
        assert (attachment.get_filename(), attachment.get_content()) == (report.name, report.read_bytes())
        assert world.history() == ["sent"]

    def test_every_ticket_has_its_row_with_the_sla_of_the_catalog(self, world: World) -> None:
        world.ok("run")
        rows = {row["id"]: row for row in world.rows()}
        assert sorted(rows) == [f"T-{number:02}" for number in range(42)]
        assert (rows["T-00"]["source"], rows["T-00"]["sla_value"]) == ("kept", 8)
        assert (rows["T-01"]["request_type"], rows["T-01"]["sla_value"], rows["T-01"]["sla_unit"]) == (
            "Laptop Repair",
            3,
            "days",
        )
        assert (rows["T-02"]["request_type"], rows["T-02"]["sla_value"]) == ("Stolen Device", 0)

    def test_the_model_is_shown_the_open_tickets_in_batches_and_no_address(self, world: World) -> None:
        world.ok("run")
        asked = world.asked(MODELS)
        assert sorted(len(asked_tickets(request)) for request in asked) == [6, 10, 10, 10]
        assert not [request for request in asked if b"@example.com" in request.body]

    def test_the_helpdesk_is_given_its_credentials(self, world: World) -> None:
        world.ok("run")
        (request,) = world.asked("/helpdesk")
        assert request.method == "POST"
        assert request.json == {
            "api_key": SECRETS["HELPDESK_API_KEY"],
            "api_secret": SECRETS["HELPDESK_API_SECRET"],
        }

    def test_a_second_send_sends_nothing_and_says_so(self, world: World) -> None:
        world.ok("run")
        result = world.ok("send")
        assert "nothing to send" in result.stderr
        assert result.stdout == ""
        assert len(world.mail.received) == 1

    def test_sending_that_report_by_name_sends_nothing_and_says_when_it_went(self, world: World) -> None:
        world.ok("run")
        report = f"output/{world.cli.reports[0].name}"
        assert f"nothing sent: {report} was sent at 20" in world.ok("send", "--report", report).stderr
        assert len(world.mail.received) == 1

    def test_every_recipient_is_a_recipient(self, world: World) -> None:
        world.cli.settings["EMAIL_RECIPIENT"] = "lead@example.com, boss@example.com"
        world.ok("run")
        assert world.mail.recipients == [["lead@example.com", "boss@example.com"]]

    def test_no_file_that_is_left_behind_holds_a_secret(self, world: World) -> None:
        world.ok("run")
        files = [path for path in world.cli.folder.rglob("*") if path.is_file()]
        assert len(files) >= 5
        for path in files:
            content = path.read_bytes()
            assert not [secret for secret in SECRETS.values() if secret.encode() in content], path.name

    def test_verbose_logs_no_secret_and_no_ticket(self, world: World) -> None:
        result = world.ok("--verbose", "run")
        assert "Please help." not in result.output
        assert "person-1@example.com" not in result.output


class TestModel:
    def test_a_model_that_is_down_leaves_the_tickets_and_the_report_goes_out(self, world: World) -> None:
        world.http.routes[f"{MODELS}/gemini-test:"] = [gemini_error(503, "UNAVAILABLE")]
        said = world.refused("run", exit_code=5)
        assert "6 of 42 tickets attributed, 36 failed" in said
        assert len(world.mail.received) == 1
        assert world.pending() == []
        failed = [row for row in world.rows() if row["unattributed_reason"]]
        assert len(failed) == 36
        assert {row["unattributed_reason"] for row in failed} == {"service_error"}
        assert {row["unattributed_detail"] for row in failed} == {"Gemini answered 503 UNAVAILABLE: no"}
        assert {row["request_type"] for row in failed} == {None}

    def test_a_ticket_that_is_blocked_is_blocked_alone(self, world: World) -> None:
        def blocks_laptop_1(request: Request) -> Response:
            blocked = any(ticket["short_description"] == "laptop 1" for ticket in asked_tickets(request))
            return gemini_text("", "SAFETY") if blocked else gemini(by_word)(request)

        world.http.routes[f"{MODELS}/gemini-test:"] = blocks_laptop_1
        assert "41 of 42 tickets attributed, 1 failed" in world.refused("run", exit_code=5)
        assert [row["unattributed_reason"] for row in world.rows()].count("blocked") == 1

    def test_nothing_that_fits_is_no_failure(self, world: World) -> None:
        world.http.routes[f"{MODELS}/gemini-test:"] = gemini(lambda ticket: {})
        assert "6 of 42 tickets attributed\n" in world.ok("run").stderr

    def test_an_output_folder_that_cannot_be_is_found_before_a_call_is_paid(self, world: World) -> None:
        (world.cli.folder / "file").write_text("")
        world.cli.settings["OUTPUT_DIR"] = "file/output"
        assert "cannot be written" in world.refused("run", exit_code=2)
        assert world.asked(MODELS) == []

    def test_a_refused_key_stops_before_the_report(self, world: World) -> None:
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
        world.http.routes[f"{MODELS}/gemini-test:"] = [gemini_error(400, "INVALID_ARGUMENT", details)]
        assert "LLM_API_KEY" in world.refused("run", exit_code=2)
        # The four batches are in flight together; none is tried again.
        assert len(world.asked(MODELS)) <= 4
        assert (world.cli.reports, world.mail.received) == ([], [])

    def test_an_unknown_model_stops_before_the_report_and_names_others(self, world: World) -> None:
        world.cli.settings["LLM_MODEL_NAME"] = "gemini-1.0-retired"
        models = {"models": [{"name": "models/gemini-test"}, {"name": "models/gemini-next"}]}
        world.http.routes[MODELS] = lambda request: (
            Response(body=models) if request.method == "GET" else gemini_error(404, "NOT_FOUND")
        )
        said = world.refused("run", exit_code=2)
        assert "Gemini does not have the model gemini-1.0-retired" in said
        assert "LLM_MODEL_NAME" in said
        assert "gemini-test, gemini-next" in said
        assert (world.cli.reports, world.mail.received) == ([], [])

    def test_a_redirect_takes_the_key_nowhere(self, world: World) -> None:
        elsewhere = {"Location": f"{world.http.url}/elsewhere"}
        world.http.routes[f"{MODELS}/gemini-test:"] = [Response(307, headers=elsewhere)]
        world.refused("run", exit_code=5)
        assert world.asked("/elsewhere") == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("LLM_MODEL_NAME", "../../etc"),
            ("LLM_MODEL_NAME", "gemini?alt=sse"),
            ("LLM_MODEL_NAME", "a&b"),
            ("GOOGLE_GEMINI_BASE_URL", "nonsense"),
            ("GOOGLE_GEMINI_BASE_URL", "http://[::1"),
            ("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:99999"),
            ("LLM_API_KEY", "päß"),
            ("LLM_BATCH_SIZE", "0"),
            ("LLM_TEMPERATURE", "nan"),
        ],
    )
    def test_a_setting_that_cannot_be_stops_before_the_report(self, world: World, name: str, value: str) -> None:
        world.cli.settings[name] = value
        assert name in world.refused("run", exit_code=2)
        assert (world.cli.reports, world.mail.received) == ([], [])

    def test_a_classifier_that_is_embedded_needs_no_key(self, world: World) -> None:
        del world.cli.settings["LLM_API_KEY"]
        world.ok("run", "--classifier", "offline")
        assert world.asked(MODELS) == []
        assert len(world.mail.received) == 1


class TestMail:
    def test_without_a_mail_server_nothing_is_fetched_and_no_model_is_paid(self, world: World) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            world.cli.settings["EMAIL_SMTP_PORT"] = str(listener.getsockname()[1])
        said = world.refused("run", exit_code=4)
        assert "EMAIL_SMTP_HOST" in said
        assert (world.http.requests, world.cli.reports) == ([], [])

    def test_without_tls_where_it_is_required_nothing_is_sent(self, world: World) -> None:
        del world.cli.settings["EMAIL_USE_TLS"]
        world.cli.settings |= {"EMAIL_USERNAME": "desk", "EMAIL_PASSWORD": PASSWORD}
        assert "EMAIL_USE_TLS" in world.refused("run", exit_code=2)
        assert (world.mail.received, world.mail.logins, world.http.requests) == ([], [], [])

    def test_a_login_over_tls_delivers_encrypted(self, world: World, server_tls: ssl.SSLContext) -> None:
        with smtp_server(tls=server_tls, auth=True) as mail:
            use_login(world, mail, PASSWORD)
            world.ok("run")
        assert (mail.encrypted, mail.logins) == ([True], ["desk", "desk"])

    @pytest.mark.parametrize("password", ["wrong-password-canary", "päßwort-canary"], ids=["wrong", "not ASCII"])
    def test_a_refused_login_is_a_setting(self, world: World, server_tls: ssl.SSLContext, password: str) -> None:
        with smtp_server(tls=server_tls, auth=True) as mail:
            use_login(world, mail, password)
            said = world.refused("run", exit_code=2)
        assert "EMAIL_PASSWORD" in said
        assert password not in said
        assert (mail.received, world.http.requests) == ([], [])

    def test_a_refused_sender_is_a_setting(self, world: World) -> None:
        world.mail.refuse["MAIL"] = "550 5.7.1 <desk@example.com> is not yours"
        said = world.refused("run", exit_code=2)
        assert "EMAIL_SENDER" in said
        assert "desk@example.com" not in said
        assert world.http.requests == []

    def test_a_refused_recipient_leaves_the_report_failed_until_it_is_taken(self, world: World) -> None:
        world.mail.refuse_recipients["lead@example.com"] = "550 5.1.1 <lead@example.com> unknown"
        said = world.refused("run", exit_code=5)
        assert "42 of 42 tickets attributed\n0 reports sent\n" in said
        assert "failed" in said
        assert "lead@example.com" not in said
        name = world.cli.reports[0].name
        assert world.pending() == [(name, "failed")]
        world.mail.refuse_recipients.clear()
        assert "1 report sent" in world.ok("send").stderr
        assert world.history() == ["failed", "sent"]

    def test_a_connection_that_drops_in_doubt_repeats_the_same_message(self, world: World) -> None:
        world.mail.drop_after_data = True
        world.refused("run", exit_code=5)
        assert world.pending() == [(world.cli.reports[0].name, "in_doubt")]
        assert "1 report sent" in world.ok("send").stderr
        first, repeat = world.mail.received
        assert (first["Message-ID"], first["Date"]) == (repeat["Message-ID"], repeat["Date"])
        assert world.pending() == []

    def test_a_report_too_large_does_not_stop_the_next_run(self, world: World) -> None:
        world.mail.refuse["DATA"] = "552 5.3.4 too large"
        world.refused("run", exit_code=5)
        world.refused("run", exit_code=5)
        assert [state for _, state in world.pending()] == ["failed", "failed"]
        world.mail.refuse.clear()
        assert "2 reports sent" in world.ok("send").stderr
        assert len(world.mail.received) == 1

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("EMAIL_SMTP_HOST", "mail..example.com"),
            ("EMAIL_SMTP_PORT", "smtp"),
            ("EMAIL_RECIPIENT", "nobody"),
            ("EMAIL_SENDER", "a@b@c"),
            ("EMAIL_USE_TLS", "perhaps"),
            ("CODEBASE_URL", ""),
            ("EMAIL_SUBJECT", "{overdu} overdue"),
            ("EMAIL_WHEN_EMPTY", "perhaps"),
            ("EMAIL_TICKET_TEXT", "perhaps"),
        ],
    )
    def test_a_setting_that_cannot_be_is_found_before_anything_is_fetched(
        self, world: World, name: str, value: str
    ) -> None:
        world.cli.settings[name] = value
        result = world("run")
        assert result.exit_code in (2, 4)
        assert name in result.stderr
        assert world.http.requests == []

    @pytest.mark.parametrize("subject", ["one\u2028two", "one\x85two"], ids=["separator", "NEL"])
    def test_a_subject_with_a_hidden_line_end_is_no_bug(self, world: World, subject: str) -> None:
        world.cli.settings["EMAIL_SUBJECT"] = subject
        result = world("run")
        assert result.exit_code in (0, 2)
        assert len(world.mail.received) == (1 if result.exit_code == 0 else 0)

    def test_a_placeholder_that_does_not_exist_is_answered_with_those_that_do(self, world: World) -> None:
        world.cli.settings["EMAIL_SUBJECT"] = "{overdu} overdue"
        said = world.refused("run", exit_code=2)
        assert (
            "EMAIL_SUBJECT has placeholders that do not exist: {overdu}; there are {tickets}, {attributed}, {ov" in said
        )

    def test_the_subject_states_the_figures_of_the_report(self, world: World) -> None:
        world.cli.settings["EMAIL_SUBJECT"] = "{tickets} tickets, {new} new, {failed} failed"
        world.ok("run")
        world.ok("run")
        assert [mail["Subject"] for mail in world.mail.received] == [
            "42 tickets, 42 new, 0 failed",
            "42 tickets, 0 new, 0 failed",
        ]

    def test_a_report_too_large_for_the_server_is_announced_with_its_path(self, world: World) -> None:
        world.cli.settings["EMAIL_MAX_SIZE"] = "25000"
        result = world.ok("run")
        (report,) = world.cli.reports
        (mail,) = world.mail.received
        assert list(mail.iter_attachments()) == []
        body = mail.get_body(("plain",))
        assert body
        assert f"output/{report.name}" in body.get_content()
        assert f"output/{report.name}: too large to attach" in result.stderr
        assert world.pending() == []

    def test_send_needs_neither_helpdesk_nor_key(self, world: World) -> None:
        world.mail.refuse["DATA"] = "552 5.3.4 too large"
        world.refused("run", exit_code=5)
        world.mail.refuse.clear()
        for name in (*SECRETS, "HELPDESK_API_URL", "SERVICE_CATALOG_URL"):
            del world.cli.settings[name]
        world.ok("send")
        assert len(world.mail.received) == 1


def test_while_the_database_of_several_hosts_is_away_nothing_is_asked_paid_or_sent(
    world: World, closed_port: int
) -> None:
    world.cli.settings["DATABASE_URL"] = f"postgresql://desk:pass-canary@127.0.0.1:{closed_port}/role"
    said = world.refused("run", exit_code=4)
    assert f"the database 127.0.0.1:{closed_port}/role cannot be used" in said
    assert "pass-canary" not in said
    assert world.mail.received == []
    assert world.http.requests == []


def use_login(world: World, mail: MailServer, password: str) -> None:
    world.cli.settings |= {
        "EMAIL_USE_TLS": "true",
        "EMAIL_SMTP_PORT": str(mail.port),
        "EMAIL_USERNAME": "desk",
        "EMAIL_PASSWORD": password,
    }
