"""A log file that several processes write and that is rotated."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ticketattr.infrastructure.monitoring.log_file import SharedLogFile

WRITER = """
import logging, sys
from pathlib import Path
from ticketattr.infrastructure.monitoring.log_file import SharedLogFile
handler = SharedLogFile(Path(sys.argv[1]), max_bytes=2000, backups=200, on_error=sys.exit)
for number in range(300):
    handler.handle(logging.LogRecord("x", 20, "", 0, f"{sys.argv[2]} {number}", None, None))
"""


@pytest.fixture
def problems() -> list[str]:
    return []


def handler_of(path: Path, problems: list[str], max_bytes: int = 0, backups: int = 1) -> SharedLogFile:
    return SharedLogFile(path, max_bytes=max_bytes, backups=backups, on_error=problems.append)


def write(handler: SharedLogFile, *lines: str) -> None:
    for line in lines:
        handler.handle(logging.LogRecord("x", logging.INFO, "", 0, line, None, None))


def test_the_file_is_rotated_before_it_exceeds_the_limit_and_old_files_are_kept(
    tmp_path: Path, problems: list[str]
) -> None:
    path = tmp_path / "logs" / "run.log"
    write(handler_of(path, problems, max_bytes=30, backups=2), *(f"line {number:04}" for number in range(20)))
    kept = {
        file.name: file.read_text().split("\n")[:-1] for file in path.parent.glob("run.log*") if file.stat().st_size
    }
    assert kept == {
        "run.log.2": ["line 0014", "line 0015"],
        "run.log.1": ["line 0016", "line 0017"],
        "run.log": ["line 0018", "line 0019"],
    }
    assert not problems


@pytest.mark.thorough
def test_two_processes_that_rotate_the_file_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    command = [sys.executable, "-c", WRITER, str(path)]
    processes = [subprocess.Popen([*command, name]) for name in ("a", "b")]
    assert [process.wait(60) for process in processes] == [0, 0]
    files = [file for file in tmp_path.glob("run.log*") if file.suffix != ".lock"]
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{name} {number}" for name in ("a", "b") for number in range(300))
    assert max(file.stat().st_size for file in files) <= 2000


def test_only_owner_and_group_may_read_the_file(tmp_path: Path, problems: list[str]) -> None:
    write(handler_of(tmp_path / "run.log", problems), "line")
    assert (tmp_path / "run.log").stat().st_mode & 0o027 == 0


def test_a_full_disk_is_reported_once_and_writing_goes_on_when_there_is_space(
    tmp_path: Path, problems: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.log"
    handler, open_file = handler_of(path, problems), os.open
    with monkeypatch.context() as full:
        # A link to this device would be refused before anything is written.
        named = {str(path): "/dev/full"}
        full.setattr(os, "open", lambda name, *more: open_file(named.get(name) or name, *more))
        write(handler, "lost", "lost too")
    assert problems == [f"the log file {path} cannot be written: No space left on device"]
    write(handler, "kept")
    assert path.read_text() == "kept\n"


@pytest.mark.parametrize("blocked", ["file", "folder"])
def test_a_file_that_cannot_be_opened_is_reported_once(tmp_path: Path, problems: list[str], blocked: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    path = {"file": tmp_path / "file" / "run.log", "folder": tmp_path / "folder"}[blocked]
    write(handler_of(path, problems), "one", "two")
    assert len(problems) == 1
    assert "cannot be written" in problems[0]


def test_text_that_is_not_valid_unicode_is_escaped(tmp_path: Path, problems: list[str]) -> None:
    write(handler_of(tmp_path / "run.log", problems), "\ud800")
    assert (tmp_path / "run.log").read_text() == "\\ud800\n"
