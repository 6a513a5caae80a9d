"""Metrics for Prometheus, read by its own parser."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ticketattr.domain.metrics import MetricsSnapshot, ReportCounts
from ticketattr.domain.run_history import RunHistory, RunRecord, with_run
from ticketattr.domain.usage import Bill, Usage
from ticketattr.errors import ServiceError, TicketAttrError
from ticketattr.infrastructure.monitoring.metrics import Pushgateway, Textfile, render_metrics

from ...fakes import MIDNIGHT
from ...servers import HTTPServer, Response

RECORD = RunRecord(
    "run", "run", MIDNIGHT, MIDNIGHT + timedelta(seconds=1.5), 0,
    seconds={"send": 0.25, "fetch": 1}, tickets={"model": 3, "failed": 1}, by_sla={"4 hours": 2, '5 "d\\ays"\n': 1},
    bill=Bill(Usage(calls=2, retries=1, tokens_in=30, tokens_out=20, tokens_thinking=5, tokens_cached=10), cost=0.25),
)  # fmt: skip
REPORTS = ReportCounts(delivered=7, recipients=14, sent=1, pending=2, in_doubt=1, oldest=MIDNIGHT)
SNAPSHOT = MetricsSnapshot(with_run(RunHistory(), RECORD), REPORTS)

GAUGES = set(
    "info last_run_timestamp_seconds last_run_exit_code last_success_timestamp_seconds last_run_duration_seconds "
    "last_run_tickets last_run_tickets_by_sla reports_pending reports_in_doubt oldest_pending_timestamp_seconds".split()
)
COUNTERS = set(
    "runs_total tickets_total llm_calls_total llm_retries_total llm_tokens_total llm_cost_usd_total "
    "reports_delivered_total recipients_delivered_total".split()
)


def samples(text: str) -> dict[tuple[str, str], float]:
    """The values by name (without the prefix) and by the value of their only label, if they have one."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name.removeprefix("ticketattr_")
            assert name != sample.name
            assert (name, *sample.labels.values()) not in found
            found[name, "".join(sample.labels.values())] = sample.value
    return found


def names(found: Iterable[tuple[str, str]]) -> set[str]:
    return {name for name, _ in found}


def test_names_and_types_are_those_that_rules_and_dashboards_use() -> None:
    types = dict(re.findall(r"^# TYPE ticketattr_(\w+) (\w+)$", render_metrics(SNAPSHOT), re.MULTILINE))
    assert types == dict.fromkeys(GAUGES, "gauge") | dict.fromkeys(COUNTERS, "counter")
    assert names(samples(render_metrics(SNAPSHOT))) == GAUGES | COUNTERS


def test_gauges_describe_the_last_run_and_counters_all_runs() -> None:
    again = with_run(SNAPSHOT.history, RECORD)
    found = samples(render_metrics(MetricsSnapshot(again, REPORTS)))
    assert found["last_run_tickets", "model"] == 3
    assert found["tickets_total", "model"] == 6
    assert found["tickets_total", "kept"] == 0
    assert found["last_run_tickets_by_sla", '5 "d\\ays"\n'] == 1
    assert found["last_run_duration_seconds", "send"] == 0.25
    assert found["last_success_timestamp_seconds", ""] == MIDNIGHT.timestamp() + 1.5
    assert [found["runs_total", ending] for ending in ("done", "partial", "failed")] == [2, 0, 0]
    assert [found["llm_tokens_total", kind] for kind in ("in", "out", "thinking", "cached")] == [60, 40, 10, 20]
    assert (found["llm_calls_total", ""], found["llm_cost_usd_total", ""]) == (4, 0.5)
    assert (found["reports_delivered_total", ""], found["recipients_delivered_total", ""]) == (7, 14)
    assert found["oldest_pending_timestamp_seconds", ""] == MIDNIGHT.timestamp()


def test_the_timestamps_are_zero_if_nothing_is_pending_and_no_run_ever_succeeded() -> None:
    failed = RunRecord("run", "run", MIDNIGHT, MIDNIGHT, 4)
    found = samples(render_metrics(MetricsSnapshot(with_run(RunHistory(), failed), ReportCounts(0, 0, 0, 0, 0))))
    assert found["oldest_pending_timestamp_seconds", ""] == found["last_success_timestamp_seconds", ""] == 0


def test_reports_that_cannot_be_counted_are_omitted() -> None:
    assert not {
        name for name in names(samples(render_metrics(MetricsSnapshot(SNAPSHOT.history, None)))) if "report" in name
    }


def test_the_textfile_is_replaced_as_a_whole_and_readable_by_everybody(tmp_path: Path) -> None:
    path = tmp_path / "textfile" / "ticketattr.prom"
    Textfile(path).publish(MetricsSnapshot(RunHistory(), None))
    Textfile(path).publish(SNAPSHOT)
    assert path.read_text() == render_metrics(SNAPSHOT)
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_a_textfile_that_cannot_be_written_is_a_ticketattr_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TicketAttrError, match="cannot be written"):
        Textfile(tmp_path / "file" / "ticketattr.prom").publish(SNAPSHOT)


@pytest.mark.parametrize("path", ["", "/", "/metrics/job/ticketattr", "/metrics/job/ticketattr/instance/desk-1"])
def test_a_pushgateway_receives_the_same_text(http: HTTPServer, path: str) -> None:
    http.routes["/metrics/job/ticketattr"] = [Response(200)]
    Pushgateway(f"{http.url}{path}").publish(SNAPSHOT)
    (request,) = http.requests
    assert request.method == "PUT"
    assert request.body.decode() == render_metrics(SNAPSHOT)
    assert request.path == (path if "job" in path else "/metrics/job/ticketattr")


@pytest.mark.parametrize("response", [Response(400), Response(500), Response(302), Response(hang_up=True)])
def test_the_error_of_a_pushgateway_does_not_show_the_url(http: HTTPServer, response: Response) -> None:
    http.routes["/"] = [response]
    url = http.url.replace("//", "//user:password-canary@")
    with pytest.raises(ServiceError, match="could not be pushed") as caught:
        Pushgateway(url).publish(SNAPSHOT)
    assert "canary" not in f"{caught.value} {caught.value.hint} {Pushgateway(url)!r}"


def test_a_silent_pushgateway_costs_no_more_than_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(ServiceError):
            Pushgateway(url, seconds=0.2).publish(SNAPSHOT)
        assert time.monotonic() - began < 3


def test_a_closed_port_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServiceError, match="ConnectError"):
        Pushgateway(f"http://127.0.0.1:{port}").publish(SNAPSHOT)


@pytest.mark.parametrize("ask", [lambda gateway: gateway.publish(SNAPSHOT), Pushgateway.probe])
def test_the_response_body_of_a_pushgateway_is_not_read(ask: Callable[[Pushgateway], None]) -> None:
    """An endless body would keep the thread that reads it alive after the time limit."""
    hung_up = threading.Event()

    class Endless(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            try:
                while True:
                    self.request.sendall(bytes(65_536))
            except OSError:
                hung_up.set()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Endless) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            ask(Pushgateway(f"http://127.0.0.1:{server.server_address[1]}", seconds=2.0))
            assert hung_up.wait(5.0)
        finally:
            server.shutdown()
            thread.join()
