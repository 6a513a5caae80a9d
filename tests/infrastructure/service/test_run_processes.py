"""The process of a run lives on its own, is found again, and reports how it ended."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic

import pytest

from ticketattr.domain.service_run import ServiceRun
from ticketattr.errors import ServiceError
from ticketattr.infrastructure.service.run_processes import LocalRunProcesses

RUN = ServiceRun(1, "api", "ann", datetime(2026, 11, 28, tzinfo=timezone.utc))
WAITING = (sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)")


def wait_until(condition: Callable[[], bool]) -> None:
    end = monotonic() + 20
    while not condition():
        assert monotonic() < end
        os.sched_yield()


def ended(processes: LocalRunProcesses) -> bool:
    return not processes.is_alive(RUN)


def test_a_run_that_cannot_read_its_settings_reports_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    processes = LocalRunProcesses(tmp_path / "service")
    processes.start(RUN)
    wait_until(lambda: ended(processes))
    assert processes.exit_code(RUN) == 2
    status = processes.status(RUN)
    assert status
    assert (status.exit_code, status.stage) == (2, ""), "it came to no stage"
    assert "needs settings that are not set" in status.message
    assert any("error: " in line for line in processes.log(RUN, 5))


def test_a_process_is_found_by_another_service_and_started_once(tmp_path: Path) -> None:
    processes, other = (LocalRunProcesses(tmp_path, program=WAITING) for _ in range(2))
    processes.start(RUN)
    wait_until(lambda: bool(processes.log(RUN, 5)))
    (process,) = processes.log(RUN, 5)
    try:
        assert other.is_alive(RUN)
        other.start(RUN)
        assert other.exit_code(RUN) is None
        assert processes.log(RUN, 5) == [process]
    finally:
        os.kill(int(process), signal.SIGKILL)
    wait_until(lambda: ended(processes))
    assert processes.exit_code(RUN) == -signal.SIGKILL
    assert not other.is_alive(RUN)
    assert processes.status(RUN) is None


def test_files_of_a_run_can_be_read_by_their_owner_alone(tmp_path: Path) -> None:
    processes = LocalRunProcesses(tmp_path, program=(sys.executable, "-c", ""))
    processes.start(RUN)
    wait_until(lambda: ended(processes))
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


def test_a_program_that_is_not_there_is_a_service_error(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="the process of run 1 cannot be started"):
        LocalRunProcesses(tmp_path, program=("/nowhere/python",)).start(RUN)
    assert not LocalRunProcesses(tmp_path).is_alive(RUN)


def test_the_log_shows_the_last_lines_and_nothing_for_a_run_without_one(tmp_path: Path) -> None:
    processes = LocalRunProcesses(tmp_path, program=(sys.executable, "-c", "print('a'); print('b'); print('c')"))
    assert processes.log(RUN, 2) == []
    processes.start(RUN)
    wait_until(lambda: ended(processes))
    assert processes.log(RUN, 2) == ["b", "c"]
