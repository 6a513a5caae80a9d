"""What a service says about a refusal is passed on, and says which way of signing in was tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ..conftest import CLI, DATA
from ..scripted_smtp import scripted_smtp
from ..servers import HTTPServer, Response, gemini_error

pytestmark = pytest.mark.usefixtures("no_backoff")

KEYS = {"HELPDESK_API_KEY": "the-key-of-the-desk", "HELPDESK_API_SECRET": "the-secret-of-the-desk"}
PROFILE = """
name: Desk
verified: documentation
{sign_in}
tickets:
  request: {{path: /tickets}}
  items: "@"
  fields: {{id: id, short_description: title}}
"""
SIGN_INS = {
    "auth: {user: '${key}', password: '${secret}'}": "signed in with basic authentication",
    "headers: {Authorization: 'Bearer ${key}'}": "signed in with a bearer token",
    "headers: {Authorization: 'Token token=${key}'}": "signed in with the header Authorization Token",
    "headers: {X-Api-Key: '${key}', X-Api-Secret: '${secret}'}": "the header X-Api-Key and the header X-Api-Secret",
    "session: {request: {path: /login, method: POST, json: {user: '${key}', password: '${secret}'}}, "
    "keep: {token: token}}": "signed in with a session (sign-in at /login) and user in the body and password",
}


def helpdesk(cli: CLI, http: HTTPServer, response: Response) -> str:
    http.routes["/"] = [response]
    cli.settings |= {"HELPDESK_API_URL": http.url, "HTTP_MAX_RETRIES": "0", **KEYS}
    return cli("fetch").stderr


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "Your plan has no API"}, "Your plan has no API"),
        ({"error": {"message": "Not allowed", "detail": "Ask the admin"}}, "Not allowed; Ask the admin"),
        ({"errorMessages": ["The JQL is wrong"], "errors": {}}, "The JQL is wrong"),
        ({"description": "Validation failed", "errors": [{"message": "bad page"}]}, "Validation failed; bad page"),
        (["ERROR_APP_TOKEN", "The app token is missing"], "ERROR_APP_TOKEN; The app token is missing"),
        (b"<html><head><title>Down for \x1b[31mmaintenance</title></head><body>x</body></html>", "Down for ␛[31mmaint"),
        (b"<body>Please <b>log in</b></body>", "Please log in"),
        (b"no such tenant", "no such tenant"),
        ({"message": "x" * 5_000}, "xxx … [cut]"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 403, 503])
def test_the_words_of_a_refusal_are_passed_on(cli: CLI, http: HTTPServer, status: int, body: Any, words: str) -> None:
    assert words in helpdesk(cli, http, Response(status, body))


def test_a_body_that_never_ends_and_a_compressed_one_are_not_waited_for(cli: CLI, http: HTTPServer) -> None:
    assert "answered 404" in helpdesk(cli, http, Response(404, b"x" * 10_000_000))
    assert "answered 404" in helpdesk(cli, http, Response(404, b"\x1f\x8b", {"Content-Encoding": "gzip"}))


def test_401_of_the_webhook_says_how_it_was_signed_in(cli: CLI, http: HTTPServer) -> None:
    told = helpdesk(cli, http, Response(401))
    assert "answered 401 Unauthorized (signed in with api_key and api_secret in the body)" in told


@pytest.mark.parametrize(("sign_in", "told"), SIGN_INS.items())
def test_401_of_a_profile_says_how_it_was_signed_in(
    cli: CLI, http: HTTPServer, tmp_path: Path, sign_in: str, told: str
) -> None:
    (tmp_path / "desk.yaml").write_text(PROFILE.format(sign_in=sign_in))
    cli.settings["HELPDESK_PROFILE"] = "./desk.yaml"
    assert told in helpdesk(cli, http, Response(401, {"message": "no"}))


@pytest.mark.parametrize(
    ("user", "told"),
    [("", "nothing was sent to sign in with"), ("ann:pa55word-of-ann@", "the user in SERVICE_CATALOG_URL")],
)
def test_401_of_the_catalog_says_how_it_was_signed_in(cli: CLI, http: HTTPServer, user: str, told: str) -> None:
    http.routes["/"] = [Response(401, b"wrong: ann:pa55word-of-ann")]
    cli.settings |= {"SERVICE_CATALOG_URL": http.url.replace("//", f"//{user}"), "HTTP_MAX_RETRIES": "0"}
    result = cli("fetch")
    assert result.exit_code == 2
    assert told in result.stderr
    assert "wrong: ann:" in result.stderr
    assert ("pa55word" in result.stderr) is (not user)


def test_a_refused_login_says_which_mechanisms_were_tried(cli: CLI) -> None:
    cli.settings |= {
        "EMAIL_TRANSPORT": "smtp",
        "EMAIL_SMTP_HOST": "127.0.0.1",
        "EMAIL_USE_TLS": "false",
        "EMAIL_USERNAME": "desk-login",
        "EMAIL_PASSWORD": "hunter2",
        "CLASSIFIER": "offline",
    }
    replies = {"AUTH": ["535 5.7.8 got AUTH PLAIN AGRlc2stbG9naW4AaHVudGVyMg== from desk-login: hunter2"]}
    with scripted_smtp(replies, extensions=("AUTH PLAIN LOGIN",)) as script:
        cli.settings["EMAIL_SMTP_PORT"] = str(script.port)
        result = cli("run")
    assert result.exit_code == 2
    assert "535 5.7.8 got AUTH PLAIN <secret> from <address>: <secret> (tried: AUTH PLAIN, LOGIN)" in result.stderr


SETTINGS_OF_GEMINI = [
    (400, "FAILED_PRECONDITION", [], "User location is not supported", "billing"),
    (403, "PERMISSION_DENIED", [{"reason": "SERVICE_DISABLED", "metadata": {"service": "gen.googleapis.com"}}],
     "has not been used in project 12", "Enable the service gen.googleapis.com"),
    (403, "PERMISSION_DENIED", [{"reason": "BILLING_DISABLED"}], "Billing is off", "Enable billing"),
    (403, "PERMISSION_DENIED", [{"reason": "API_KEY_IP_ADDRESS_BLOCKED"}], "IP", "restrictions of LLM_API_KEY"),
    (403, "PERMISSION_DENIED", [], "No access", "Check LLM_API_KEY"),
    (400, "INVALID_ARGUMENT", [{"reason": "API_KEY_INVALID"}], "API key not valid", "Check LLM_API_KEY"),
]  # fmt: skip


def gemini(cli: CLI, http: HTTPServer) -> None:
    cli.settings |= {"CLASSIFIER": "gemini", "LLM_API_KEY": "the-key-of-the-model", "GOOGLE_GEMINI_BASE_URL": http.url}


@pytest.mark.parametrize(("code", "status", "details", "words", "hint"), SETTINGS_OF_GEMINI)
def test_a_refusal_of_gemini_that_is_a_setting_stops_the_run_before_a_report(
    cli: CLI, http: HTTPServer, code: int, status: str, details: list[Any], words: str, hint: str
) -> None:
    http.routes["/"] = [gemini_error(code, status, details, words)]
    gemini(cli, http)
    result = cli("run")
    assert (result.exit_code, cli.reports, cli.mails) == (2, [], [])
    assert words in result.stderr
    assert hint in result.stderr


ENVIRONMENTS = {
    "SOCKS": ({"ALL_PROXY": "socks5://ann:pa55word@127.0.0.1:9"}, "PROXY"),
    "no proxy": ({"HTTPS_PROXY": "gopher://ann:pa55word@127.0.0.1:9"}, "PROXY"),
    "no URL": ({"HTTPS_PROXY": "http://ann:pa55word@[::1"}, "PROXY"),
    "certificates": ({"SSL_CERT_FILE": "missing.pem"}, "SSL_CERT_FILE"),
    "keys": ({"SSLKEYLOGFILE": "missing/keys"}, "SSLKEYLOGFILE"),
}


@pytest.mark.parametrize(("environment", "named"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_an_environment_that_no_client_can_use_is_a_setting(
    cli: CLI, http: HTTPServer, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], named: str
) -> None:
    gemini(cli, http)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = cli("run")
    assert (result.exit_code, cli.mails) == (2, [])
    assert named in result.stderr
    assert "pa55word" not in result.stderr


def test_the_traceback_of_a_bug_holds_no_secret(cli: CLI) -> None:
    cli.settings |= {"HELPDESK_API_URL": str(DATA / "tickets.json"), "HTTPS_PROXY": "http://ann:pa55word-of-ann@h:1"}
    code = (
        "import os, sys; from ticketattr.entrypoint import cli, wiring\n"
        "def fail(*args, **options): raise RuntimeError(os.environ['HTTPS_PROXY'])\n"
        "wiring.pipeline = fail\n"
        "sys.argv = ['ticketattr', 'run']; cli.main()"
    )
    result = cli.python("-c", code)
    assert result.returncode == 1
    assert "RuntimeError: http://ann:<secret>@h:1" in result.stderr
    assert "pa55word" not in result.stderr


def test_a_sign_that_there_are_more_holds_no_secret(cli: CLI, http: HTTPServer) -> None:
    key = KEYS["HELPDESK_API_KEY"]
    body = {"data": [{"id": 1, "subject": "x"}], "next": f"https://x.example/?k={key}&p=2", "more": True}
    told = helpdesk(cli, http, Response(body=body))
    assert "says that there are more (next: https://x.example/?k=<secret>" in told
    told = helpdesk(cli, http, Response(body=[{key: 1, "b": 2}]))
    assert "the fields that came are <secret>, b" in told
