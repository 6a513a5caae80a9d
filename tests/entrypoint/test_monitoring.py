"""Every way in which `run` and `send` end is recorded, published as metrics and reported as an alert."""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import get_args

import pytest
import typer
from typer.testing import CliRunner

from ticketattr.application.run_progress import RunProgress
from ticketattr.domain.run_history import Command
from ticketattr.entrypoint.invocation import MONITORED, Invocation
from ticketattr.entrypoint.monitoring import MonitoredCommand
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog
from ticketattr.infrastructure.extras import install_hint

from ..conftest import CLI
from ..fakes import MIDNIGHT
from ..infrastructure.monitoring.test_metrics import samples
from ..scripted_smtp import HANG_UP, scripted_smtp
from ..servers import HTTPServer, Request, Response
from .test_mail_servers import connect, put_report

pytestmark = pytest.mark.usefixtures("no_backoff")


@pytest.fixture
def operator(cli: CLI, http: HTTPServer) -> HTTPServer:
    """The service that receives the alerts, on loopback."""
    http.routes["/alerts"] = [Response(200)]
    cli.settings |= {
        "ALERT_URLS": f"{http.url.replace('http', 'json')}/alerts",
        "METRICS_TEXTFILE": "metrics/ticketattr.prom",
    }
    return http


def alerts(operator: HTTPServer) -> list[str]:
    """The titles of the alerts that were sent, without the name of the host."""
    titles = [request.json["title"] for request in operator.requests if request.path.startswith("/alerts")]
    assert all(title.startswith(f"ticketattr on {socket.gethostname()}: ") for title in titles)
    return [title.partition(": ")[2] for title in titles]


def last_text(operator: HTTPServer) -> str:
    text = [request.json["message"] for request in operator.requests if request.path.startswith("/alerts")][-1]
    assert isinstance(text, str)
    return text


def metrics(cli: CLI) -> dict[tuple[str, str], float]:
    return samples((cli.folder / "metrics/ticketattr.prom").read_text())


def remove_catalog(cli: CLI) -> str:
    was, cli.settings["SERVICE_CATALOG_URL"] = cli.settings["SERVICE_CATALOG_URL"], "nowhere.yaml"
    return was


def test_a_successful_run_publishes_metrics_and_sends_no_alert(cli: CLI, operator: HTTPServer) -> None:
    began = datetime.now(timezone.utc).timestamp()
    cli.ok("run")
    found = metrics(cli)
    assert alerts(operator) == []
    assert found["last_run_exit_code", ""] == 0
    assert found["last_success_timestamp_seconds", ""] == pytest.approx(began, abs=60)
    assert (found["last_run_tickets", "offline"], found["last_run_tickets", "kept"]) == (4, 1)
    assert found["last_run_tickets_by_sla", "4 hours"] == 1
    assert {stage for name, stage in found if name == "last_run_duration_seconds"} == {
        "send",
        "fetch",
        "classify",
        "report",
    }
    assert (found["reports_delivered_total", ""], found["recipients_delivered_total", ""]) == (1, 1)
    assert (found["reports_pending", ""], found["oldest_pending_timestamp_seconds", ""]) == (0, 0)


def test_a_failure_is_reported_once_and_so_is_its_end(cli: CLI, operator: HTTPServer) -> None:
    cli.ok("run")
    success = metrics(cli)["last_success_timestamp_seconds", ""]
    catalog = remove_catalog(cli)
    for _ in range(3):
        assert cli("run").exit_code == 3
    assert alerts(operator) == ["run failed (exit 3)"]
    assert "nowhere.yaml" in last_text(operator)
    assert "tickets: " not in last_text(operator), "no ticket was fetched"
    found = metrics(cli)
    assert found["last_success_timestamp_seconds", ""] == success
    assert (found["last_run_exit_code", ""], found["runs_total", "failed"]) == (3, 3)
    cli.settings["SERVICE_CATALOG_URL"] = catalog
    cli.ok("run")
    cli.ok("run")
    assert alerts(operator) == ["run failed (exit 3)", "run works again"]
    assert metrics(cli)["last_success_timestamp_seconds", ""] > success


