"""What must not be told is not told: a word in every field of a ticket, every address and every secret.

The servers here repeat whatever they were sent, in every place where a careless program would quote it.
"""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from ..conftest import CLI, DATA
from ..scripted_smtp import HANG_UP, Script, scripted_smtp
from ..servers import HTTPServer, Request, Response, asked_tickets, gemini_error, gemini_text

pytestmark = pytest.mark.usefixtures("no_backoff")

CANARY = "canary"
TICKET = {
    "id": "T-1",
    "short_description": "short-canary \u001b[31m",
    "long_description": "long-canary",
    "requester_email": "requester-canary@example.com",
    "created_at": "created-canary",
    "request_category": "category-canary",
    "request_type": "type-canary",
    "sla": {"value": "sla-canary", "unit": "unit-canary"},
    "unknown-canary": {"deep": "extra-canary"},
}
SECRETS = {
    "HELPDESK_API_KEY": "helpdesk-key-canary",
    "HELPDESK_API_SECRET": "helpdesk-secret-canary",
    "LLM_API_KEY": "model-key-canary",
    "EMAIL_USERNAME": "username-canary",
    "EMAIL_PASSWORD": "password-canary",
    "EMAIL_SENDER": "sender-canary@example.com",
    "EMAIL_RECIPIENT": "lead-canary@example.com,second-canary@example.com",
    "EMAIL_CC": "cc-canary@example.com",
    "EMAIL_REPLY_TO": "reply-canary@example.com",
}


def echo(status: int) -> Callable[[Request], Response]:
    return lambda request: Response(status, request.body + json.dumps([TICKET, request.headers]).encode())


def queue(request: Request) -> Response:
    return Response(body=[TICKET, {**TICKET, "id": "T-2", "short_description": "other-canary"}])


def answers(request: Request) -> Response:
    chosen = {"request_category": "Access", "request_type": "Password Reset", "confidence": 0.9, "evidence": CANARY}
    return gemini_text(json.dumps({"items": [{"id": ticket["id"], **chosen} for ticket in asked_tickets(request)]}))


def model_says(text: str) -> Callable[[Request], Response]:
    return lambda request: gemini_text(text)


def model_refuses(code: int, status: str) -> Callable[[Request], Response]:
    return lambda request: gemini_error(
        code, status, [{"reason": "x", "message": request.body.decode(), "key": CANARY}]
    )


def spellings(secret: str) -> str:
    """The secret as services repeat it."""
    encoded = b64encode(f"\0username-canary\0{secret}".encode()).decode()
    return " ".join(
        (
            *(secret, quote(secret), "".join(f"%{byte:02x}" for byte in secret.encode()), f"AUTH PLAIN {encoded}"),
            *(b64encode(secret.encode()).decode(), encoded.rstrip("="), f"{secret[:9]}\r\n {secret[9:]}"),
            "lead-canary@example.com lead-canary%40example.com lead-canary (at) example.com",
        )
    )


TOLD = " ".join(map(spellings, ("helpdesk-secret-canary", "model-key-canary", "password-canary")))
# Text of a ticket and secrets in clear, and "canary" at each place of base64.
MARKS = (CANARY, "%63", "Y2FuYXJ5", "NhbmFye", "jYW5hcn")


def gemini_repeats(code: int, status: str = TOLD) -> Callable[[Request], Response]:
    return lambda request: Response(code, {"error": {"code": code, "status": status, "message": TOLD, "details": []}})


def unknown_model(request: Request) -> Response:
    if request.method == "GET":
        return Response(body={"models": [{"name": f"models/{TOLD}"}]})
    return gemini_error(404, "NOT_FOUND")


ECHO = "5.1.1 <lead-canary@example.com> second-canary@example.com cc-canary@example.com"
STRANGE = [{"id": n, "request_category": CANARY, "request_type": CANARY, "confidence": CANARY} for n in (1, 2)]
AT_HELPDESK = {"/helpdesk": queue, "/v1beta": answers}


