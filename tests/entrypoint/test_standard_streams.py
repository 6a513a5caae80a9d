"""Commands whose stdout is full, closed, or no longer read, each in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import CLI
from ..warm_program import Stream


def ends(cli: CLI, line: str) -> tuple[int, str]:
    """The exit code and stderr of a line of shell, in which `ticketattr` is the program."""
    ticketattr = f'ticketattr() {{ "{sys.executable}" -m ticketattr "$@"; }}'
    done = cli.python(before=("bash", "-o", "pipefail", "-c", f"{ticketattr}\n{line}"))
    return done.returncode, done.stderr


def told(cli: CLI, command: str, *, stdout: Stream) -> tuple[int, str]:
    """The exit code and stderr of a command whose stdout is this one."""
    stderr, its_stderr = os.pipe()
    program = cli.start(*command.split(), stdout=stdout, stderr=its_stderr)
    os.close(its_stderr)
    with os.fdopen(stderr, encoding="utf-8") as said:
        return program.wait(), said.read()


@pytest.fixture
def full() -> Iterator[int]:
    """A device on which there is no room."""
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("the system has no device that is full")
    with device.open("wb", buffering=0) as opened:
        yield opened.fileno()


@pytest.fixture
def gone() -> Iterator[int]:
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("command", ["pending list", "fetch -o -", "--help"])
def test_results_on_a_full_disk_are_an_error_with_a_hint(cli: CLI, full: int, command: str) -> None:
    code, stderr = told(cli, command, stdout=full)
    assert (code, "Traceback" in stderr) == (4, False)
    assert "stdout cannot be written: No space left on device" in stderr


@pytest.mark.parametrize("command", ["pending list --format csv", "fetch -o -"])
def test_a_closed_stream_is_not_an_error(cli: CLI, command: str) -> None:
    quiet = ("-q", *command.split())
    assert told(cli, f"-q {command}", stdout=None) == (0, "")
    assert cli.start(*quiet, stderr=None).wait() == 0
    assert cli.start(*quiet, stdin=None, stdout=None, stderr=None).wait() == 0


def test_messages_never_go_into_a_file_that_has_the_number_of_a_closed_stream(cli: CLI) -> None:
    for stage in ("fetch", "classify", "report"):
        cli.ok(stage)
    assert cli.start("-v", "send", stdin=None, stdout=None, stderr=None).wait() == 0
    cli.ok("check")
    assert len(cli.mails) == 1


@pytest.mark.parametrize(
    ("command", "environment", "code"),
    [
        ("fetch", {}, 0),
        ("nonsense", {}, 2),
        ("classify", {}, 3),
        ("fetch", {"HELPDESK_API_URL": "missing.json"}, 3),
    ],
)
def test_a_stderr_that_cannot_be_written_leaves_the_exit_code(
    cli: CLI, full: int, gone: int, command: str, environment: dict[str, str], code: int
) -> None:
    for stderr in (full, gone):
        assert cli.start("-v", command, stderr=stderr, environment=environment).wait() == code


def test_neither_stream_can_be_written(cli: CLI, full: int) -> None:
    assert cli.start("--help", stdout=full, stderr=full).wait() == 4


def test_a_reader_that_stops_reading_is_not_an_error(cli: CLI, gone: int) -> None:
    assert told(cli, "-q fetch -o -", stdout=gone) == (0, "")


thorough = pytest.mark.thorough


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("ticketattr --help >/dev/full", 4, "stdout cannot be written"),
        pytest.param("ticketattr -q fetch -o - | head -c 1 >/dev/null", 0, "", marks=thorough),
        pytest.param("ticketattr -q pending list --format csv <&- >&- 2>&-", 0, "", marks=thorough),
        pytest.param("ticketattr -v fetch 2> >(exit)", 0, "", marks=thorough),
        pytest.param("ticketattr nonsense 2>/dev/full", 2, "", marks=thorough),
    ],
)
def test_it_is_so_from_a_shell(cli: CLI, full: int, line: str, code: int, said: str) -> None:
    ended, stderr = ends(cli, f"{line}\ncode=$?; sleep 0; exit $code")
    assert (ended, said in stderr) == (code, True)
