"""What only this program needs is for its user alone, also what earlier versions left open."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from ticketattr.errors import ExitCode
from ticketattr.infrastructure.monitoring.log_file import SharedLogFile, lock_path

from ..conftest import CLI


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_folders_locks_and_databases_are_for_the_owner_alone(cli: CLI) -> None:
    cli.settings |= {"LOG_FILE": "logs/run.log", "METRICS_TEXTFILE": "metrics/ticketattr.prom"}
    queue, cli.settings["HELPDESK_API_URL"] = cli.settings["HELPDESK_API_URL"], "nowhere.json"
    assert cli("run").exit_code == ExitCode.INPUT
    cli.settings["HELPDESK_API_URL"] = queue
    assert "open to other users" not in cli.ok("run").stderr, "nothing of an earlier version was there"
    private = [*cli.folder.rglob("*.lock"), *cli.folder.rglob("*.db*"), *cli.folder.rglob("*.json")]
    assert {mode(path) for path in private} == {0o600}
    assert len(private) > 5
    assert mode(cli.folder / "work") == 0o700
    assert mode(cli.folder / "metrics/ticketattr.prom") == 0o644
    assert mode(cli.folder / "output") == 0o755


def test_what_was_open_is_closed_and_said_once(cli: CLI) -> None:
    cli.settings |= {"LOG_FILE": "logs/run.log", "METRICS_TEXTFILE": "metrics/ticketattr.prom"}
    cli.ok("run")
    opened = [*cli.folder.rglob("*.lock"), *cli.folder.rglob("*.db")]
    for path in opened:
        path.chmod(0o644)
    (cli.folder / "work").chmod(0o755)
    said = cli.ok("run").stderr
    assert {mode(path) for path in opened} == {0o600}
    assert mode(cli.folder / "work") == 0o700
    assert "work was open to other users, and is not any more" in said
    assert "was open to other users" not in cli.ok("run").stderr


def test_a_work_folder_with_files_of_others_stays_open(cli: CLI) -> None:
    (cli.folder / "work").mkdir(mode=0o755)
    (cli.folder / "work/notes.txt").write_text("for all")
    cli.ok("run")
    assert mode(cli.folder / "work") == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_somebody_else_is_left_alone(cli: CLI) -> None:
    (cli.folder / "work").mkdir(mode=0o755)
    os.chown(cli.folder / "work", 65534, 65534)
    cli.ok("run")
    assert mode(cli.folder / "work") == 0o755


def test_a_lock_that_somebody_holds_delays_one_line_and_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticketattr.infrastructure.monitoring.log_file._LONGEST_WAIT", 0.3)
    path = tmp_path / "run.log"
    problems: list[str] = []
    handler = SharedLogFile(path, max_bytes=100, backups=2, on_error=problems.append)
    with FileLock(lock_path(path)):
        started = time.monotonic()
        for number in range(50):
            handler.emit(logging.LogRecord("x", logging.INFO, "", 0, f"line {number}", None, None))
        assert time.monotonic() - started < 2
    assert path.read_text().splitlines() == [f"line {number}" for number in range(50)]
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "rotated", None, None))
    assert path.read_text() == "rotated\n"
    assert not problems


def test_a_lock_that_cannot_be_opened_loses_no_line(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    lock_path(path).mkdir()
    handler = SharedLogFile(path, max_bytes=100, backups=2, on_error=lambda problem: None)
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "line", None, None))
    assert path.read_text() == "line\n"
