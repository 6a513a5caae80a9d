"""Numbers and times of strangers, however absurd, are taken within bounds or not at all."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ticketattr.infrastructure.network.retries import LONGEST_PATIENCE, Patience

from ..conftest import CLI, DATA
from ..scripted_smtp import scripted_smtp
from ..servers import HTTPServer, Response

pytestmark = pytest.mark.usefixtures("no_backoff")

MEMORY = Path("/dev/shm")  # noqa: S108  # a file system that keeps every time
WAITS = [
    f"Fri, 20 Nov {'9' * 20} 10:00:00 GMT",
    f"Fri, {'9' * 20} Nov 2026 10:00:00 GMT",
    f"Fri, 20 Nov 2026 10:00:00 +{'9' * 20}",
    "Fri, 20 Nov 99999999 10:00:00 GMT",
    "Fri, 99 Nov 2026 10:00:00 GMT",
    "Fri, 20 Nov 2026 10:00:00 +99999999",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Fri, 01 Jan 0001 00:00:00 +2359",
    "20 Nov 2026 99:99:99 " + "9" * 5_000,
    "9" * 5_000,
    "1e308",
    "-1",
    "NaN",
]


@pytest.mark.parametrize("wait", WAITS, ids=range(len(WAITS)))
def test_an_absurd_retry_after_of_helpdesk_and_catalog_is_an_answer_like_any_other(
    cli: CLI, http: HTTPServer, wait: str
) -> None:
    http.routes["/"] = [Response(503, headers={"Retry-After": wait})]
    cli.settings |= {"HTTP_MAX_RETRIES": "1", "HELPDESK_API_KEY": "key", "HELPDESK_API_SECRET": "secret"}
    for setting in ("HELPDESK_API_URL", "SERVICE_CATALOG_URL"):
        cli.settings[setting] = http.url
        assert cli("fetch").exit_code == 4
        cli.settings[setting] = str(DATA / ("tickets.json" if "API" in setting else "catalog.yaml"))


@pytest.mark.parametrize("count", [int("9" * 400), -1, "9" * 400, 10**15])
def test_a_number_of_tokens_that_no_answer_can_have_counts_for_nothing(
    cli: CLI, http: HTTPServer, count: object
) -> None:
    body = {"candidates": [{"content": {"parts": [{"text": '{"items": []}'}]}, "finishReason": "STOP"}]}
    http.routes["/"] = [Response(body={**body, "usageMetadata": {"promptTokenCount": count}})]
    cli.settings |= {"CLASSIFIER": "gemini", "LLM_API_KEY": "key", "GOOGLE_GEMINI_BASE_URL": http.url}
    assert cli("run", "--dry-run").exit_code == 5


@pytest.mark.parametrize("size", ["9" * 5_000, "-1", "1e308", "\u0663", ""])
def test_an_absurd_size_of_a_mail_server_is_no_limit(cli: CLI, size: str) -> None:
    cli.settings |= {"EMAIL_TRANSPORT": "smtp", "EMAIL_SMTP_HOST": "127.0.0.1", "EMAIL_USE_TLS": "false"}
    with scripted_smtp(extensions=(f"SIZE {size}",)) as script:
        cli.settings["EMAIL_SMTP_PORT"] = str(script.port)
        assert cli("run").exit_code == 0
        assert len(script.received) == 1


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "LOGIN", "PLAIN"])
@pytest.mark.parametrize("challenge", ["a", "=", "\u00e9", "9" * 5_000, ""])
def test_a_challenge_that_is_none_is_a_failed_login(cli: CLI, mechanism: str, challenge: str) -> None:
    cli.settings |= {
        "EMAIL_TRANSPORT": "smtp",
        "EMAIL_SMTP_HOST": "127.0.0.1",
        "EMAIL_USE_TLS": "false",
        "EMAIL_USERNAME": "desk",
        "EMAIL_PASSWORD": "password-canary",
    }
    with scripted_smtp({"AUTH": [f"334 {challenge}"]}, extensions=(f"AUTH {mechanism}",)) as script:
        cli.settings["EMAIL_SMTP_PORT"] = str(script.port)
        result = cli("run")
    assert result.exit_code in (2, 4)
    assert "error: the mail server" in result.stderr


@pytest.mark.parametrize("value", ["1e308", "9" * 400, "36601"])
def test_an_sla_of_more_than_100_years_is_refused_with_its_line(cli: CLI, value: str) -> None:
    catalog = cli.folder / "catalog.yaml"
    text = (DATA / "catalog.yaml").read_text()
    catalog.write_text(re.sub(r"value: [0-9.]+, unit: [a-z]+", f"value: {value}, unit: days", text, count=1))
    cli.settings["SERVICE_CATALOG_URL"] = str(catalog)
    result = cli("run")
    assert result.exit_code == 3
    assert "more than 100 years" in result.stderr or "not a number" in result.stderr
    assert "line" in result.stderr


@pytest.mark.parametrize("seconds", [10**12, -(10**11), 253_402_300_800])
def test_a_workbook_from_beyond_the_calendar_is_a_report_like_any_other(cli: CLI, seconds: int) -> None:
    with TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as folder:
        cli.settings |= {"OUTPUT_DIR": folder, "REPORT_LOG_DB_PATH": f"{folder}/reports.db"}
        cli.ok("run")
        (report,) = Path(folder).glob("*.xlsx")
        os.utime(report, (seconds, seconds))
        for command in (("pending", "list"), ("check",), ("send",), ("run",), ("pending", "list", "--all")):
            assert cli(*command).exit_code == 0, command
    assert len(cli.mails) == 2, "the report of the first run, and that of the second one"


WRONG_ROWS = {
    "time": "UPDATE messages SET changed = 'yesterday'",
    "time without zone": "UPDATE messages SET date = '2026-11-20T10:00:00'",
    "recipients": "UPDATE messages SET recipients = '{'",
    "recipients that are no texts": "UPDATE messages SET recipients = '[1]'",
    "number": "UPDATE messages SET attempts = 'often'",
    "bytes": "UPDATE messages SET sender = x'ff'",
    "no UTF-8": "UPDATE messages SET subject = CAST(x'ff' AS TEXT)",
    "report": "UPDATE message_reports SET modified = 1",
    "no reports": "DELETE FROM message_reports",
    "reply": "UPDATE message_recipients SET reply = x'00'",
    "frame": "UPDATE message_frames SET frame = 'x'",
}


@pytest.mark.parametrize("change", WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_a_row_that_no_version_wrote_is_named(cli: CLI, change: str) -> None:
    cli.ok("run")
    path = next(path for path in cli.folder.rglob("*.db") if b"CREATE TABLE messages" in path.read_bytes())
    with closing(sqlite3.connect(path)) as log, log:
        log.execute(change)
    results = [cli(*command) for command in (("run",), ("send",), ("pending", "list"))]
    if "message_frames" in change:  # read only where a message is sent again
        return
    for result in results:
        assert result.exit_code == 3
        assert "message <" in result.stderr or "UTF-8" in result.stderr


def test_all_waits_of_a_stage_are_within_one_bound() -> None:
    patience = Patience(100.0)
    assert patience.allows(60.0)
    assert patience.allows(60.0)  # at the same time
    assert not patience.allows(1_000.0)
    assert patience.left == pytest.approx(40.0, abs=1.0)
    assert LONGEST_PATIENCE == 3600


def test_a_helpdesk_that_asks_to_wait_for_ever_is_given_up(
    cli: CLI, http: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    http.routes["/"] = [Response(body=[], headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60"})]
    cli.settings |= {"HELPDESK_API_URL": http.url, "HELPDESK_PROFILE": "zammad", "HELPDESK_API_KEY": "a-key-of-it"}
    monkeypatch.setattr(Patience, "allows", lambda self, seconds: False)
    result = cli("fetch")
    assert result.exit_code == 4
    assert "asks for more" in result.stderr
