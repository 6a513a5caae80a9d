"""The program is killed at every step of sending, and then runs until nothing is pending.

Afterwards every report arrived, none of them under two Message-IDs, and the log agrees with the server.
Every test run covers a dozen steps; `nox -s crash` covers all of them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from .conftest import CLI
from .crash_process import Runner
from .entrypoint.test_mail_servers import SETTINGS, listed, put_report
from .servers import MailServer

REPORTS = ("a.xlsx", "b.xlsx")
SAMPLE = 12
KILLED = -9


def prepare(cli: CLI, mail: MailServer, name: str, *, in_doubt: bool) -> CLI:
    """A folder of its own with two reports that wait; `in_doubt`: both may have arrived already."""
    one = CLI(cli.folder / name, {**cli.settings, **SETTINGS, "EMAIL_SMTP_PORT": str(mail.port)})
    for report in REPORTS:
        path = put_report(cli, report)
        target = one.folder / "output" / report
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    if in_doubt:
        mail.drop_after_data = True
        assert in_folder(one, "send").exit_code == 5
    return one


def in_folder(cli: CLI, *arguments: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cli.folder)
        return cli(*arguments)


def distinct(steps: list[str]) -> list[int]:
    """Where each line is reached for the first time: 1, 2, …"""
    return sorted({line: place for place, line in reversed(list(enumerate(steps, start=1)))}.values())


def run_until_quiet(cli: CLI) -> None:
    for _ in range(3):
        if in_folder(cli, "send").exit_code == 0:
            return
    raise AssertionError("a report is still pending")


def assert_each_arrived_as_one_message(cli: CLI, mail: MailServer, step: str) -> None:
    arrived: dict[str, set[str]] = defaultdict(set)
    for received in mail.received:
        for part in received.iter_attachments():
            arrived[str(part.get_filename())].add(received["Message-ID"])
    assert sorted(arrived) == list(REPORTS), step
    assert all(len(ids) == 1 for ids in arrived.values()), step
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cli.folder)
        assert listed(cli) == [], step
        sent = {row["message_id"] for row in listed(cli, "--all") if row["state"] == "sent"}
    assert sent == {message_id for ids in arrived.values() for message_id in ids}, step


def kill_at_each(runner: Runner, cli: CLI, mail: MailServer, *, in_doubt: bool, sample: int | None) -> int:
    """Returns at how many steps it was killed."""
    whole = prepare(cli, mail, "whole", in_doubt=in_doubt)
    code, steps = runner(whole, "send")
    assert code == 0
    points = distinct(steps)
    if sample:
        points = points[:: len(points) // sample]
    killed = 0
    for point in points:
        mail.received.clear()
        one = prepare(cli, mail, str(point), in_doubt=in_doubt)
        code, _ = runner(one, "send", kill_at=point)
        # Which line comes when depends on how the server's bytes arrive: rarely, the end comes first.
        assert code in (KILLED, 0), steps[point - 1]
        killed += code == KILLED
        run_until_quiet(one)
        assert_each_arrived_as_one_message(one, mail, steps[point - 1])
    return killed


@pytest.mark.parametrize("in_doubt", [False, True], ids=["the first time", "repeating after doubt"])
def test_killed_at_a_dozen_steps(runner: Runner, cli: CLI, mail: MailServer, in_doubt: bool) -> None:
    assert kill_at_each(runner, cli, mail, in_doubt=in_doubt, sample=SAMPLE // 2) >= SAMPLE // 2


@pytest.mark.crash
@pytest.mark.parametrize("in_doubt", [False, True], ids=["the first time", "repeating after doubt"])
def test_killed_at_every_step(runner: Runner, cli: CLI, mail: MailServer, in_doubt: bool) -> None:
    killed = kill_at_each(runner, cli, mail, in_doubt=in_doubt, sample=None)
    print(f"killed at {killed} distinct steps")
    assert killed >= 100
