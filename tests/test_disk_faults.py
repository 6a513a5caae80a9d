"""The disk of the report log fails: the program reports it, and no report is sent twice or lost.

The limit on the size of files is the kernel's own, so that SQLite meets real failures to write. Failing syncs are
injected by strace, which only `nox -s crash` uses.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from .conftest import CLI
from .servers import MailServer
from .test_crash import assert_each_arrived_as_one_message, prepare, run_until_quiet

KILOBYTE = 1024


@pytest.mark.parametrize("limit", [100, 2_000, 5_000, 9_000, 12_000], ids=lambda limit: f"{limit} bytes")
def test_a_disk_that_is_full_while_a_workbook_is_written_is_one_error_without_a_traceback(cli: CLI, limit: int) -> None:
    cli.ok("run", "--dry-run")
    ended = cli.process("--quiet", "report", file_size=limit)
    error, hint = ended.stderr.splitlines()
    assert error.startswith("error: ")
    assert error.endswith(".xlsx cannot be written: File too large")
    assert hint.startswith("hint: ")
    assert ended.returncode == 4
    assert list((cli.folder / "output").iterdir()) == []


def check(cli: CLI, mail: MailServer, ended: subprocess.CompletedProcess[str], what: str) -> None:
    assert "Traceback" not in ended.stderr, ended.stderr
    assert ended.returncode in (0, 2, 4, 5), f"{what}: {ended.stderr}"
    if ended.returncode:
        assert "reports.db" in ended.stderr, f"{what}: {ended.stderr}"
    run_until_quiet(cli)
    assert_each_arrived_as_one_message(cli, mail, what)


@pytest.mark.parametrize("limit", [2, 40, 60], ids=lambda limit: f"{limit} KiB")
def test_a_disk_that_is_full_at_some_point(cli: CLI, mail: MailServer, limit: int) -> None:
    one = prepare(cli, mail, "one", in_doubt=False)
    check(one, mail, one.process("send", file_size=limit * KILOBYTE), f"{limit} KiB")


def test_a_disk_that_is_full_from_the_start_is_an_error_before_anything_is_sent(cli: CLI, mail: MailServer) -> None:
    one = prepare(cli, mail, "one", in_doubt=False)
    ended = one.process("send", file_size=0)
    assert ended.returncode in (2, 4)
    assert "reports.db" in ended.stderr
    assert mail.received == []


STRACE = shutil.which("strace")


@pytest.mark.crash
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64", "ftruncate"])
@pytest.mark.parametrize("fault", ["error=EIO", "error=ENOSPC", "signal=SIGKILL"])
def test_a_system_call_that_fails(cli: CLI, mail: MailServer, call: str, fault: str) -> None:
    assert STRACE, "this needs strace (Debian: strace)"
    injected = 0
    for number in range(1, 200):
        mail.received.clear()
        one = prepare(cli, mail, str(number), in_doubt=False)
        trace = one.folder / "trace"
        inject = f"inject={call}:{fault}:when={number}"
        strace = (STRACE, "-f", "-qq", "-o", str(trace), "-e", f"trace={call}", "-e", inject)
        ended = one.python("-m", "ticketattr", "send", before=strace)
        if "INJECTED" not in trace.read_text() and "SIGKILL" not in trace.read_text():
            break
        injected += 1
        if ended.returncode == -9 or ended.returncode == 137:
            run_until_quiet(one)
            assert_each_arrived_as_one_message(one, mail, inject)
        else:
            check(one, mail, ended, inject)
    print(f"{call} {fault}: {injected} times")
