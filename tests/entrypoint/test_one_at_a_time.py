"""Several processes on one report log."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog

from ..conftest import CLI, KEPT
from ..fakes import MIDNIGHT, a_message, a_report
from ..scripted_smtp import scripted_smtp
from ..servers import HTTPServer, Request, Response
from .test_mail_servers import connect, listed, put_report

FOUR = 4


def test_four_processes_on_ten_reports_deliver_each_once(cli: CLI) -> None:
    for number in range(10):
        put_report(cli, f"{number}.xlsx", age=100 - number)
    with scripted_smtp() as script, ThreadPoolExecutor(FOUR) as pool:
        connect(cli, script)
        ended = list(pool.map(lambda _: cli.process("send", "--wait", "50"), range(FOUR)))
    assert [one.returncode for one in ended] == [0] * FOUR, ended
    assert Counter(name for mail in script.received for name in mail.names) == {f"{n}.xlsx": 1 for n in range(10)}
    assert listed(cli) == []


def test_of_four_runs_one_works_and_the_others_name_it_and_end_at_once(cli: CLI, http: HTTPServer) -> None:
    others_ended = threading.Event()

    def answer(request: Request) -> Response:
        """The queue, once all others have ended: had one of them waited for this run, both would wait in vain."""
        assert others_ended.wait(50)
        return Response(body=KEPT.read_bytes())

    http.routes["/helpdesk"] = answer
    cli.settings |= {"HELPDESK_API_URL": f"{http.url}/helpdesk", "HELPDESK_API_KEY": "k", "HELPDESK_API_SECRET": "s"}
    cli.settings["HTTP_TIMEOUT"] = "60"
    with ThreadPoolExecutor(FOUR) as pool:
        in_order = as_completed([pool.submit(cli.process, "run") for _ in range(FOUR)])
        others = [run.result() for run in islice(in_order, FOUR - 1)]
        others_ended.set()
        (last,) = [run.result() for run in in_order]
    for other in others:
        assert other.returncode == 4, other.stderr
        assert re.search(r"another ticketattr is at work: process \d+ of \S+@\S+ since \d{4}-", other.stderr), (
            other.stderr
        )
    assert last.returncode == 0, last.stderr
    assert len(http.requests) == len(cli.mails) == len(cli.reports) == 1


def test_waiting_ends_when_the_other_run_ends(cli: CLI) -> None:
    put_report(cli)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with SQLiteReportLog(cli.folder / "output" / "reports.db").acquire_sender_lock(MIDNIGHT):
            held.set()
            release.wait(50)

    with ThreadPoolExecutor() as pool:
        pool.submit(hold)
        assert held.wait(50)
        assert cli("send").exit_code == 4
        end = threading.Timer(0.3, release.set)
        end.start()
        assert "1 report sent" in cli.ok("send", "--wait", "40").stderr
        end.join()


def test_waiting_ends_after_the_given_time(cli: CLI) -> None:
    put_report(cli)
    with SQLiteReportLog(cli.folder / "output" / "reports.db").acquire_sender_lock(MIDNIGHT):
        began = time.monotonic()
        result = cli("send", "--wait", "0.4")
        assert time.monotonic() - began > 0.3
    assert result.exit_code == 4
    assert f"process {os.getpid()}" in result.stderr


def test_a_report_is_listed_as_sending_and_as_in_doubt_once_the_sender_is_gone(cli: CLI) -> None:
    path = put_report(cli)
    log = SQLiteReportLog(cli.folder / "output" / "reports.db")
    with log.acquire_sender_lock(MIDNIGHT):
        log.start_attempt(a_message(a_report(path.read_bytes()), transport="file"), MIDNIGHT)
        assert [row["state"] for row in listed(cli)] == ["sending"]
    assert [row["state"] for row in listed(cli)] == ["in_doubt"]
    assert [delivery.state for delivery in log.deliveries()] == ["sending"], "listing decides nothing"
