"""The program is killed while it makes batch jobs and takes their answers, and then runs until every ticket has one.

Afterwards every ticket was paid for once, and has its own answer. `nox -s batch_crash` covers fifty steps, each with a
backlog of its own, and fifty kills within one backlog of 20,000 tickets.
"""

from __future__ import annotations

import json
import shutil
import time
from typing import Any

import pytest

from .batch_server import GeminiServer
from .conftest import CLI
from .crash_process import Runner
from .servers import HTTPServer, http_server
from .test_crash import KILLED

pytestmark = pytest.mark.batch_crash

MANY = 20_000
PAIRS = (("Access", "Password Reset"), ("Hardware", "Laptop Repair"), ("Other", "General Inquiry"))
COMMAND = ("classify", "--batch")
PENDING = 5
MOST_RUNS = 60
FEW, PARTS, KILLS_A_PHASE = 32, 4, 27

STEPS_WITH_MANY = {
    "making": [round(1.55**number) + number for number in range(24)],
    "waiting": list(range(1, 33, 4)),
    "taking": [round(1.55**number) + number for number in range(24)],
}
"""At which steps one backlog is killed: few at first, in which most happens, then many in which rows are written."""


def right_pair(text: str) -> tuple[str, str]:
    """The pair of each ticket, which differs from that of the next one."""
    return PAIRS[int(text.split()[1]) % len(PAIRS)]


def answer(ticket: dict[str, Any]) -> dict[str, Any]:
    category, name = right_pair(ticket["short_description"])
    return {"request_category": category, "request_type": name, "confidence": 0.9, "evidence": "x"}


def backlog(runner: Runner, cli: CLI, name: str, tickets: int, about: str = "") -> CLI:
    """A folder with a queue that was fetched."""
    one = CLI(cli.folder / name, dict(cli.settings))
    one.folder.mkdir()
    queue = [{"id": str(n), "subject": f"Ticket {n} of a backlog", "description": about} for n in range(tickets)]
    (one.folder / "queue.json").write_text(json.dumps(queue))
    one.settings |= {"HELPDESK_API_URL": "queue.json", "CLASSIFIER": "gemini", "LLM_API_KEY": "key"}
    assert runner(one, "fetch", kill_after=600.0)[0] == 0
    return one


def copy_of(template: CLI, name: str, http: HTTPServer) -> CLI:
    folder = template.folder.with_name(name)
    shutil.copytree(template.folder, folder)
    return CLI(folder, template.settings | {"GOOGLE_GEMINI_BASE_URL": http.url})


def until_done(runner: Runner, one: CLI, server: GeminiServer) -> int:
    """Runs until no ticket is pending, and ends the jobs between two runs. Returns the number of runs."""
    for number in range(1, MOST_RUNS):
        code, _ = runner(one, *COMMAND, kill_after=600.0)
        if code == 0:
            return number
        assert code == PENDING
        server.finish()
        time.sleep(1.0)  # a job that may be on its way is looked for until that is certain
    raise AssertionError("the tickets stay pending")


def assert_each_was_paid_once(one: CLI, server: GeminiServer, tickets: int, where: str) -> None:
    assert server.asked_at_once == [], where
    paid = server.paid()
    assert (len(paid), set(paid.values())) == (tickets, {1}), where
    (path,) = one.folder.glob("work/*/attributions.json")
    rows = json.loads(path.read_text())["data"]
    assert len(rows) == tickets, where
    for row in rows:
        chosen = row["attribution"]["request_category"], row["attribution"]["request_type"]
        assert chosen == right_pair(row["ticket"]["short_description"]), where


def kill_once(runner: Runner, template: CLI, point: int, phase: str, tickets: int) -> str:
    """Kill one run at that step of a phase, in a backlog of its own. Returns the step; nothing if it ended before."""
    with http_server() as http:
        one, server = copy_of(template, f"{phase}-{point}", http), GeminiServer(http, answer)
        if phase == "taking":
            assert runner(one, *COMMAND, kill_after=60.0)[0] == PENDING
            server.finish()
        code, _ = runner(one, *COMMAND, window="jobs", kill_at=point)
        assert code in (KILLED, PENDING, 0)
        until_done(runner, one, server)
        assert_each_was_paid_once(one, server, tickets, f"{phase}, step {point}")
    return f"{phase} {point}" if code == KILLED else ""


def steps_of(runner: Runner, template: CLI, phase: str) -> int:
    with http_server() as http:
        one, server = copy_of(template, f"{phase}-whole", http), GeminiServer(http, answer)
        if phase == "taking":
            runner(one, *COMMAND, kill_after=60.0)
            server.finish()
        _, steps = runner(one, *COMMAND, window="jobs")
    return len(steps)


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_fifty_steps(runner: Runner, cli: CLI, part: int) -> None:
    """Steps spread over making a job and taking its answers, each in a backlog of its own."""
    cli.settings["LLM_BATCH_SIZE"] = "5"
    template = backlog(runner, cli, "template", FEW)
    killed = set()
    for phase in ("making", "taking"):
        steps = steps_of(runner, template, phase)
        points = [1 + number * (steps - 1) // KILLS_A_PHASE for number in range(KILLS_A_PHASE)][part::PARTS]
        killed |= {kill_once(runner, template, point, phase, FEW) for point in points}
    killed -= {""}
    print(f"killed at {len(killed)} distinct steps, part {part + 1} of {PARTS}: {sorted(killed)}")
    assert len(killed) >= 2 * KILLS_A_PHASE // PARTS - 1


def test_killed_fifty_times_within_twenty_thousand_tickets(runner: Runner, cli: CLI, http: HTTPServer) -> None:
    cli.settings["REDACT"] = "off"  # that is tested elsewhere, and takes most of the time
    template = backlog(runner, cli, "template", MANY, about="The printer on the third floor prints nothing. " * 9)
    one, server = copy_of(template, "many", http), GeminiServer(http, answer)
    killed = []
    for phase, points in STEPS_WITH_MANY.items():
        if phase == "taking":
            server.finish()
        for point in points:
            code, _ = runner(one, *COMMAND, window="jobs", kill_at=point)
            assert code in (KILLED, PENDING, 0)
            if code != KILLED:
                break
            killed.append(f"{phase} {point}")
        else:
            if phase == "making":
                assert runner(one, *COMMAND, kill_after=600.0)[0] == PENDING
    runs = until_done(runner, one, server)
    assert_each_was_paid_once(one, server, MANY, "twenty thousand")
    jobs = [(job.state, len(job.calls), job.is_file) for job in server.jobs.values()]
    print(f"killed at {len(killed)} steps ({', '.join(killed)}), then {runs} runs; jobs: {jobs}")
    assert len(killed) >= 50