def test_missing_settings_are_reported(cli: CLI, operator: HTTPServer) -> None:
    cli.settings["CODEBASE_URL"] = ""
    assert cli("run").exit_code == 2
    assert alerts(operator) == ["run failed (exit 2)"]
    assert "CODEBASE_URL" in last_text(operator)


def test_an_unreachable_mail_server_is_reported_with_the_pending_reports(cli: CLI, operator: HTTPServer) -> None:
    put_report(cli, age=3600)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    cli.settings |= {
        "EMAIL_TRANSPORT": "smtp",
        "EMAIL_SMTP_HOST": "127.0.0.1",
        "EMAIL_SMTP_PORT": str(port),
        "EMAIL_USE_TLS": "false",
        "EMAIL_MAX_RETRIES": "0",
    }
    assert cli("run").exit_code == 4
    assert cli("send").exit_code == 4
    assert alerts(operator) == ["run failed (exit 4)"], "`send` fails for the same reason"
    assert "reports: 0 sent, 1 pending, 0 in doubt" in last_text(operator)
    found = metrics(cli)
    assert found["reports_pending", ""] == 1
    now = datetime.now(timezone.utc).timestamp()
    assert found["oldest_pending_timestamp_seconds", ""] == pytest.approx(now - 3600, abs=60)


def test_a_report_in_doubt_is_reported_and_counted(cli: CLI, operator: HTTPServer) -> None:
    with scripted_smtp({"END": [HANG_UP]}) as script:
        connect(cli, script)
        assert cli("run").exit_code == 5
    assert alerts(operator) == ["reports may or may not have arrived (exit 5)"]
    found = metrics(cli)
    assert (found["reports_in_doubt", ""], found["reports_pending", ""]) == (1, 1)
    assert found["runs_total", "partial"] == 1


def test_failed_tickets_are_reported_with_their_number_and_the_cost(cli: CLI, operator: HTTPServer) -> None:
    operator.routes["/v1beta/models/"] = [Response(500)]
    cli.settings |= {
        "CLASSIFIER": "gemini",
        "LLM_API_KEY": "key",
        "GOOGLE_GEMINI_BASE_URL": operator.url,
        "LLM_MAX_RETRIES": "1",
    }
    assert cli("run").exit_code == 5
    assert alerts(operator) == ["run was done in part (exit 5)"]
    assert last_text(operator).splitlines()[2:] == [
        "tickets: 1 attributed, 4 failed",
        "reports: 1 sent, 0 pending, 0 in doubt",
        "cost 0.0000 USD",
    ]
    found = metrics(cli)
    assert found["tickets_total", "failed"] == 4
    # A model that is down is not asked again about each batch.
    assert 0 < found["llm_retries_total", ""] < found["llm_calls_total", ""] / 2


def test_the_cost_of_a_failed_run_is_counted(cli: CLI, operator: HTTPServer) -> None:
    """The first call is answered; at the second, the key is refused."""
    answers = iter([Response(200, {"candidates": [], "usageMetadata": {"promptTokenCount": 7}})])
    refused = Response(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}})
    operator.routes["/v1beta/models/"] = lambda request: next(answers, refused)
    cli.settings |= {
        "CLASSIFIER": "gemini",
        "LLM_API_KEY": "key",
        "GOOGLE_GEMINI_BASE_URL": operator.url,
        "LLM_BATCH_SIZE": "2",
        "LLM_MAX_CONCURRENCY": "1",
    }
    assert cli("run").exit_code == 2
    found = metrics(cli)
    assert (found["llm_tokens_total", "in"], found["llm_calls_total", ""]) == (7, 2)
    assert alerts(operator) == ["run failed (exit 2)"]


