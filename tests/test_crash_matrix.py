"""The program is killed at every step of a restore, of the upgrade of a report log, and of an import of corrections.

Afterwards the file that it changed is the former one or the new one, and the same command completes the work.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import CLI
from .crash_process import Runner
from .entrypoint.test_corrections import correct
from .entrypoint.test_mail_servers import SETTINGS, put_report
from .entrypoint.test_repeats import make_earlier
from .servers import MailServer
from .test_crash import (
    KILLED,
    assert_each_arrived_as_one_message,
    distinct,
    in_folder,
    run_until_quiet,
)

SAMPLE = 3
DAMAGES: dict[str, Callable[[Path], None]] = {
    "intact": lambda log: None,
    "lost": lambda log: log.unlink(),
    "damaged": lambda log: (log.write_bytes(log.read_bytes()[:3000]), None)[1],
}


@pytest.fixture
def sample(request: pytest.FixtureRequest) -> int | None:
    """A few steps in the usual tests, all of them in the session `crash`."""
    found: int | None = request.param
    return found


everywhere = pytest.mark.parametrize(
    "sample", [SAMPLE, pytest.param(None, marks=pytest.mark.crash)], ids=["few", "all"], indirect=True
)


def kill_at_each(
    runner: Runner,
    base: CLI,
    arguments: list[str],
    window: str,
    sample: int | None,
    check: Callable[[CLI, str], None],
) -> None:
    """Kill the command in a copy of the folder of `base`, at each step of the window, and check the copy."""
    code, steps = runner(copy_of(base, "whole"), *arguments, window=window)
    assert code == 0
    points = distinct(steps)
    assert len(points) > SAMPLE
    if sample:
        points = sorted({*points[:: max(len(points) // (sample - 1), 1)], points[-1]})
    for point in points:
        one = copy_of(base, f"at {point}")
        code, _ = runner(one, *arguments, window=window, kill_at=point)
        assert code in (KILLED, 0), steps[point - 1]
        check(one, steps[point - 1])
    print(f"killed at {len(points)} steps of {window}")


def copy_of(base: CLI, name: str) -> CLI:
    folder = base.folder.with_name(f"{base.folder.name} {name}")
    shutil.copytree(base.folder, folder)
    return CLI(folder, base.settings)


def with_reports(cli: CLI, mail: MailServer) -> CLI:
    """One report that was sent, and one that waits."""
    base = CLI(cli.folder / "base", {**cli.settings, **SETTINGS, "EMAIL_SMTP_PORT": str(mail.port)})
    base.folder.mkdir()
    put_report(base, "a.xlsx")
    assert in_folder(base, "send").exit_code == 0
    put_report(base, "b.xlsx")
    return base


@everywhere
@pytest.mark.parametrize("state", DAMAGES)
def test_a_restore_leaves_the_former_log_or_the_new_one(
    runner: Runner, cli: CLI, mail: MailServer, sample: int | None, state: str
) -> None:
    base = with_reports(cli, mail)
    assert in_folder(base, "pending", "backup", "backup.db").exit_code == 0
    DAMAGES[state](base.folder / "output" / "reports.db")
    command = ["pending", "restore", "backup.db", "--unknown", "pending"]
    received = list(mail.received)

    def check(one: CLI, step: str) -> None:
        mail.received[:] = received
        if state == "intact":
            assert in_folder(one, "pending", "list").exit_code == 0, step
        assert in_folder(one, *command).exit_code == 0, step
        run_until_quiet(one)
        assert_each_arrived_as_one_message(one, mail, step)
        assert not list(one.folder.rglob("*.tmp")), step

    kill_at_each(runner, base, command, "restore", sample, check)


@everywhere
def test_the_upgrade_of_a_log_loses_nothing(runner: Runner, cli: CLI, mail: MailServer, sample: int | None) -> None:
    base = with_reports(cli, mail)
    make_earlier(base.folder / "output" / "reports.db")
    received = list(mail.received)

    def check(one: CLI, step: str) -> None:
        mail.received[:] = received
        with closing(sqlite3.connect(one.folder / "output" / "reports.db")) as log:
            assert log.execute("PRAGMA user_version").fetchone()[0] in (2, 3), step
        run_until_quiet(one)
        assert_each_arrived_as_one_message(one, mail, step)

    kill_at_each(runner, base, ["send"], "upgrade", sample, check)


@everywhere
def test_an_import_of_corrections_keeps_all_or_none(runner: Runner, cli: CLI, sample: int | None) -> None:
    base = CLI(cli.folder / "base", cli.settings)
    base.folder.mkdir()
    assert in_folder(base, "run").exit_code == 0
    (report,) = base.reports
    correct(report, T1=("Hardware", "Stolen Device"), T2=("Other", "General Inquiry"))
    command = ["corrections", "import", f"output/{report.name}"]

    def imported(one: CLI) -> int:
        return len(json.loads(in_folder(one, "corrections", "list", "--format", "json").stdout))

    def check(one: CLI, step: str) -> None:
        assert imported(one) in (0, 2), step
        assert in_folder(one, *command).exit_code == 0, step
        assert imported(one) == 2, step

    kill_at_each(runner, base, command, "import", sample, check)
