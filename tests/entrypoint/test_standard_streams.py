"""Commands whose stdout is full, closed, or no longer read, each in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ..conftest import CLI


def ends(cli: CLI, line: str) -> tuple[int, str]:
    """The exit code and stderr of a line of shell, in which `ticketattr` is the program."""
    ticketattr = f'ticketattr() {{ "{sys.executable}" -m ticketattr "$@"; }}'
    done = cli.process(before=("bash", "-o", "pipefail", "-c", f"{ticketattr}\n{line}"))
    return done.returncode, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is full")
@pytest.mark.parametrize("command", ["pending list", "fetch -o -", "--help"])
def test_results_on_a_full_disk_are_an_error_with_a_hint(cli: CLI, command: str) -> None:
    code, stderr = ends(cli, f"ticketattr {command} >/dev/full")
    assert (code, "Traceback" in stderr) == (4, False)
    assert "stdout cannot be written: No space left on device" in stderr


@pytest.mark.parametrize("command", ["pending list --format csv", "fetch -o -"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_not_an_error(cli: CLI, command: str, closed: str) -> None:
    code, stderr = ends(cli, f"ticketattr -q {command} {closed}")
    assert (code, stderr) == (0, "")


def test_messages_never_go_into_a_file_that_has_the_number_of_a_closed_stream(cli: CLI) -> None:
    for stage in ("fetch", "classify", "report"):
        cli.ok(stage)
    assert ends(cli, "ticketattr -v send <&- >&- 2>&-") == (0, "")
    cli.ok("check")
    assert len(cli.mails) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ticketattr -v fetch 2> >(exit)", 0),
        ("ticketattr -v fetch 2>/dev/full", 0),
        ("ticketattr nonsense 2>/dev/full", 2),
        ("ticketattr -v classify 2> >(exit)", 3),
        ("HELPDESK_API_URL=missing.json ticketattr -v fetch 2>/dev/full", 3),
        ("ticketattr --help >/dev/full 2>/dev/full", 4),
    ],
)
def test_a_stderr_that_cannot_be_written_leaves_the_exit_code(cli: CLI, line: str, code: int) -> None:
    assert ends(cli, f"{line}\ncode=$?; sleep 0; exit $code")[0] == code


def test_a_reader_that_stops_reading_is_not_an_error(cli: CLI) -> None:
    assert ends(cli, "ticketattr -q fetch -o - | head -c 1 >/dev/null") == (0, "")
