"""The program is killed while it writes into the helpdesk and people edit tickets, and then runs until it is done.

Afterwards no ticket was written twice, none was forgotten, no note stands twice, and what a person set stands.
Every test run covers a few steps with a few tickets; `nox -s apply_crash` covers a hundred with 40 tickets.
"""

from __future__ import annotations

import random

import pytest

from .changing_desk import ChangingDesk, Held, attributed, listed, prepare
from .conftest import CLI
from .crash_process import Runner
from .fakes import LAPTOP, PASSWORD
from .servers import HTTPServer, Response
from .test_crash import KILLED, in_folder

OURS, THEIRS = PASSWORD.pair, LAPTOP.pair
EDITS = 0.03
"""How probable it is that a person edits a ticket at one of its requests."""

PARTS = 5
"""Into how many tests the hundred steps are divided."""


def busy_desk(server: HTTPServer, seed: int) -> ChangingDesk:
    """A helpdesk in which people choose pairs at random: before a read, between a read and a write, after a write."""
    chance = random.Random(seed)  # noqa: S311  # repeatable, and not a secret

    def maybe(ticket_id: str, held: Held) -> Response | None:
        if chance.random() < EDITS:
            held.person_sets(*THEIRS)
        return None

    return ChangingDesk(
        server, before_read=maybe, after_read=maybe, before_write=maybe, after_write=maybe, after_note=maybe
    )


def scenario(cli: CLI, server: HTTPServer, name: str, tickets: int, seed: int) -> tuple[CLI, ChangingDesk]:
    one = CLI(cli.folder / name, dict(cli.settings))
    one.folder.mkdir()
    desk = busy_desk(server, seed)
    prepare(one, desk, [attributed(str(number)) for number in range(tickets)])
    return one, desk


def steps_of(runner: Runner, cli: CLI, server: HTTPServer, tickets: int) -> list[str]:
    one, _ = scenario(cli, server, "whole", tickets, seed=0)
    code, steps = runner(one, "apply", "--mode", "fill", window="apply")
    assert code == 0
    return steps


def kill_and_finish(runner: Runner, one: CLI, points: list[int]) -> int:
    """Kill the program at each of these steps, then let a call end. Returns the number of kills."""
    killed = 0
    for point in points:
        code, _ = runner(one, "apply", "--mode", "fill", window="apply", kill_at=point)
        assert code in (KILLED, 0)
        killed += code == KILLED
    assert in_folder(one, "apply", "--mode", "fill").exit_code == 0
    return killed


def assert_each_was_written_once(one: CLI, desk: ChangingDesk, step: str) -> None:
    for ticket_id, held in desk.tickets.items():
        where = f"{step}, ticket {ticket_id}: {held}"
        assert held.writes <= 1, where
        assert len(held.notes) <= 1, where
        assert held.pair == (held.by_person or OURS), where
        if held.by_person is None:
            assert (held.writes, len(held.notes)) == (1, 1), where
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(one.folder)
        changes = listed(one)
    assert not [change for change in changes if change["state"] in ("applying", "in_doubt")], step
    applied = [change["ticket_id"] for change in changes if change["state"] == "applied"]
    assert len(applied) == len(set(applied)), step


def kill_at(
    runner: Runner, cli: CLI, server: HTTPServer, *, kills: int, tickets: int, part: int = 0, parts: int = 1
) -> int:
    """A scenario for each of so many distinct steps, spread over the whole. Returns the number of kills."""
    steps = steps_of(runner, cli, server, tickets)
    distance = max(1, len(steps) // kills)
    killed = 0
    for number, point in list(enumerate(range(1 + distance // 2, len(steps), distance)))[part::parts]:
        one, desk = scenario(cli, server, str(point), tickets, seed=number)
        killed += kill_and_finish(runner, one, [point])
        assert_each_was_written_once(one, desk, steps[point - 1])
    return killed


def test_killed_at_a_few_steps(runner: Runner, cli: CLI, http: HTTPServer) -> None:
    assert kill_at(runner, cli, http, kills=6, tickets=3) >= 4


@pytest.mark.apply_crash
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_a_hundred_steps(runner: Runner, cli: CLI, http: HTTPServer, part: int) -> None:
    killed = kill_at(runner, cli, http, kills=130, tickets=40, part=part, parts=PARTS)
    print(f"killed at {killed} distinct steps, part {part + 1} of {PARTS}")
    assert killed >= 100 / PARTS


@pytest.mark.apply_crash
def test_killed_again_and_again_in_one_apply(runner: Runner, cli: CLI, http: HTTPServer) -> None:
    one, desk = scenario(cli, http, "again", tickets=40, seed=7)
    chance = random.Random(7)  # noqa: S311  # repeatable, and not a secret
    killed = kill_and_finish(runner, one, [chance.randint(50, 900) for _ in range(100)])
    print(f"killed {killed} times in one apply")
    assert_each_was_written_once(one, desk, "again and again")