@pytest.fixture
def world(cli: CLI, http: HTTPServer) -> HTTPServer:
    http.routes |= {
        **AT_HELPDESK,
        "/alerts": lambda request: Response(200),
        "/metrics": lambda request: Response(200),
    }
    cli.settings |= {
        **SECRETS,
        "HELPDESK_API_URL": f"{http.url.replace('//', '//url-canary:urlpass-canary@')}/helpdesk?token=query-canary",
        "CLASSIFIER": "gemini",
        "GOOGLE_GEMINI_BASE_URL": http.url,
        "LLM_MAX_RETRIES": "1",
        "HTTP_MAX_RETRIES": "1",
        "EMAIL_TRANSPORT": "smtp",
        "EMAIL_SMTP_HOST": "127.0.0.1",
        "EMAIL_USE_TLS": "false",
        "EMAIL_MAX_RETRIES": "1",
        "EMAIL_TIMEOUT": "5",
        "LOG_LEVEL": "debug",
        "LOG_FILE": "logs/run.log",
        "METRICS_TEXTFILE": "metrics/ticketattr.prom",
        "METRICS_PUSH_URL": http.url.replace("//", "//push-canary:pushpass-canary@"),
        "ALERT_URLS": f"{http.url.replace('http://', 'json://alert-canary:alertpass-canary@')}/alerts/token-canary",
    }
    return http


@contextmanager
def mail_server(replies: dict[str, list[str]] | None = None) -> Iterator[Script]:
    with scripted_smtp({"AUTH": ["235 2.7.0 ok"], **(replies or {})}, extensions=("AUTH PLAIN",)) as script:
        yield script


def run(cli: CLI, world: HTTPServer, script: Script, exit_code: int) -> str:
    """Everything that was told of a run: stderr, log, figures on disk and pushed, memory, alerts."""
    cli.settings["EMAIL_SMTP_PORT"] = str(script.port)
    result = cli("--verbose", "run")
    assert result.exit_code == exit_code, result.stderr
    files = ("logs/run.log", "metrics/ticketattr.prom", "work/run-history.json")
    told = [result.stderr, result.stdout, *((cli.folder / name).read_text() for name in files)]
    told += [request.body.decode() for request in world.requests if request.path.startswith(("/alerts", "/metrics"))]
    return "\n".join(told)


def alerted(world: HTTPServer) -> bool:
    return any(request.path.startswith("/alerts") for request in world.requests)


CASES: list[tuple[dict[str, Callable[[Request], Response]], dict[str, list[str]], int]] = [
    ({}, {}, 0),
    ({"/helpdesk": echo(500)}, {}, 4),
    ({"/helpdesk": echo(401)}, {}, 2),
    ({"/helpdesk": echo(404)}, {}, 2),
    ({"/helpdesk": echo(200)}, {}, 3),
    ({"/helpdesk": lambda request: Response(body=["short-canary"])}, {}, 3),
    ({"/helpdesk": lambda request: Response(body=[TICKET, {"long-canary": 1}])}, {}, 0),
    ({"/helpdesk": lambda request: Response(body={"data": "short-canary"})}, {}, 3),
    ({"/helpdesk": lambda request: Response(302, headers={"Location": "http://x/?token=query-canary"})}, {}, 2),
    ({"/helpdesk": lambda request: Response(hang_up=True)}, {}, 4),
    ({"/v1beta": model_refuses(500, "INTERNAL")}, {}, 5),
    ({"/v1beta": model_refuses(429, "RESOURCE_EXHAUSTED")}, {}, 5),
    ({"/v1beta": model_refuses(400, "INVALID_ARGUMENT")}, {}, 5),
    ({"/v1beta": model_refuses(403, "PERMISSION_DENIED")}, {}, 2),
    ({"/v1beta": model_refuses(404, "NOT_FOUND")}, {}, 2),
    ({"/v1beta": model_says("long-canary is no JSON")}, {}, 5),
    ({"/v1beta": model_says(json.dumps({"items": [{"id": "short-canary"}, *STRANGE]}))}, {}, 5),
    ({"/v1beta": echo(200)}, {}, 5),
    ({"/helpdesk": lambda request: Response(401, {"error": TOLD})}, {}, 2),
    ({"/helpdesk": lambda request: Response(503, TOLD.encode())}, {}, 4),
    ({"/helpdesk": lambda request: Response(400, f"<title>{TOLD}</title>".encode())}, {}, 2),
    ({"/helpdesk": lambda request: Response(body={"response_code": 403, "message": TOLD})}, {}, 2),
    ({"/helpdesk": lambda request: Response(302, headers={"Location": "http://x/helpdesk-key-canary"})}, {}, 2),
    ({"/v1beta": gemini_repeats(400)}, {}, 5),
    ({"/v1beta": gemini_repeats(403)}, {}, 2),
    ({"/v1beta": gemini_repeats(500)}, {}, 5),
    ({"/v1beta": gemini_repeats(400, "FAILED_PRECONDITION")}, {}, 2),
    ({"/v1beta": lambda request: gemini_text("{}", TOLD)}, {}, 5),
    ({"/v1beta": unknown_model}, {}, 2),
    ({"/v1beta": lambda request: gemini_error(400, "X", message=request.body.decode())}, {}, 5),
    ({}, {"AUTH": [f"535 {TOLD}"]}, 2),
    ({}, {"END": [f"550 {TOLD}"]}, 5),
    ({}, {"GREETING": [f"554 {ECHO}"]}, 4),
    ({}, {"AUTH": [f"535 {ECHO}"]}, 2),
    ({}, {"MAIL": [f"550 {ECHO} sender-canary@example.com"]}, 2),
    ({}, {"RCPT": [f"550 {ECHO}"]}, 5),
    ({}, {"RCPT lead-canary@example.com": [f"450 {ECHO}"]}, 5),
    ({}, {"DATA": [f"554 {ECHO}"]}, 5),
    ({}, {"END": [f"552 {ECHO}"]}, 5),
    ({}, {"END": [HANG_UP]}, 5),
]  # fmt: skip
"""What helpdesk, model and mail server answer instead, and the exit code of the run."""


