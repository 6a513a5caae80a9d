"""The log of a run."""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ticketattr.entrypoint.presentation.console import Console
from ticketattr.entrypoint.presentation.log_lines import JSONLines, TextLines
from ticketattr.entrypoint.settings.monitoring import LogSettings

from ..conftest import CLI
from ..servers import HTTPServer, Response


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_of_a_json_log_has_its_time_run_and_stage(cli: CLI) -> None:
    cli.settings |= {"LOG_FILE": "logs/run.log", "LOG_FORMAT": "json"}
    cli.ok("run")
    lines = json_lines((cli.folder / "logs/run.log").read_text())
    (run,) = (path.name for path in (cli.folder / "work").iterdir() if path.is_dir())
    assert {line["run_id"] for line in lines} == {run}
    assert [line["stage"] for line in lines if "duration" in line] == ["send", "fetch", "classify", "report", "send"]
    for line in lines:
        assert {"time", "level", "logger", "message", "run_id", "stage"} <= set(line)
        assert datetime.fromisoformat(line["time"].replace("Z", "+00:00"))


def test_the_end_of_a_stage_has_its_duration_and_its_counts(cli: CLI) -> None:
    cli.settings |= {"LOG_FILE": "run.log", "LOG_FORMAT": "json"}
    cli.ok("run")
    ends = [line for line in json_lines((cli.folder / "run.log").read_text()) if "duration" in line]
    counts = {line["stage"]: line["counts"] for line in ends}
    assert counts == {
        "fetch": {"tickets": 5, "request_types": 5},
        "classify": {"offline": 4, "kept": 1},
        "report": {"rows": 5},
        "send": {"messages": 1},
    }
    assert all(line["duration"] >= 0 for line in ends)


def test_stages_by_hand_log_the_run_of_their_files(cli: CLI) -> None:
    cli.settings |= {"LOG_FILE": "run.log", "LOG_FORMAT": "json"}
    for stage in ("fetch", "classify", "report"):
        cli.ok(stage)
    lines = json_lines((cli.folder / "run.log").read_text())
    (run,) = (path.name for path in (cli.folder / "work").iterdir() if path.is_dir())
    assert {(line["run_id"], line["stage"]) for line in lines if "duration" in line} == {
        (run, "fetch"),
        (run, "classify"),
        (run, "report"),
    }


def test_with_json_logs_stderr_has_only_json_including_errors_and_hints(cli: CLI) -> None:
    cli.settings |= {"LOG_FORMAT": "json", "SERVICE_CATALOG_URL": "nowhere.yaml"}
    result = cli("run")
    last = json_lines(result.stderr)[-1]
    assert (last["level"], last["stage"]) == ("ERROR", "run")
    assert last["message"].startswith("the service catalog: nowhere.yaml")
    assert last["hint"]


def test_a_stage_that_breaks_off_says_so(cli: CLI) -> None:
    cli.settings |= {"LOG_FORMAT": "json", "SERVICE_CATALOG_URL": "nowhere.yaml"}
    (end,) = [line for line in json_lines(cli("fetch").stderr) if "duration" in line]
    assert (end["stage"], end["message"].split(" in ")[0]) == ("fetch", "fetch failed")


def test_a_text_log_has_the_same_lines_and_the_messages_for_the_user(cli: CLI) -> None:
    cli.settings["LOG_FILE"] = "run.log"
    cli.ok("--quiet", "run")
    lines = (cli.folder / "run.log").read_text().splitlines()
    line = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO|WARNING) ticketattr[\w.]+ \[\d{8}T\d{6}Z-[0-9a-f]{4} \w+\]: .+"
    assert all(re.fullmatch(line, one) for one in lines), lines
    assert [one for one in lines if one.endswith(" run]: 1 report sent")]


def test_an_error_is_in_the_log_file_with_its_hint_even_if_settings_are_wrong(cli: CLI) -> None:
    cli.settings |= {"LOG_FILE": "run.log", "CODEBASE_URL": ""}
    result = cli("run")
    error, hint = result.stderr.splitlines()
    (line,) = (cli.folder / "run.log").read_text().splitlines()
    assert error.removeprefix("error: ") in line
    assert hint.removeprefix("hint: ") in line


