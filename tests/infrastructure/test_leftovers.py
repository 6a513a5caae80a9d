"""Temporary files of processes that were killed: removed by the next one, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ticketattr.infrastructure.files import replacing
from ticketattr.infrastructure.leftovers import is_leftover_name, remove_leftovers, temporary_folder

from ..conftest import CLI
from ..entrypoint.test_mail_servers import listed

WRITE_AND_WAIT = """
import sys, time
from pathlib import Path
from ticketattr.infrastructure.files import replacing
from ticketattr.infrastructure.leftovers import temporary_folder
with replacing(Path(sys.argv[1])) as file, temporary_folder() as folder:
    file.write(b"half"); file.flush()
    Path(folder, "rows").write_text("ticket text")
    print("writes", flush=True)
    time.sleep(60)
"""
EARLIER = [
    ".ticket-attribution-20261123T000000Z-7f3a.xlsx.ab12_9zz.tmp",
    ".tickets.json.ab12_9zz.tmp",
    ".20261123T000000Z-0a1b2c3d.eml.ab12_9zz.tmp",
]
OTHERS = [".report.xlsx.ab12_9zz.tmp", ".ticketattr-report-log.json", "a.tmp", "~$report.xlsx", ".report.xlsx.aB12cd"]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of this process and of its children."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def test_what_a_killed_process_left_is_removed(tmp_path: Path, temporary: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_WAIT, str(tmp_path / "report.xlsx")], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout
    with writer:
        assert writer.stdout.readline() == "writes\n"
        assert remove_leftovers([tmp_path]) == 0, "in use"
        assert [len(list(temporary.glob(".ticketattr-*"))), len(list(tmp_path.glob(".ticketattr-*.tmp")))] == [1, 1]
        assert {path.stat().st_mode & 0o077 for path in [*temporary.iterdir(), *tmp_path.glob(".t*")]} == {0}
        writer.kill()
    assert remove_leftovers([tmp_path]) == 2
    assert list(tmp_path.iterdir()) == [temporary]
    assert list(temporary.iterdir()) == []


def test_what_sqlite_left_beside_a_file_goes_with_it(tmp_path: Path) -> None:
    for name in (".ticketattr-aaaaaaaa.tmp", ".ticketattr-aaaaaaaa.tmp-journal", ".ticketattr-bbbbbbbb.tmp-wal"):
        (tmp_path / name).touch()
    with replacing(tmp_path / "a") as file:
        in_use = Path(f"{file.name}-journal")
        in_use.touch()
        assert remove_leftovers([tmp_path]) == 3
        assert in_use.exists()


def test_files_that_this_process_writes_are_kept(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as file, temporary_folder() as folder:
        file.write(b"content")
        file.flush()
        assert remove_leftovers([tmp_path]) == 0
        assert Path(folder).is_dir()
    assert (tmp_path / "a").read_bytes() == b"content"


@pytest.mark.parametrize("age", [0, 90_000])
def test_files_of_earlier_versions_go_when_they_are_old_and_those_of_others_stay(tmp_path: Path, age: int) -> None:
    for name in [*EARLIER, *OTHERS]:
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    assert remove_leftovers([tmp_path]) == (len(EARLIER) if age else 0)
    assert sorted(path.name for path in tmp_path.glob("*") if path.is_file()) == sorted(
        [*OTHERS, *([] if age else EARLIER)]
    )


def test_a_link_and_a_pipe_with_our_name_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("x")
    (tmp_path / ".ticketattr-aaaaaaaa.tmp").symlink_to(tmp_path / "other")
    os.mkfifo(tmp_path / ".ticketattr-bbbbbbbb.tmp")
    assert remove_leftovers([tmp_path, tmp_path / "absent"]) == 0
    assert (tmp_path / "other").exists()


def test_a_file_that_is_removed_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    duplicate = os.dup
    removed: list[int] = []

    def remove_first(descriptor: int) -> int:
        if not removed:
            removed.append(remove_leftovers([tmp_path]))
        return duplicate(descriptor)

    monkeypatch.setattr(os, "dup", remove_first)
    with replacing(tmp_path / "a") as file:
        file.write(b"content")
    assert removed == [1]
    assert (tmp_path / "a").read_bytes() == b"content"


@pytest.mark.parametrize("command", ["send", "run"])
def test_they_are_no_workbooks_and_the_next_command_removes_them(cli: CLI, command: str) -> None:
    folder = Path("output")
    folder.mkdir()
    for name in (".ticketattr-aaaaaaaa.tmp", *EARLIER):
        (folder / name).write_bytes(b"half a workbook")
        os.utime(folder / name, (time.time() - 90_000, time.time() - 90_000))
    assert listed(cli) == []
    cli.ok(command)
    assert [path.name for path in folder.iterdir() if is_leftover_name(path.name)] == []