@pytest.mark.parametrize(
    ("format", "case"),
    [
        pytest.param(log, case, marks=() if (place + case) % 2 == 0 else pytest.mark.thorough)
        for place, log in enumerate(("text", "json"))
        for case in range(len(CASES))
    ],
)
def test_no_output_of_a_run_contains_ticket_text_addresses_or_secrets(
    cli: CLI, world: HTTPServer, format: str, case: int
) -> None:
    routes, replies, exit_code = CASES[case]
    world.routes |= routes
    cli.settings["LOG_FORMAT"] = format
    with mail_server(replies) as script:
        told = run(cli, world, script, exit_code)
    leaks = [line for line in told.splitlines() if any(mark in line for mark in MARKS)]
    assert not leaks
    assert alerted(world) is (exit_code != 0)


def test_a_canary_would_be_found(cli: CLI, world: HTTPServer) -> None:
    """The words do reach the workbook, the mail and the model: they are in play, and still untold."""
    with mail_server() as script:
        run(cli, world, script, 0)
        (mail,) = script.received
    assert CANARY in str(mail.recipients)
    assert any(b"short-canary" in request.body for request in world.requests)
    assert any(CANARY in path.read_text() for path in (cli.folder / "work").glob("*/tickets.json"))


def test_errors_about_a_wrong_helpdesk_file_or_catalog_do_not_quote_it(cli: CLI, world: HTTPServer) -> None:
    (cli.folder / "tickets.json").write_text('{"short-canary": ')
    (cli.folder / "catalog.yaml").write_text((DATA / "catalog.yaml").read_text())
    cli.settings |= {"HELPDESK_API_URL": "tickets.json", "SERVICE_CATALOG_URL": "catalog.yaml"}
    with mail_server() as script:
        assert CANARY not in run(cli, world, script, 3)


def test_secrets_that_are_wrong_are_not_shown(cli: CLI, world: HTTPServer) -> None:
    for name in SECRETS:
        cli.settings[name] = f"{SECRETS[name]}\x01é \x7f"
    cli.settings |= {"ALERT_URLS": "token-canary", "METRICS_PUSH_URL": "pushpass-canary"}
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        cli.settings["EMAIL_SMTP_PORT"] = str(nobody.getsockname()[1])
        result = cli("run")
    assert result.exit_code == 2
    assert all(name in result.stderr for name in ("HELPDESK_API_KEY", "LLM_API_KEY", "ALERT_URLS", "METRICS_PUSH_URL"))
    log: Path = cli.folder / "logs/run.log"
    assert CANARY not in result.output + log.read_text() + (cli.folder / "metrics/ticketattr.prom").read_text()
