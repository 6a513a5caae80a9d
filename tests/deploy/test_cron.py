"""The line for cron, run as cron does: by its shell, with the environment of the file and nothing else."""

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


def test_it_runs_once_a_day() -> None:
    minute, hour, *days = SCHEDULE
    assert int(minute) in range(60)
    assert int(hour) in range(3, 24), "between 2 and 3, the clock may skip an hour or have it twice"
    assert days == ["*", "*", "*"]


def test_the_command_has_no_percent_sign_which_cron_reads_as_a_new_line() -> None:
    assert "%" not in COMMAND


def test_nobody_gets_mail_while_all_is_well(tmp_path: Path) -> None:
    install(tmp_path, exit_code=0)
    done = run_by_cron(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("exit_code", [1, 2, 3, 4, 5, 143])
def test_a_mail_tells_the_exit_code_and_what_the_run_said(tmp_path: Path, exit_code: int) -> None:
    install(tmp_path, exit_code=exit_code)
    mail = run_by_cron(tmp_path).stdout.splitlines()
    assert mail == [
        f"ticketattr run: exit code {exit_code}",
        "output/report.xlsx",
        f"ticketattr run in {tmp_path}, logging to ticketattr.log",
        "41 of 43 tickets attributed",
    ]


def test_a_program_or_a_folder_that_is_gone_is_told_too(tmp_path: Path) -> None:
    assert "exit code 127" in run_by_cron(tmp_path).stdout
    assert "exit code" in run_by_cron(tmp_path / "gone").stdout