@pytest.mark.parametrize(
    ("number", "exit_code", "titles"),
    [(signal.SIGINT, 130, []), (signal.SIGTERM, 143, ["run failed (exit 143)"])],
    ids=["SIGINT", "SIGTERM"],
)
@pytest.mark.usefixtures("ctrl_c")
def test_a_stopped_run_is_recorded_and_reported_unless_the_user_pressed_ctrl_c(
    cli: CLI, operator: HTTPServer, number: signal.Signals, exit_code: int, titles: list[str]
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def answer(request: Request) -> Response:
        asked.set()
        go_on.wait(20)
        return Response(500)

    operator.routes["/catalog"] = answer
    cli.settings["SERVICE_CATALOG_URL"] = f"{operator.url}/catalog"
    run = cli.start("--quiet", "run")
    assert asked.wait(20)
    run.send_signal(number)
    try:
        assert run.wait(20) == exit_code
    finally:
        go_on.set()
    assert alerts(operator) == titles
    found = metrics(cli)
    assert (found["last_run_exit_code", ""], found["runs_total", "failed"]) == (exit_code, 1)


def test_a_bug_is_reported_with_its_place_and_without_its_message(cli: CLI, operator: HTTPServer) -> None:
    app = typer.Typer()

    @app.callback()
    def invocation(context: typer.Context) -> None:
        context.obj = Invocation(lambda: MIDNIGHT, RunProgress(lambda: 0.0))

    @app.command("run", cls=MonitoredCommand)
    def broken(context: typer.Context, dry_run: bool = False) -> None:
        with context.obj.reading("run"):
            pass
        raise KeyError("text of a ticket")

    result = CliRunner().invoke(app, ["run"], env=cli.settings)
    assert isinstance(result.exception, KeyError)
    assert alerts(operator) == ["run failed (exit 1)"]
    assert "a bug: KeyError at test_monitoring.py:" in last_text(operator)
    assert (
        "text of a ticket"
        not in last_text(operator) + (cli.folder / "work/run-history.json").read_text() + result.stderr
    )
    assert metrics(cli)["last_run_exit_code", ""] == 1


@pytest.mark.parametrize("command", ["run", "send"])
def test_a_dry_run_is_not_recorded(cli: CLI, operator: HTTPServer, command: str) -> None:
    remove_catalog(cli)
    cli.settings["CODEBASE_URL"] = ""
    assert cli(command, "--dry-run").exit_code != 0
    assert not (cli.folder / "metrics").exists()
    assert not (cli.folder / "work/run-history.json").exists()
    assert alerts(operator) == []


def test_a_wrong_command_line_is_not_recorded(cli: CLI, operator: HTTPServer) -> None:
    assert cli("run", "--nonsense").exit_code == 2
    assert cli("run", "--help").exit_code == 0
    assert not (cli.folder / "work").exists()
    assert alerts(operator) == []


def test_an_overlap_changes_no_metric_and_the_third_in_a_row_is_reported(cli: CLI, operator: HTTPServer) -> None:
    cli.ok("run")
    before = (cli.folder / "metrics/ticketattr.prom").read_bytes()
    with SQLiteReportLog(cli.folder / "output/reports.db").acquire_sender_lock(MIDNIGHT):
        for command in ("run", "send", "run", "run"):
            assert cli(command).exit_code == 4
    assert (cli.folder / "metrics/ticketattr.prom").read_bytes() == before
    assert alerts(operator) == ["3 runs in a row found another run in progress"]
    assert "another ticketattr is at work" in last_text(operator)
    cli.ok("run")
    assert alerts(operator)[-1] == "run works again"
    assert metrics(cli)["runs_total", "failed"] == 0


def test_no_history_is_kept_without_metrics_and_alerts(cli: CLI) -> None:
    cli.ok("run")
    assert not (cli.folder / "work/run-history.json").exists()


def test_an_alert_service_that_fails_changes_nothing_and_is_tried_again(cli: CLI, operator: HTTPServer) -> None:
    operator.routes["/alerts"] = [Response(500), Response(200)]
    remove_catalog(cli)
    first = cli("run")
    assert first.exit_code == 3
    assert "alert service 1 of 1 (json): the service did not take the message" in first.stderr
    assert cli("run").exit_code == 3
    assert cli("run").exit_code == 3
    assert alerts(operator) == ["run failed (exit 3)"] * 2


def test_metrics_that_cannot_be_written_or_pushed_are_only_warnings(cli: CLI, operator: HTTPServer) -> None:
    (cli.folder / "file").write_text("")
    cli.settings |= {"METRICS_TEXTFILE": "file/x.prom", "METRICS_PUSH_URL": f"{operator.url}/nowhere"}
    result = cli.ok("run")
    assert "file/x.prom cannot be written" in result.stderr
    assert "the metrics could not be pushed: it answered 404" in result.stderr


def test_the_same_metrics_are_pushed(cli: CLI, operator: HTTPServer) -> None:
    operator.routes["/metrics/job/ticketattr"] = [Response(200)]
    cli.settings["METRICS_PUSH_URL"] = operator.url
    cli.ok("run")
    (push,) = [request for request in operator.requests if request.path == "/metrics/job/ticketattr"]
    assert push.body == (cli.folder / "metrics/ticketattr.prom").read_bytes()


def test_a_damaged_report_log_is_reported_and_its_metrics_are_omitted(cli: CLI, operator: HTTPServer) -> None:
    cli.ok("run")
    (cli.folder / "output/reports.db").write_bytes(b"no database" * 1000)
    assert cli("send").exit_code == 3
    assert alerts(operator) == ["send failed (exit 3)"]
    assert not [name for name, _ in metrics(cli) if name.startswith("reports_")]


def test_a_damaged_run_history_does_not_fail_the_run(cli: CLI, operator: HTTPServer) -> None:
    cli.ok("run")
    (cli.folder / "work/run-history.json").write_text("{")
    assert "a new one is started" in cli.ok("run").stderr
    assert metrics(cli)["runs_total", "done"] == 1


def test_send_is_recorded(cli: CLI, operator: HTTPServer) -> None:
    cli.ok("send")
    assert metrics(cli)["last_run_exit_code", ""] == 0
    with scripted_smtp({"END": ["552 5.3.4 too large"]}) as script:
        connect(cli, script)
        put_report(cli)
        assert cli("send").exit_code == 5
    assert alerts(operator) == ["send was done in part (exit 5)"]
    assert "reports: 0 sent, 1 pending, 0 in doubt" in last_text(operator)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("METRICS_TEXTFILE", "metrics.txt", "METRICS_TEXTFILE does not end in .prom"),
        ("METRICS_PUSH_URL", "push-canary:9091", "METRICS_PUSH_URL is not an http(s) URL"),
        ("METRICS_PUSH_URL", "http://push-canary:99999", "METRICS_PUSH_URL is not an http(s) URL"),
        ("ALERT_URLS", "json://127.0.0.1/a, push-canary", "ALERT_URLS: number 1 is not a URL"),
        ("ALERT_URLS", "push-canary", "ALERT_URLS: number 1 is not a URL"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_happens(cli: CLI, name: str, value: str, message: str) -> None:
    cli.settings[name] = value
    result = cli("run")
    assert result.exit_code == 2
    assert message in result.stderr
    assert "canary" not in result.output
    assert not cli.reports


def test_alerts_without_the_extra_are_a_settings_error_with_a_hint(
    cli: CLI, operator: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    result = cli("run")
    assert result.exit_code == 2
    assert install_hint("alerts") in result.stderr
    assert metrics(cli)["last_run_exit_code", ""] == 2


def test_several_alert_services_are_separated_by_commas_or_spaces(cli: CLI, operator: HTTPServer) -> None:
    url = cli.settings["ALERT_URLS"]
    cli.settings["ALERT_URLS"] = f"{url}/a?to=x,y,{url}/b  {url}/c"
    remove_catalog(cli)
    cli("run")
    assert sorted(request.path.partition("?")[0] for request in operator.requests) == [f"/alerts/{x}" for x in "abc"]


def test_the_run_history_is_private_and_the_metrics_are_readable_by_everybody(cli: CLI, operator: HTTPServer) -> None:
    cli.ok("run")
    path: Path = cli.folder / "work/run-history.json"
    assert json.loads(path.read_text())["kind"] == "run_history"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (cli.folder / "metrics/ticketattr.prom").stat().st_mode & 0o777 == 0o644


def test_the_monitored_commands_are_those_of_the_run_history() -> None:
    assert get_args(Command) == MONITORED
