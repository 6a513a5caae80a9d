"""The job of the crontab, run as cron runs it: by its shell, with only the environment of the file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .metrics import DEPLOY
from .program import HOME, install

LINES = [
    line
    for line in (DEPLOY / "cron" / "crontab").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
ENVIRONMENT = dict(line.split("=", 1) for line in LINES if re.match(r"\w+=", line))
(JOB,) = [line for line in LINES if not re.match(r"\w+=", line)]
SCHEDULE, COMMAND = JOB.split(None, 5)[:5], JOB.split(None, 5)[5]


def run_by_cron(home: Path) -> subprocess.CompletedProcess[str]:
    environment = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
    command = ["env", "-i", *environment, ENVIRONMENT["SHELL"], "-c", COMMAND.replace(HOME, str(home))]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def test_the_job_runs_once_a_day() -> None:
    minute, hour, *days = SCHEDULE
    assert int(minute) in range(60)
    assert int(hour) in range(3, 24), "at a change of the clocks, the hour after 2 may be missing or occur twice"
    assert days == ["*", "*", "*"]


def test_the_command_has_no_percent_sign_because_cron_reads_it_as_a_line_break() -> None:
    assert "%" not in COMMAND


def test_a_successful_run_sends_no_mail(tmp_path: Path) -> None:
    install(tmp_path, exit_code=0)
    done = run_by_cron(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("exit_code", [1, 2, 3, 4, 5, 143])
def test_the_mail_contains_the_exit_code_and_the_output_of_the_run(tmp_path: Path, exit_code: int) -> None:
    install(tmp_path, exit_code=exit_code)
    mail = run_by_cron(tmp_path).stdout.splitlines()
    assert mail == [
        f"ticketattr run: exit code {exit_code}",
        "output/report.xlsx",
        f"ticketattr run in {tmp_path}, logging to ticketattr.log",
        "41 of 43 tickets attributed",
    ]


def test_a_missing_program_or_folder_sends_a_mail(tmp_path: Path) -> None:
    assert "exit code 127" in run_by_cron(tmp_path).stdout
    assert "exit code" in run_by_cron(tmp_path / "gone").stdout