@pytest.mark.parametrize(("level", "lines"), [("debug", True), ("info", True), ("warning", False), ("error", False)])
def test_the_log_file_has_its_own_level(cli: CLI, level: str, lines: bool) -> None:
    cli.settings |= {"LOG_FILE": "run.log", "LOG_LEVEL": level}
    assert cli.ok("--quiet", "run").stderr == ""
    path = cli.folder / "run.log"
    assert bool(path.exists() and path.read_text()) is lines


def test_quiet_and_verbose_affect_only_stderr(cli: CLI) -> None:
    cli.settings |= {"LOG_FILE": "run.log", "LOG_LEVEL": "debug"}
    assert cli.ok("--quiet", "run").stderr == ""
    assert "report written" in cli.ok("run").stderr


def test_a_log_file_that_cannot_be_written_causes_one_warning_and_no_failure(cli: CLI) -> None:
    (cli.folder / "file").write_text("")
    cli.settings["LOG_FILE"] = "file/run.log"
    assert cli.ok("--quiet", "run").stderr.count("cannot be written") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("LOG_FORMAT", "xml"), ("LOG_LEVEL", "loud")],
)
def test_a_wrong_setting_of_the_log_is_named(cli: CLI, name: str, value: str) -> None:
    cli.settings[name] = value
    result = cli("run")
    assert result.exit_code == 2
    assert name in result.stderr
    assert not cli.mails


def test_text_from_outside_does_not_control_a_log(cli: CLI, http: HTTPServer) -> None:
    http.routes["/"] = [Response(302, headers={"Location": "http://x/\u001b[31m"})]
    cli.settings |= {"LOG_FILE": "run.log", "SERVICE_CATALOG_URL": f"{http.url}/catalog"}
    cli("run")
    assert "\x1b" not in (cli.folder / "run.log").read_text()


@pytest.mark.parametrize("format", ["text", "json"])
def test_an_exception_is_logged_without_its_message(tmp_path: Path, format: Any) -> None:
    """A library may log one, and its message may quote a ticket."""
    app = typer.Typer()

    @app.command()
    def broken() -> None:
        import logging

        Console(0).set_up_logging(LogSettings(file=tmp_path / "run.log", format=format))
        try:
            raise KeyError("text of a ticket")
        except KeyError:
            logging.getLogger("library").exception("it broke")

    result = CliRunner().invoke(app)
    for told in (result.stderr, (tmp_path / "run.log").read_text()):
        assert re.search(r"it broke.*KeyError at .*test_logs.py:\d+", told)
        assert "text of a ticket" not in told


@pytest.mark.parametrize("flags", [(), ("-q",)])
def test_a_log_file_that_cannot_be_written_causes_one_line_of_json(cli: CLI, flags: tuple[str, ...]) -> None:
    (cli.folder / "file").touch()
    cli.settings |= {"LOG_FILE": "file/run.log", "LOG_FORMAT": "json"}
    lines = json_lines(cli.ok(*flags, "run").stderr)
    (said,) = [line for line in lines if "cannot be written" in line["message"]]
    assert (said["level"], f"the log file {cli.folder}/file/run.log" in said["message"]) == ("WARNING", True)


@pytest.mark.parametrize("sign", ["\x1b", "\n", "\r", "\x9b", "\u061c", "\u200f", "\u202e", "\u2066", "\u2028"])
def test_no_character_that_controls_a_terminal_or_forges_a_line_gets_into_a_line(sign: str) -> None:
    for lines in (TextLines(on_screen=True), TextLines(on_screen=False), JSONLines()):
        assert sign not in lines.format(record(f"a{sign}b"))


def test_a_very_long_message_is_cut() -> None:
    for lines in (TextLines(on_screen=True), TextLines(on_screen=False), JSONLines()):
        line = lines.format(record("x" * 2_000_000))
        assert "[cut]" in line
        assert len(line) < 11_000


def record(words: str) -> logging.LogRecord:
    return logging.LogRecord("library", logging.WARNING, "", 0, "%s", (words,), None)
