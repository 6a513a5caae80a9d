"""Metrics of the service: valid for Prometheus, whatever state the service is in, and nothing else on that listener."""

from __future__ import annotations

from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from ticketattr.domain.run_history import RunHistory
from ticketattr.entrypoint.web.metrics import metrics_app
from ticketattr.errors import InputError

from .conftest import Web, listening
from .test_api import put_report, record_doubt


def scraped(web: Web, history: RunHistory | None = None) -> dict[str, float]:
    with listening(metrics_app(web.parts, lambda: history)) as url:
        text = httpx.get(f"{url}/metrics").text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {f"{sample.name}{sorted(sample.labels.items()) or ''}": sample.value for sample in samples}


def test_prometheus_reads_the_state_of_the_service(web: Web, tmp_path: Path) -> None:
    record_doubt(web, put_report(tmp_path))
    web.service.state.request_run("schedule", "schedule", web.clock(), dry_run=False, key="")
    with web.client("read") as client:
        client.get("/api/v1/runs")
    httpx.get(f"{web.url}/nothing", headers={"Host": "evil.example"})
    found = scraped(web)
    assert found["ticketattr_service_up"] == 1
    assert found["ticketattr_service_runs_total[('state', 'queued'), ('trigger', 'schedule')]"] == 1
    assert found["ticketattr_service_requests_total[('door', 'api'), ('status', '2xx')]"] == 1
    assert found["ticketattr_service_requests_total[('door', 'page'), ('status', '4xx')]"] == 1
    assert found["ticketattr_reports_in_doubt"] == 1


def test_a_report_log_that_cannot_be_read_leaves_the_other_metrics(web: Web, tmp_path: Path) -> None:
    web.log.path.parent.mkdir()
    web.log.path.write_bytes(b"not a database at all, but long enough")
    found = scraped(web)
    assert found["ticketattr_service_up"] == 1
    assert "ticketattr_reports_pending" not in found


def test_a_run_history_that_is_damaged_leaves_the_other_metrics(web: Web) -> None:
    def damaged() -> RunHistory | None:
        raise InputError("it is damaged")

    with listening(metrics_app(web.parts, damaged)) as url:
        assert "ticketattr_service_up 1" in httpx.get(f"{url}/metrics").text
        assert httpx.get(f"{url}/api/v1/runs").status_code == 404
